"""What the room's requests have in common."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mutual.members import Member, member_by_card, member_by_id
from app.wire.base import CardUid

Key = Annotated[UUID, Header(alias="Idempotency-Key", description="The operation's id; the same key books it once.")]
Party = CardUid | UUID
Reason = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=120)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def party(connection: AsyncConnection, named: Party) -> Member:
    """Raises NotFound("member-unknown") and NotFound("card-unknown")."""
    if isinstance(named, UUID):
        return await member_by_id(connection, named)
    return await member_by_card(connection, named)
