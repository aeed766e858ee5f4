"""Is every euro there: money in circulation against the reserve that covers it."""
