"""Passes for several dates, and subscriptions: bought once, a place at each date or at those that one chooses."""
