"""The database's history, and the guards that every revision must leave in place."""
