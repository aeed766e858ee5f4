"""Terminals: pairing with a one-time code, bearer tokens, where each one's journal stands."""
