"""Memberships of venues and of the network, bought with the card, and what members decide together."""
