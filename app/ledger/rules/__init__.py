"""The ledger's rules. Standard library only: what is decided here is the same for every store."""
