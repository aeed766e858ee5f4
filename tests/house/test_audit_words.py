"""Whatever code writes down in the audit log is told in words there: the words are in app/people/audit_words.py and
app/people/audit_details.py."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

from app.mutual.memberships import Plan
from app.people.audit_details import DETAILS
from app.people.audit_words import ACTS
from app.settlement.terms import NetworkTerms, VenueTerms


def test_every_detail_and_act_that_code_writes_down_has_words() -> None:
    # Written down whole.
    names = {it.name for kept in (NetworkTerms, VenueTerms, Plan) for it in fields(kept)}
    acts: set[str] = set()
    for path in (Path(__file__).parents[2] / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "audit":
                names |= {it.arg for it in node.keywords if it.arg}
                acts |= {it.value for it in node.args[2:3] if isinstance(it, ast.Constant)}
    assert {"role", "cadence", "price_cents"} <= names
    assert names - set(DETAILS) - {"asked"} == set()
    assert acts - set(ACTS) == set()
