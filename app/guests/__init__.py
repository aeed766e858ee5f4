"""Who comes to an event without buying a place at once: those who wait for one."""
