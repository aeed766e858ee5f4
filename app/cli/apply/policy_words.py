"""A currency's rules as the file writes them: the policy's own members, with amounts and rates as people write them.

`commission: {rate: 5 %}` is `Policy(commission=Fee(basis_points=500))`. What is left out is as usual for the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.cli.apply.words import NotUnderstood, read_amount, read_rate, write_amount, write_rate
from app.currencies.policies import defaults
from app.currencies.policy_text import PolicyNotUnderstood, read_policy
from app.money import Unit
from app.rules.policy import CurrencyKind, Policy

# By the policy's member: what the file calls it.
_RATES = {"basis_points": "rate", "demurrage_basis_points": "demurrage_rate"}
_AMOUNTS = frozenset(
    {
        *("per_day", "per_operation", "floor", "ceiling", "per_payment", "per_week", "per_month"),
        *("minimum", "maximum", "demurrage_free", "reached", "amount", "fixed"),
    }
)
_NEVER_NONE = frozenset({"minimum", "floor", "demurrage_free", "reached", "amount", "fixed"})
_LANGUAGES = "notes"
NONE = "none"


class PolicyProblem(ValueError):
    """`path`: of the member that cannot be read, from the policy down."""

    def __init__(self, path: tuple[str, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


def read_words(written: Mapping[str, Any], kind: CurrencyKind, unit: Unit) -> Policy:
    """Raises PolicyProblem. Whether the rules make sense together is for app.rules.policy_check to say."""
    plain = _read(written, msgspec.to_builtins(defaults(kind)), unit, ())
    try:
        return read_policy(plain)
    except PolicyNotUnderstood as error:
        raise PolicyProblem((), str(error)) from None


def write_words(policy: Policy, kind: CurrencyKind, unit: Unit) -> dict[str, Any]:
    """What is not as usual for the kind."""
    return _written(msgspec.to_builtins(policy), msgspec.to_builtins(defaults(kind)), unit)


def all_words(policy: Policy, unit: Unit) -> dict[str, str]:
    """Every member that is set to anything, by its dotted name: what two versions are compared by."""
    found: dict[str, str] = {}
    _flatten(msgspec.to_builtins(policy), unit, "", found)
    return found


def all_names(rules: object) -> list[str]:
    """The dotted names that the file may use inside a policy, or inside a part of one."""
    names: list[str] = []
    for member, value in msgspec.to_builtins(rules).items():
        nested = all_names(value) if isinstance(value, dict) and member != _LANGUAGES else []
        names += [f"{member}.{name}" for name in nested] or [_RATES.get(member, member)]
    return names


def _read(written: object, usual: Mapping[str, Any], unit: Unit, path: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(written, Mapping):
        raise PolicyProblem(path, "holds names and values, like {rate: 5 %}")
    names = {_RATES.get(member, member): member for member in usual}
    plain = dict(usual)
    for name, value in written.items():
        at = (*path, name)
        if name not in names:
            raise PolicyProblem(at, f"there is no such rule; there are {', '.join(names)}")
        member = names[name]
        nested = isinstance(usual[member], dict) and member != _LANGUAGES
        plain[member] = _read(value, usual[member], unit, at) if nested else _value(member, value, usual, unit, at)
    return plain


def _value(member: str, value: object, usual: Mapping[str, Any], unit: Unit, path: tuple[str, ...]) -> object:
    if not isinstance(value, str):
        if isinstance(usual[member], tuple) and _all_texts(value, list):
            return value
        if member == _LANGUAGES and _all_texts(value, dict):
            return value
        raise PolicyProblem(path, "holds a list of names" if isinstance(usual[member], tuple) else "holds one value")
    try:
        if value == NONE and (usual[member] is None or member in _AMOUNTS - _NEVER_NONE):
            return None
        if member in _RATES:
            return read_rate(value)
        if member in _AMOUNTS:
            return read_amount(value, unit, negative=member == "floor")
    except NotUnderstood as error:
        raise PolicyProblem(path, str(error)) from None
    return _number_or_text(member, value, usual, path)


def _all_texts(value: object, kind: type[list[str]] | type[dict[str, str]]) -> bool:
    if not isinstance(value, kind):
        return False
    return all(isinstance(it, str) for it in (value.values() if isinstance(value, dict) else value))


def _number_or_text(member: str, value: str, usual: Mapping[str, Any], path: tuple[str, ...]) -> object:
    kept = usual[member]
    if isinstance(kept, bool):
        if value not in {"true", "false"}:
            raise PolicyProblem(path, f"{value!r} is neither true nor false")
        return value == "true"
    if isinstance(kept, tuple):
        raise PolicyProblem(path, f"{value!r} is not a list; write it like [{value}]")
    if isinstance(kept, dict):
        raise PolicyProblem(path, "holds texts by language, like {fr: ..., en: ...}")
    if isinstance(kept, int) or member.endswith("_days") or member == "priority":
        if not value.isascii() or not value.isdigit():
            raise PolicyProblem(path, f"{value!r} is not a whole number")
        return int(value)
    return value


def _written(policy: Mapping[str, Any], usual: Mapping[str, Any], unit: Unit) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for member, value in policy.items():
        if value == usual[member]:
            continue
        name = _RATES.get(member, member)
        nested = isinstance(value, dict) and member != _LANGUAGES
        words[name] = _written(value, usual[member], unit) if nested else _word(member, value, unit)
    return words


def _word(member: str, value: Any, unit: Unit) -> Any:
    if value is None:
        return NONE
    if member in _RATES:
        return write_rate(value)
    if member in _AMOUNTS:
        return write_amount(value, unit)
    return list(value) if isinstance(value, tuple) else value


def _flatten(policy: Mapping[str, Any], unit: Unit, at: str, found: dict[str, str]) -> None:
    for member, value in policy.items():
        name = f"{at}.{_RATES.get(member, member)}".lstrip(".")
        if isinstance(value, dict):
            _flatten(value, unit, name, found)
        elif isinstance(value, bool):
            found[name] = "yes" if value else "no"
        elif value not in (None, "", ()):
            found[name] = ", ".join(value) if isinstance(value, tuple) else str(_word(member, value, unit))
