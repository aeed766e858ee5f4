"""Euros in: online top-ups through a payment provider, credited exactly once."""
