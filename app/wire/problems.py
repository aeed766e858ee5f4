"""Errors as they travel: problem details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """`type` is stable; its last part is the name of the error. `title` and `detail` are for people."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[dict[str, Any]] | None = None

    @property
    def name(self) -> str:
        return self.type.rsplit("/", 1)[-1]
