"""Closings of tills, of venues' days, months and years: computed, sealed, kept, and shown."""
