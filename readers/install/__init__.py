"""`comptoir terminal install`: makes a Raspberry Pi a terminal, after showing each file that it would write."""

from readers.install.plan import Change, changes, removable, remove, write
from readers.install.texts import Wishes, files

__all__ = ["Change", "Wishes", "changes", "files", "removable", "remove", "write"]
