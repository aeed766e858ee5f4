"""The doors of events: what terminals are told of tickets, and what they saw."""
