"""This room for programs. A member is named by their id, or by a card that opens their wallet."""

from app.mutual.api import exchanges, loans, members, memberships

__all__ = ["exchanges", "loans", "members", "memberships"]
