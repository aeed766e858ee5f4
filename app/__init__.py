"""The server: ledger, venues, cards, sales, and the pages people see."""
