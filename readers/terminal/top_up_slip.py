"""The slip of a top-up: what was paid and put on the card, and how the card is blocked once it is lost."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from app.wire import CodeReply, TerminalSnapshot, TopUpRow
from readers.terminal.slip import Row, Shown, Slip

WIDTH = 40


def top_up_slip(
    row: TopUpRow,
    snapshot: TerminalSnapshot,
    words: Mapping[str, str],
    language: str,
    *,
    terminal: str,
    number: str,
    date: str,
    code: CodeReply | None = None,
    hint: bool = False,
    voided: bool = False,
) -> Slip:
    """`code`: the wallet's first recovery code, where the server made it. `hint`: nobody knows whether it has one, so
    the slip says how to get it."""
    shown = Shown(snapshot, language)
    head = [Row("title", snapshot.venue_name), *([Row("bold", words["slip.voided"])] if voided else [])]
    head += [
        Row("plain", date),
        Row("plain", words["slip.number"].replace("{number}", number).replace("{terminal}", terminal)),
    ]
    amount = shown.amount(row.amount, row.currency)
    lines = (
        Row("bold", words["slip.top_up"], amount),
        Row("plain", shown.name(row.currency)),
        Row("plain", words["slip.card"].replace("{end}", row.card[-4:])),
    )
    foot = [Row("plain", words[f"taken.{row.means}"], amount)]
    if code is not None:
        foot += [Row("rule"), Row("bold", words["slip.code"]), Row("title", code.code)]
        foot += [*_wrapped(words["slip.code_use"]), Row("plain", code.lost), *_wrapped(words["slip.code_keep"])]
    elif hint:
        foot += [Row("rule"), *_wrapped(words["slip.code_hint"])]
    return Slip(tuple(head), lines, tuple(foot), "" if code is None else code.lost)


def _wrapped(text: str) -> list[Row]:
    return [Row("plain", line) for line in textwrap.wrap(text, WIDTH)]
