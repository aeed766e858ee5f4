"""The pages of the moneys: `reading` shows them, `defining` makes them and changes their rules."""

from app.moneys.pages import defining, reading

__all__ = ["defining", "reading"]
