"""Tickets made in advance for a terminal, which sells them without network; none is sold twice, none is oversold."""
