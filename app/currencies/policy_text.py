"""A policy as plain data (JSON, YAML): mappings, lists, texts and whole numbers, with everything usual left out.

What a mapping leaves out is as in `Policy()`: `{"redeem": {"fee": {"basis_points": 500}}}` is a fee of 5 % that the
venue pays, because `Policy().redeem.fee` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.rules.policy import Policy

Plain = Mapping[str, Any]

_USUAL: dict[str, Any] = msgspec.to_builtins(Policy())
# Mappings whose keys are free: they are taken as they are, where the others are filled up member by member.
_FREE = frozenset({"notes"})


class PolicyNotUnderstood(ValueError):
    """The data is no policy; the text says what and where, for people."""


def read_policy(data: Plain) -> Policy:
    """Raises PolicyNotUnderstood. Whether the policy makes sense is for app.rules.policy_check to say."""
    whole = _filled(_USUAL, data, "")
    try:
        return msgspec.convert(whole, Policy)
    except msgspec.ValidationError as error:
        raise PolicyNotUnderstood(str(error).replace("$.", "")) from None


def write_policy(policy: Policy) -> dict[str, Any]:
    """What is not as in `Policy()`, in the order of its members; `read_policy` reads it back."""
    return _different(_USUAL, write_whole(policy))


def write_whole(policy: Policy) -> dict[str, Any]:
    """All of it, what is usual too."""
    whole: dict[str, Any] = msgspec.to_builtins(policy)
    return whole


def _filled(usual: Plain, given: object, where: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise PolicyNotUnderstood(f"{where or 'a policy'} is a mapping, not {given!r}")
    if unknown := [str(name) for name in given if name not in usual]:
        known = ", ".join(usual)
        raise PolicyNotUnderstood(f"{where or 'a policy'} knows no {', '.join(unknown)}; it knows {known}")
    whole = dict(usual)
    for name, value in given.items():
        nested = isinstance(usual[name], dict) and name not in _FREE
        whole[name] = _filled(usual[name], value, f"{where}.{name}".lstrip(".")) if nested else value
    return whole


def _different(usual: Plain, found: Plain) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in found.items():
        if value == usual[name]:
            continue
        nested = isinstance(value, dict) and name not in _FREE
        kept[name] = _different(usual[name], value) if nested else value
    return kept
