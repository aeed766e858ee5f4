"""The pages of this room: members with their trades, and loans."""

from app.mutual.pages import loans, members

__all__ = ["loans", "members"]
