"""Tickets that staff sell onto a card that lies before them: of their own venue's events, and of partners' for them."""
