"""Reading what banks write, and finding what it is about. Standard library only."""
