"""Tickets given back: what a venue owes whoever bought places for an event that does not take place."""
