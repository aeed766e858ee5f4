"""Who owes whom: what each venue has taken in each currency, and what it owes for cash it took."""
