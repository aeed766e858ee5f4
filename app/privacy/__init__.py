"""Holders' rights: what is kept about them, reading all of it, and having it forgotten."""
