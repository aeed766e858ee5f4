"""Where a venue makes its events: what they are, their prices, their dates again and again, and their end."""
