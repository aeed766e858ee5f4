"""Who stands at the till: signed in by card and PIN, with the rights that the snapshot gives them."""

from __future__ import annotations

from uuid import UUID

from readers.terminal.commands import TillError
from readers.till.shelf import SnapshotShelf
from readers.till.staff import SignIn


class Person:
    """`training`: whoever it is practises, and has nothing to do with the money of the house."""

    def __init__(self, staff: SignIn, shelf: SnapshotShelf) -> None:
        self._staff = staff
        self._shelf = shelf
        self._badge: UUID | None = None
        self.training = False

    @property
    def who(self) -> UUID | None:
        return self._staff.who

    @property
    def badge(self) -> bool:
        """Whether a staff card was read whose PIN is asked for."""
        return self._badge is not None

    @property
    def rights(self) -> frozenset[str]:
        shop = self._shelf.shop
        known = shop.staff.get(self._staff.who) if shop and self._staff.who else None
        return frozenset(known.rights) if known else frozenset()

    def signed_in(self) -> UUID:
        """TillError: not_signed_in."""
        if self._staff.who is None:
            raise TillError("not_signed_in")
        return self._staff.who

    def require(self, right: str | None) -> UUID:
        """Who is signed in, if they have this right (None: anybody has). The one place where rights of staff are
        checked on this side. TillError: not_signed_in, no_right."""
        who = self.signed_in()
        if right is not None and right not in self.rights:
            raise TillError("no_right")
        return who

    def require_at_drawer(self, right: str | None) -> UUID:
        """As `require`; nobody practises with the money of the house. TillError: in_training."""
        if self.training:
            raise TillError("in_training")
        return self.require(right)

    async def sign_in(self, pin: str) -> None:
        """TillError: no_snapshot, card_first, wrong_pin, too_many_attempts."""
        shop = self._shelf.shop
        if shop is None:
            raise TillError("no_snapshot")
        badge = shop.staff.get(self._badge) if self._badge else None
        if badge is None and not shop.snapshot.till.pin_only:
            raise TillError("card_first")
        await self._staff.sign_in(pin, [badge] if badge else shop.staff.values())
        self._badge = None

    def sign_out(self) -> None:
        self._staff.sign_out()

    def recognise(self, uid: str) -> bool:
        """A card was laid down: while nobody is signed in, a staff card says whose PIN is asked for; it may leave the
        reader meanwhile. Whether anybody was waited for."""
        shop = self._shelf.shop
        if self._staff.who is not None or shop is None:
            return False
        self._badge = next((one.id for one in shop.staff.values() if one.card == uid), None)
        return True

    def still_known(self) -> bool:
        """Whether the newest snapshot still knows who is signed in; whoever it does not is signed out."""
        shop = self._shelf.shop
        if shop is None or self._staff.who in (None, *shop.staff):
            return True
        self._staff.sign_out()
        return False
