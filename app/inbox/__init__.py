"""What needs a person: every fault that the facts show, whose it is, and what was done about it."""
