"""The card desk: all cards, one card, and what staff do to them."""
