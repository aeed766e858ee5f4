"""What may be booked about a case, and the booking of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import cards_described
from app.currencies.service import Currency
from app.identity.roles import Principal
from app.inbox import booking, service, settlements
from app.inbox.finding import SUSPENSE
from app.inbox.rules import Case
from app.ledger.service import ledger_of
from app.money import Unit, format_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.settlement.terms import WHOLE, network_terms
from app.topups import online
from app.venues.service import the_network
from app.web import Texts, dates, texts_of

Book = Literal["cover-policy", "cover-network", "link", "writeoff-policy", "writeoff-network", "ask", "repay", "later"]


@dataclass(frozen=True, slots=True)
class Action:
    """A form that books. `card`: it asks for one. `amount`: it asks for one, filled in like this. `cents`: what the
    page showed."""

    book: Book
    text: str
    hint: str
    card: bool = False
    amount: str = ""
    reason: bool = True
    cents: int | None = None


async def actions(connection: AsyncConnection, it: Case, texts: Texts, known: Mapping[str, Currency]) -> list[Action]:
    """What may be booked as things stand."""
    if not it.fault.cause:
        return []
    facts, kind = it.fault.facts, it.fault.kind
    if kind in {"paid-not-credited", "payment-not-known"} or facts.get("what") == "not_credited":
        ask = texts.gettext("Ask the provider, and credit the card if it was paid")
        return [Action("ask", ask, texts.gettext("It is credited once, whoever asks and how often."), reason=False)]
    if kind == "line-disputed":
        waits = await settlements.can_wait(connection, facts, it.fault.venue, known)
        hint = texts.gettext(
            "The rest of the statement is settled; this waits for the next one, and whoever has it sees to it."
        )
        typed = format_amount(*waits, texts.language) if waits else ""
        return (
            [Action("later", texts.gettext("Put it off to the next settlement"), hint, amount=typed)] if waits else []
        )
    if kind == "reserve-owed":
        euros = format_amount(facts["cents"], Unit.CENT, "€", texts.language)
        hint = texts.gettext("Say so once the transfer from the network’s own account is made.")
        return [
            Action(
                "repay", texts.gettext("%(amount)s were sent to the reserve", amount=euros), hint, cents=facts["cents"]
            )
        ]
    found = []
    if kind in SUSPENSE:
        hint = texts.gettext("It pays what it holds; the rest it owes, and the next top-up pays that first.")
        found.append(Action("link", texts.gettext("It was this card"), hint, card=True))
        if any(units < 0 for units in facts["waiting"].values()) or any(
            known[c].kind == "mutual" for c in facts["waiting"]
        ):
            return found
    elif kind not in {"offline-overdraft", "chargeback"}:
        return []
    bears = (await network_terms(connection)).venue_bears if it.fault.venue else 0
    word: Literal["cover", "writeoff"] = "writeoff" if kind in SUSPENSE else "cover"
    if bears:
        share = f"{bears * 100 // WHOLE} %"
        hint = texts.gettext("By the terms of settlement the venue bears %(share)s, the network the rest.", share=share)
        by_terms: Book = "cover-policy" if word == "cover" else "writeoff-policy"
        found.append(Action(by_terms, texts.gettext("Share the loss by the terms"), hint))
    if any(known[code].cents_per_unit for of in _owed(it) for code in of if code in known):
        hint = texts.gettext("Venues keep their claims; the network pays for them out of its own money.")
    else:
        hint = texts.gettext("The venue keeps what it took; nobody owes it any more.")
    alone: Book = "cover-network" if word == "cover" else "writeoff-network"
    found.append(Action(alone, texts.gettext("The network bears the loss"), hint))
    return found


def _owed(it: Case) -> list[dict[str, int]]:
    """What is missing, in minor units by currency."""
    return list(it.fault.facts["owed"].values()) if "owed" in it.fault.facts else [it.fault.facts["waiting"]]


async def carry_out(
    request: Request, caller: Principal, key: str, book: Book, text: str, typed: str, cents: int, amount: str
) -> None:
    """`typed`: the card that was said, `amount`: how much; `cents`: what the page showed. It is booked once."""
    ledger = ledger_of(request)
    case = await service.case(ledger, caller, key)
    found = case.fault
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        of_card = await cards_described(connection, typed) if typed.strip() else []
    day = dates.local(now_us(), network.settings.zone).date()
    who: booking.Who = "policy" if book.endswith("policy") else "network"
    match book, found.kind:
        case (("cover-policy" | "cover-network"), "offline-overdraft"):
            await booking.cover(ledger, caller, found, who, text, day)
        case (("writeoff-policy" | "writeoff-network"), kind) if kind in SUSPENSE:
            await booking.write_off(ledger, caller, found, who, text, day)
        case "link", kind if kind in SUSPENSE:
            if len(of_card) != 1:
                raise NotFound("No card goes by that number or name, or several do.", "card-unknown")
            await booking.link(ledger, caller, found, of_card[0], text, day)
        case "ask", ("paid-not-credited" | "payment-not-known"):
            await _ask(request, caller, key, UUID(key.partition(":")[2]))
        case "ask", "payout-line" if found.facts["what"] == "not_credited":
            await _ask(request, caller, key, UUID(found.facts["topup"]))
        case "later", "line-disputed":
            owner = case.owner or caller.actor
            await settlements.put_off(ledger, found.facts, found.venue, amount, text, owner, actor=caller.actor)
        case "repay", "reserve-owed":
            await booking.repay_reserve(ledger, caller, found, cents, text, day)
        case _:
            raise Invalid("This is not done about such an exception.", "inbox-not-this")


async def _ask(request: Request, caller: Principal, key: str, id_: UUID) -> None:
    """The provider's word counts, whoever asks for it."""
    settled = await online.settle(request, id_, again=True)
    if settled.status == "credited":
        said = texts_of(request).gettext("The provider says that it was paid.")
        await service.booked(ledger_of(request), caller, key, said, id_)
