"""Does what a plan says, in the caller's transaction: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books.service import keep_books
from app.cli.apply.document import NETWORK_ISSUER, NetworkEntry, ProductEntry
from app.cli.apply.plan import Change, Subject
from app.currencies import service as currencies
from app.currencies.policies import add_policy
from app.currencies.service import Currency
from app.identity import people
from app.identity.audit import audit
from app.identity.granting import require_some_admin
from app.identity.roles import Grant, Role
from app.mutual.memberships import Plan, set_plan
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.venues import hours, offer, places
from app.venues import service as venues
from app.venues.hours import Hours
from app.venues.service import Product

Step = Callable[[Change], Coroutine[Any, Any, None]]


@dataclass
class Work:
    """`newcomers`: those of `want.people` who are new, by login. `actor`: as the audit log names who does this."""

    connection: AsyncConnection
    want: NetworkEntry
    newcomers: Mapping[str, people.Newcomer]
    actor: str

    async def do(self, changes: Sequence[Change]) -> None:
        """What `have` must be changed by to become `want`, as `plan` told."""
        steps: dict[Subject, Step] = {
            "network": self._network,
            "venue": self._venue,
            "currency": self._currency,
            "policy": self._policy,
            "membership": self._membership,
            "product": self._product,
            "hours": self._hours,
            "person": self._person,
            "books": self._books,
            "order": self._nothing,
        }
        for change in changes:
            await steps[change.subject](change)
        if any(it.subject in {"venue", "currency", "product", "order"} for it in changes):
            await self._order()
        # Last: a database without its network is one that is not set up yet.
        if any(it.subject == "network" for it in changes):
            await venues.set_network(self.connection, self.want.name, self.want.settings)
        if any(it.subject == "person" for it in changes):
            await require_some_admin(self.connection)
        await audit(self.connection, self.actor, "network.apply", "network", changes=[str(it) for it in changes])

    async def _nothing(self, change: Change) -> None:
        """Done once for all, at the end."""

    _network = _nothing

    async def _venue(self, change: Change) -> None:
        (slug,) = change.name
        if change.sign == "+":
            it = self.want.venues[slug]
            # What it takes comes with a change of its own, after the currencies.
            await venues.add_venue(self.connection, slug, it.name, it.zone, it.cut_off, ())
            return
        id_ = (await self._venue_ids())[slug]
        if change.sign == "-":
            await venues.set_accepted(self.connection, id_, ())
            for product in await venues.products(self.connection, id_):
                await venues.change_product(self.connection, product, active=False)
            return
        it = self.want.venues[slug]
        await venues.change_venue(self.connection, id_, it.name, it.zone, it.cut_off)
        await venues.set_accepted(self.connection, id_, it.accepts)
        await venues.set_paid(self.connection, id_, it.means, it.tips_to, it.proven_cards)
        await places.set_place(self.connection, id_, it.place)

    async def _venue_ids(self) -> dict[str, UUID]:
        return {it.slug: id_ for id_, it in (await venues.venues(self.connection)).items()}

    async def _currency(self, change: Change) -> None:
        (code,) = change.name
        if change.sign == "-":
            for id_, venue in (await venues.venues(self.connection)).items():
                await venues.set_accepted(self.connection, id_, set(venue.accepted) - {code})
            return
        it = self.want.currencies[code]
        if change.sign == "~":
            await currencies.rename(self.connection, code, it.name_fr, it.name_en, it.symbol)
            return
        issuer = it.issuer if it.issuer == NETWORK_ISSUER else f"venue:{(await self._venue_ids())[it.issuer]}"
        position = len(await currencies.currencies(self.connection))
        new = Currency(code, issuer, it.kind, it.unit, it.name_fr, it.name_en, it.symbol, it.cents_per_unit, position)
        currencies.check(new)
        await currencies.add(self.connection, new)

    async def _policy(self, change: Change) -> None:
        (code,) = change.name
        it = self.want.currencies[code]
        begins_us = now_us() if it.policy_from_us is None else it.policy_from_us
        await add_policy(self.connection, code, it.policy, begins_us, self.actor)

    async def _membership(self, change: Change) -> None:
        (code,) = change.name
        it = self.want.memberships[code]
        plan = Plan(code, it.name_fr, it.name_en, it.price_cents, it.shares_cents, it.days)
        await set_plan(self.connection, plan, self.actor)

    async def _product(self, change: Change) -> None:
        slug, name = change.name
        venue = (await self._venue_ids())[slug]
        sold = {it.name_fr: it for it in await venues.products(self.connection, venue)}
        if change.sign == "-":
            await venues.change_product(self.connection, sold[name], active=False)
            return
        it = self.want.venues[slug].products[name]
        if change.sign == "+":
            await offer.take_in(self.connection, venue, _product(uuid7(), name, it))
            return
        await offer.change(self.connection, sold[name], _product(sold[name].id, name, it))

    async def _hours(self, change: Change) -> None:
        slug, name = change.name
        venue = (await self._venue_ids())[slug]
        for old in await hours.hours_of(self.connection, venue):
            if old.name == name:
                await hours.remove_hours(self.connection, venue, old.id)
        if change.sign == "-":
            return
        it = self.want.venues[slug].hours[name]
        ids = {product.name_fr: product.id for product in await venues.products(self.connection, venue)}
        prices = {ids[product]: by_code for product, by_code in it.prices.items()}
        new = Hours(uuid7(), name, it.weekdays, it.begins, it.ends, prices)
        await hours.add_hours(self.connection, venue, new)

    async def _person(self, change: Change) -> None:
        (login,) = change.name
        it = (self.want.people or {})[login]
        ids = await self._venue_ids()
        grants = [Grant(Role(role), ids[slug] if slug else None) for role, slug in it.roles]
        if change.sign == "+":
            await people.add_person(self.connection, self.newcomers[login], grants, actor=self.actor)
        else:
            who = (await people.people(self.connection))[login]
            await people.change_person(self.connection, who, it.name, grants, actor=self.actor)

    async def _books(self, change: Change) -> None:
        (slug,) = change.name
        it = self.want.books[slug]
        await keep_books(
            self.connection,
            slug,
            legal_name=it.legal_name,
            siren=it.siren,
            regime=it.regime,
            year_starts=it.year_starts,
            changed=it.accounts,
            actor=self.actor,
        )

    async def _order(self) -> None:
        await currencies.put_in_order(self.connection, list(self.want.currencies))
        ids = await self._venue_ids()
        await venues.order_venues(self.connection, [ids[slug] for slug in self.want.venues])
        for slug, it in self.want.venues.items():
            sold = {product.name_fr: product.id for product in await venues.products(self.connection, ids[slug])}
            await venues.order_products(self.connection, [sold[name] for name in it.products])


def _product(id_: UUID, name: str, it: ProductEntry) -> Product:
    return Product(id_, name, it.name_en, it.category, it.colour, it.prices, it.kind, it.open_price, vat=it.vat)
