"""Who somebody is to the network, and where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.platform.errors import Forbidden


class Role(StrEnum):
    """Those of PERSONAL are granted to people and kept in the database; the others follow from how somebody comes."""

    NETWORK_ADMIN = "network_admin"
    NETWORK_ACCOUNTANT = "network_accountant"
    AUDITOR = "auditor"
    VENUE_ADMIN = "venue_admin"
    VENUE_ACCOUNTANT = "venue_accountant"
    VENUE_AUDITOR = "venue_auditor"
    SHIFT_MANAGER = "shift_manager"
    CASHIER = "cashier"
    TERMINAL = "terminal"
    HOLDER = "holder"
    PUBLIC = "public"


# Held for the whole network; the others of PERSONAL at one venue.
NETWORK_WIDE = frozenset({Role.NETWORK_ADMIN, Role.NETWORK_ACCOUNTANT, Role.AUDITOR})
AT_VENUES = frozenset({Role.VENUE_ADMIN, Role.VENUE_ACCOUNTANT, Role.VENUE_AUDITOR, Role.SHIFT_MANAGER, Role.CASHIER})
PERSONAL = NETWORK_WIDE | AT_VENUES
# Those that a currency's rules may let issue it. Whoever runs a shift may do what the cashiers under them may.
ISSUERS = frozenset({Role.NETWORK_ADMIN, Role.VENUE_ADMIN, Role.SHIFT_MANAGER, Role.CASHIER})
_ABOVE = {Role.SHIFT_MANAGER: Role.CASHIER}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at one venue; those of NETWORK_WIDE are for the network, so their venue is None."""

    role: Role
    venue: UUID | None = None

    def __post_init__(self) -> None:
        if self.role not in PERSONAL:
            raise ValueError(f"{self.role} cannot be granted to a person")
        if (self.role in NETWORK_WIDE) != (self.venue is None):
            raise ValueError("a role in the network has no venue, and every other has one")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking.

    A person has `person`, `name` and `grants`; a terminal has `device` and `epoch`, and app.terminals tells whether it
    may still sell and for which venue; a holder is whoever knows a card's address. An endpoint sees only the grants
    that open it: a cashier of one venue who manages another has no rights of a manager at the first.
    """

    grants: frozenset[Grant] = frozenset()
    person: UUID | None = None
    name: str = ""
    device: UUID | None = None
    epoch: int | None = None
    holder: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        if self.device is not None:
            return frozenset({Role.TERMINAL})
        if self.holder:
            return frozenset({Role.HOLDER})
        return frozenset(grant.role for grant in self.grants) or frozenset({Role.PUBLIC})

    @property
    def actor(self) -> str:
        """How the audit log names them: "person:...", "terminal:...", "holder" or "public"."""
        if self.person is not None:
            return f"person:{self.person}"
        if self.device is not None:
            return f"terminal:{self.device}"
        return "holder" if self.holder else "public"

    @property
    def sees_network(self) -> bool:
        return any(grant.venue is None for grant in self.grants)

    @property
    def venues(self) -> frozenset[UUID]:
        """The venues of their grants; who sees the network sees all, whatever this says."""
        return frozenset(grant.venue for grant in self.grants if grant.venue is not None)

    def may_see_venue(self, venue: UUID) -> bool:
        return self.sees_network or venue in self.venues

    def holds_role(self, roles: Collection[str], venue: UUID | None) -> bool:
        """Whether one of their roles is among `roles` and reaches the venue; None: the network itself."""
        return any(
            (grant.role in roles or _ABOVE.get(grant.role) in roles) and grant.venue in {None, venue}
            for grant in self.grants
        )

    def require_venue(self, venue: UUID) -> None:
        """Raises Forbidden unless their rights reach this venue."""
        if not self.may_see_venue(venue):
            raise Forbidden("Your rights do not reach this venue.")

    def limited_to(self, allowed: Collection[Role]) -> Principal:
        """The same, with only those grants whose role is among `allowed`."""
        return replace(self, grants=frozenset(grant for grant in self.grants if grant.role in allowed))


PUBLIC = Principal()
HOLDER = Principal(holder=True)
