"""Keys of cards: which sets of them there are, which card holds which key, and which terminal was given it."""
