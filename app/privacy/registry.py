"""What is kept about holders, room by room: the one table that the page of rights, the export and the erasure read.

A room offers `held_about(connection, wallet)`: records of plain values. Of their names, those that end in `_us` are
times (microseconds), and amounts are {"currency": code, "minor": units}. `letters`: ids of e-mails that told of them.
`forget`: takes out of the room what names a person and no law keeps; done again it changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

import app.cards.held
import app.disputes.held
import app.door.held
import app.events.held
import app.forwarding.held
import app.giftbasket.held
import app.guests.held
import app.holders.held
import app.issuing.held
import app.lapses.reminders
import app.mail.consents
import app.mail.held
import app.members.held
import app.mutual.held
import app.passes.held
import app.refunds.held
import app.sales.held
import app.topups.held
from app.web import N_

Records = Sequence[Mapping[str, Any]]
Held = Callable[[AsyncConnection, UUID], Awaitable[Records]]
Letters = Callable[[AsyncConnection, UUID], Awaitable[Collection[UUID]]]
Forget = Callable[[AsyncConnection, UUID], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Source:
    """`why`, `kept` (how long) and `seen` (by whom) are what the public page says of it."""

    name: str
    title: str
    why: str
    kept: str
    seen: str
    held: Held | None = None
    letters: Letters | None = None
    forget: Forget | None = None


_NETWORK: Final = N_("The network’s admins and auditors")
_BOOKS: Final = N_("Ten years, as books are (Code de commerce, art. L123-22); after an erasure without a name")

SOURCES: Final = (
    Source(
        "cards",
        N_("Cards"),
        N_("So that a card opens its money, can be blocked, and can be replaced"),
        N_("As long as the card is in use; what is written on it, until you have it erased"),
        N_("The network, and staff of venues where cards are handed out"),
        app.cards.held.held_about,
        forget=app.cards.held.forget,
    ),
    Source(
        "movements",
        N_("What was paid, topped up and given"),
        N_("These are the books: what you hold, what each venue is owed"),
        _BOOKS,
        N_("You; the network; and each venue what was paid at its own tills, nothing of the others"),
    ),
    Source(
        "account",
        N_("Your account, if you have one"),
        N_("So that you find your cards again, from any phone"),
        N_("Until you have it erased: it goes with the last card in it"),
        N_("You, and the network’s admins"),
        app.holders.held.held_about,
        app.holders.held.letters,
        app.holders.held.forget,
    ),
    Source(
        "topups",
        N_("Online top-ups"),
        N_("So that what you pay arrives on your card, once"),
        N_("Ten years, as books are; the address for a receipt, until it is sent or for 40 days"),
        N_("The network, and the payment provider, which knows how you paid"),
        app.topups.held.held_about,
        app.topups.held.letters,
        app.topups.held.forget,
    ),
    Source(
        "consents",
        N_("That you want reminders by e-mail"),
        N_("So that it is known that you asked for them, when, and in which words; nothing is sent without it"),
        N_("The address, until you say stop; that you had agreed, for five years"),
        N_("The network’s admins"),
        app.mail.consents.held_about,
        app.lapses.reminders.letters,
        app.mail.consents.forget,
    ),
    Source(
        "refunds",
        N_("Refunds that you asked for"),
        N_("So that the money reaches you, once"),
        N_("Ten years, as books are; your address, until you have it erased"),
        N_("The network, its bank, and the payment provider"),
        app.refunds.held.held_about,
        app.refunds.held.letters,
        app.refunds.held.forget,
    ),
    Source(
        "tickets",
        N_("Tickets"),
        N_("So that they open the door, and the venue knows how many come"),
        N_("Ten years, as books are; a name on one, until you have it erased"),
        N_("The venue of the event, and the network’s auditors"),
        app.events.held.held_about,
        forget=app.events.held.forget,
    ),
    Source(
        "gift_baskets",
        N_("Gift vouchers that wait for your payment"),
        N_("So that one is bought once the money is here"),
        N_("Until it is bought, or will not be"),
        _NETWORK,
        app.giftbasket.held.held_about,
        forget=app.giftbasket.held.forget,
    ),
    Source(
        "forwarded",
        N_("Tickets that you handed on, or were given"),
        N_("So that each opens the door once"),
        N_("Ten years, as books are; whom one went to is not kept with yours"),
        N_("You, and the network’s admins"),
        app.forwarding.held.held_about,
    ),
    Source(
        "vouchers",
        N_("Gift vouchers that you bought"),
        N_("So that whoever you give one to has its money, once"),
        N_("Ten years, as books are; what you wrote on one, until you have it erased"),
        _NETWORK,
        app.issuing.held.vouchers_of,
        forget=app.issuing.held.forget_words,
    ),
    Source(
        "passes",
        N_("Passes and subscriptions"),
        N_("So that you have the places that they give"),
        N_("Ten years, as books are"),
        N_("Their seller, and the network’s auditors"),
        app.passes.held.held_about,
    ),
    Source(
        "waiting",
        N_("Waiting lists"),
        N_("So that places that come free are offered in turn"),
        N_("As long as the event’s orders; your address, until the places are offered or you leave the line"),
        N_("The venue of the event sees how many wait, and not who"),
        app.guests.held.held_about,
        app.guests.held.letters,
        app.guests.held.forget,
    ),
    Source(
        "invitations",
        N_("Invitations"),
        N_("So that the door has your name, and a link is good once"),
        N_("As long as the ticket; the name, until you have it erased"),
        N_("The venue of the event"),
        app.guests.held.invited,
        forget=app.guests.held.forget_invited,
    ),
    Source(
        "passages",
        N_("At the door"),
        N_("So that a ticket lets one person in, and the venue knows how many are inside"),
        N_("As long as the ticket"),
        N_("The venue of the event, and the network’s auditors"),
        app.door.held.held_about,
    ),
    Source(
        "disputes",
        N_("Sales that you disputed"),
        N_("So that the venue can answer you"),
        N_("What was written: five years; the address, until the answer or for 90 days"),
        N_("The venue of the sale, and the network. The venue does not see your address"),
        app.disputes.held.held_about,
        app.disputes.held.letters,
        app.disputes.held.forget,
    ),
    Source(
        "tabs",
        N_("Tabs at a bar"),
        N_("So that several rounds are paid at once"),
        N_("With the sale that pays it; the name given to it, until you have it erased"),
        N_("The venue where it was opened"),
        app.sales.held.held_about,
        forget=app.sales.held.forget,
    ),
    Source(
        "memberships",
        N_("Memberships that you bought"),
        N_("The register of the venue, the association or the cooperative that you joined"),
        N_("As long as the law asks for the register; the address, until you have it erased"),
        N_("Who you joined, and the network"),
        app.members.held.held_about,
        app.members.held.letters,
        app.members.held.forget,
    ),
    Source(
        "votes",
        N_("Your votes"),
        N_("So that each member votes once; and where a vote is not secret, members read who answered what"),
        N_("As long as the register of members"),
        N_("Who asked; of a secret vote it is kept that you voted, and nowhere what"),
        app.members.held.votes_about,
    ),
    Source(
        "members",
        N_("Members, loans, memberships"),
        N_("The register of the association or cooperative that you joined"),
        N_("As long as you belong to it, then ten years: a register is kept by law, and is not erased"),
        _NETWORK,
        app.mutual.held.held_about,
    ),
    Source(
        "credit",
        N_("Credit between members"),
        N_("So that two people decide about a credit, and it can be said why"),
        _BOOKS,
        _NETWORK,
        app.issuing.held.held_about,
    ),
)
