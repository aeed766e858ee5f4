"""Tabs: a hold on a card, what is drunk on it, and the sale that pays it."""
