"""Pages of top-ups: the holder's, the counter's, and the sandbox provider's."""

from app.topups.pages import counter, holder, sandbox

__all__ = ["counter", "holder", "sandbox"]
