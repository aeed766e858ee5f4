"""Tickets exchanged by their holders for another date of their series, or for another price."""
