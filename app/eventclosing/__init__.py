"""The end of an event: its terminals and whether they brought everything, its cut-off, and its days of refunds."""
