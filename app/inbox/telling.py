"""A case as it is told: its line in the list, its particulars, and where it is put right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.accounting.books.drawer_told import Told
from app.accounting.books.words import month_said
from app.currencies.service import Currency
from app.identity.rights import allows
from app.identity.roles import Principal
from app.inbox import words
from app.inbox.daily import HERE
from app.inbox.rules import Case
from app.money import Unit, format_amount
from app.rules.door import Passage
from app.venues.service import Network, Venue
from app.web import N_, Texts
from app.web.dates import moment


def row(
    it: Case, at: Mapping[UUID, Venue], known: Mapping[str, Currency], network: Network, texts: Texts
) -> dict[str, Any]:
    """What the list and the head of a case's page show."""
    place = at.get(it.fault.venue) if it.fault.venue else None
    return {
        "case": it,
        "href": f"{HERE}/{it.fault.key}",
        "title": words.title(it.fault, texts, known),
        "urgent": words.urgent(it),
        "place": place.name if place else network.name,
        "zone": place.zone if place else network.settings.zone,
        "state": texts.gettext(words.STATES[it.state]),
    }


def lines(
    it: Case, terminal: str, booked: Told | None, texts: Texts, known: Mapping[str, Currency]
) -> list[tuple[str, str]]:
    """The story's particulars: (what, what it is). `booked`: what of it is in the books."""
    facts = it.fault.facts
    found = [(texts.gettext("Terminal"), terminal)]
    if "seq" in facts:
        found.append(
            (texts.gettext("Operation"), f"no. {facts['seq']}" if texts.language == "en" else f"n° {facts['seq']}")
        )
    for uid, of in facts.get("debts", {}).items():
        label = facts["labels"].get(uid, uid)
        owed = words.amounts(facts["owed"][uid], texts, known)
        if it.fault.kind == "chargeback":
            found.append((texts.gettext("Still owed of it by %(label)s", label=label), owed))
            continue
        found.append((texts.gettext("Owed for this sale by %(label)s", label=label), owed))
        if left := words.amounts(of, texts, known):
            found.append((texts.gettext("Owed by %(label)s now, in all", label=label), left))
    if waiting := words.amounts(facts.get("waiting", {}), texts, known):
        found.append((texts.gettext("Still in suspense"), waiting))
    if "pairs" in facts:
        found.append((texts.gettext("Price"), facts["prices"][texts.language]))
        found += [
            (texts.gettext("Let in"), _passed(it, facts["zone"], texts)) for pair in facts["pairs"] for it in pair
        ]
    if fee := facts.get("fee_cents"):
        euros = format_amount(fee, Unit.CENT, "€", texts.language)
        found.append((texts.gettext("The provider’s fee for it"), euros))
    for name, said in (
        ("party", N_("From or to")),
        ("text", N_("What the holder says") if "dispute" in facts else N_("What the bank says")),
        ("provider", N_("Provider")),
        ("reference", N_("Reference")),
    ):
        found.append((texts.gettext(said), str(facts.get(name) or "")))
    if booked is not None:
        euros = format_amount(booked.cents, Unit.CENT, "€", texts.language)
        found.append((texts.gettext("In the venue’s books"), f"{booked.account} {booked.name}, {euros}"))
        found.append((texts.gettext("Entry"), _entry(booked, texts)))
    return [each for each in found if each[1]]


def _passed(it: Passage, zone: str, texts: Texts) -> str:
    return f"{moment(it.at_us, zone, texts)}, {it.terminal}"


def _entry(booked: Told, texts: Texts) -> str:
    month = month_said(booked.month, texts)
    if booked.number is None:
        return texts.gettext("in the books of %(month)s, which are not closed yet", month=month)
    return texts.gettext("CA %(number)s of %(month)s", number=booked.number, month=month)


def links(it: Case, booked: Told | None, reader: Principal) -> list[tuple[str, str]]:
    """(address, words): where it is put right or read, where that is not here and open to the reader."""
    facts = it.fault.facts
    found: list[tuple[str, str, str]] = []
    match it.fault.kind:
        case "forked-journal" | "late-rows":
            found.append(("review_page", f"/admin/terminals/{facts['terminal']}/review", N_("Review")))
        case "payout-line":
            found.append(("payout_page", f"/admin/payments/{facts['payout']}", N_("To the payout")))
        case "payout-late":
            found.append(("payout_page", f"/admin/payments/{facts['payout']}", N_("To the payout")))
            found.append(("statements_page", "/admin/statements", N_("To the bank’s statements")))
        case "bank-line":
            found.append(("statements_page", f"/admin/statements#line-{facts['line']}", N_("Say what it is")))
        case "payment-failed" if allows(reader, "settlement_page"):
            found.append(("settlement_page", f"/admin/settlements/{facts['run']}", N_("To the settlement")))
        case "payment-failed":
            venue = f"/admin/settlements/{facts['run']}/venues/{it.fault.venue}"
            found.append(("statement_page", venue, N_("To the settlement")))
        case "line-disputed" | "put-off":
            line = f"/admin/settlements/{facts['run']}/venues/{it.fault.venue}#line-{facts['line']}"
            found.append(("statement_page", line, N_("To the statement")))
        case "sale-disputed" | "dispute-unanswered":
            found.append(("dispute_page", f"/admin/disputes/{facts['dispute']}", N_("To the dispute")))
        case "let-in-twice":
            found.append(("doors_page", f"/admin/doors?event={facts['event']}", N_("To the door")))
        case "reserve-owed" | "reserve-short":
            found.append(("reserve_page", "/admin/reserve", N_("To the reserve")))
        case "till-difference" | "closing-differs" | "no-session":
            found.append(("closing_page", f"/admin/closings/{facts['closing']}", N_("To the closing")))
    if booked is not None and booked.number is not None:
        entry = f"/admin/books/{booked.slug}/{booked.month:%Y-%m}/CA?start={booked.number}"
        found.append(("books_journal", entry, N_("To the entry")))
    return [(href, said) for act, href, said in found if allows(reader, act)]
