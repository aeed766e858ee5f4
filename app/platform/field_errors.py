"""What is wrong with which field, in plain words, without repeating what was sent: it may be long, or a password."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_MESSAGE_LENGTH_MAX = 200
_FIELDS_MAX = 20

# Pydantic's error types: https://docs.pydantic.dev/latest/errors/validation_errors/
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "uuid_type": "must be an id (UUID)",
    "uuid_parsing": "must be an id (UUID)",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "is not written as it must be",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
}

# Where FastAPI found the value; the body goes without saying.
_UNSAID = {"body"}


def in_plain_words(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """`[{"field": "lines.0.quantity", "message": "must be at least 1"}]` from pydantic's errors; the first 20."""
    return [{"field": _field(error["loc"]), "message": _message(error)} for error in list(errors)[:_FIELDS_MAX]]


def _field(location: tuple[str | int, ...]) -> str:
    parts = [str(part)[:60] for index, part in enumerate(location) if not (index == 0 and part in _UNSAID)]
    return ".".join(parts) or "body"


def _message(error: Mapping[str, Any]) -> str:
    if words := _WORDS.get(error["type"]):
        return words.format_map(error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")[:_MESSAGE_LENGTH_MAX]
