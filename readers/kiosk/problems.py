"""The errors of the staff screen's routes, as problem details (RFC 9457)."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.responses import Response

from app.wire.problems import Problem
from readers.terminal.commands import TillError


def problem(status: int, name: str, title: str, **more: object) -> Response:
    """A reply whose `type` ends in `name`."""
    body = Problem.model_validate({"type": f"/problems/{name}", "title": title, "status": status, **more})
    return Response(body.model_dump_json(exclude_none=True), status_code=status, media_type="application/problem+json")


def refused_by_till(error: TillError) -> Response:
    """409: the till can't do this now. `reason` is the stable word that the page has a sentence for."""
    name = error.reason.replace("_", "-")
    return problem(409, name, "The till can't do this now", reason=error.reason)


def malformed(error: ValidationError) -> Response:
    """422: what is wrong with which field. What was sent is left out, for it may be a PIN."""
    errors = [
        {"field": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return problem(422, "malformed", "The request is not well formed", reason="malformed", errors=errors)
