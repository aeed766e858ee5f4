"""The texts of the door of an event. See readers.kiosk.words."""

from __future__ import annotations

from typing import Final


def _(msgid: str) -> str:
    return msgid


DOOR_WORDS: Final[dict[str, str]] = {
    "door.open": _("Door"),
    "door.leave": _("Till"),
    "door.in": _("In"),
    "door.out": _("Out"),
    "door.which": _("In or out"),
    "door.event": _("Event"),
    "door.inside": _("{inside} inside of {expected}"),
    "door.doors": _("Doors at {time}"),
    "door.ask": _("Present a card, or scan a code"),
    "door.ask_out": _("Going out: present a card, or scan a code"),
    "door.search": _("Code, name or ticket number"),
    "door.none": _("No ticket found"),
    "door.nameless": _("No name"),
    "door.ticket": _("No. {serial}"),
    "door.is_inside": _("Inside"),
    "door.is_refunded": _("Refunded"),
    "door.is_void": _("No longer valid"),
    "door.said.in": _("Come in"),
    "door.said.again": _("Back in"),
    "door.said.out": _("Goes out"),
    "door.said.inside": _("Already inside"),
    "door.said.not_inside": _("Was not inside"),
    "door.said.wrong_event": _("Another event"),
    "door.said.refunded": _("Refunded"),
    "door.said.void": _("No longer valid"),
    "door.said.early": _("Too early"),
    "door.said.over": _("It is over"),
    "door.said.no_ticket": _("No ticket here"),
    "door.places.one": _("{count} place"),
    "door.places.other": _("{count} places"),
    "door.more.one": _("{count} more place on this card"),
    "door.more.other": _("{count} more places on this card"),
    "door.more_one": _("One more"),
    "door.more_all": _("All of them"),
    "door.anyway": _("Let in now"),
    "door.next": _("Next"),
    "door.since": _("In at {time}, {terminal}"),
    "door.gone": _("Out at {time}, {terminal}"),
    "door.other": _("For {title}, {time}"),
    "door.new": _("Sold just now: it is not in the list yet."),
    "door.no_ticket_next": _("Look for the name, or sell a ticket."),
    "till.no_tickets": _("This terminal has no more of these tickets to sell."),
    "till.tickets_not_given": _("Tickets are not given away here: the venue invites its guests."),
    "till.tickets_whole": _("A basket with tickets is not split."),
    "till.no_event": _("There is no event here now."),
    "till.no_ticket": _("This ticket is not in the list. Nothing was written down."),
}
