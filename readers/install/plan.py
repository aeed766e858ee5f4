"""From what is to stand to what would change: shown as a diff, written whole or not at all, taken away again."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from readers.install.texts import MARK, SETTINGS, Target


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not as it should be; `before` is None where there is none."""

    target: Target
    before: str | None

    def diff(self) -> str:
        """The change as `diff -u` would show it. The text of a secret file is shown without its values."""
        new = f"-> {self.target.link}\n" if self.target.link else self.target.text
        if self.target.mode & 0o077 == 0:
            new = "".join(_without_value(line) for line in new.splitlines(keepends=True))
        name = f"/{self.target.path}"
        old = "/dev/null" if self.before is None else name
        lines = difflib.unified_diff((self.before or "").splitlines(keepends=True), new.splitlines(True), old, name)
        return "".join(lines)


def _without_value(line: str) -> str:
    """A pairing code is for one pair of eyes; who looks over a shoulder or reads a log must not see it."""
    name, equals, _ = line.partition("=")
    return f"{name}=(hidden)\n" if equals and name.endswith("_PAIR") else line


def changes(root: Path, targets: Sequence[Target]) -> list[Change]:
    """What is missing or different under `root`. OSError."""
    found = []
    for target in targets:
        before = _standing(root / target.path)
        if target.keep and before is not None:
            continue
        if before != (f"-> {target.link}\n" if target.link else target.text):
            found.append(Change(target, before))
    return found


def write(root: Path, wanted: Sequence[Change]) -> None:
    """Each file whole and durable, or as it was: a power cut between two of them leaves a machine that starts, and
    the next install writes the rest. OSError."""
    for change in wanted:
        path = root / change.target.path
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.new")
        aside.unlink(missing_ok=True)
        if change.target.link:
            aside.symlink_to(change.target.link)
        else:
            file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, change.target.mode)
            with os.fdopen(file, "w") as out:
                os.fchmod(out.fileno(), change.target.mode)
                out.write(change.target.text)
                out.flush()
                os.fsync(out.fileno())
        aside.replace(path)
        _sync_folder(path.parent)


def set_setting(root: Path, name: str, value: str, settings: Path = SETTINGS) -> None:
    """Change one line of the settings, and leave all others as they are. OSError: there are none, or not for us."""
    path = root / settings
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{name}=")]
    text = "\n".join([*lines, f"{name}={value}"]) + "\n"
    write(root, [Change(Target(settings, text, mode=0o600), None)])


def removable(root: Path, paths: Sequence[Path], mark: str = MARK) -> list[Path]:
    """What an install wrote and nobody made their own: files with our first line, and links to our units."""
    found = []
    for path in paths:
        standing = _standing(root / path)
        ours = standing is not None and (standing.startswith((mark, "-> /etc/systemd/system/comptoir-")))
        if ours:
            found.append(path)
    return found


def remove(root: Path, paths: Sequence[Path]) -> None:
    """OSError."""
    for path in paths:
        (root / path).unlink(missing_ok=True)
        _sync_folder((root / path).parent)


def _standing(path: Path) -> str | None:
    """A file's text, or where a link leads; None where there is nothing."""
    if path.is_symlink():
        return f"-> {os.readlink(path)}\n"
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
