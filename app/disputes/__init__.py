"""Disputes: a holder says that a sale is not right, its venue answers."""
