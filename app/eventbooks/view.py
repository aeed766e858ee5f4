"""An event's figures as a page shows them and as files take them away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.currencies.service import Currency
from app.dashboards.sections import Amount, Head, Row, Section, Table
from app.eventbooks.rules import Rights, Sold, Statement
from app.money import Unit, format_rate
from app.returns.reading import Kept
from app.rules.vat import vat_within
from app.web import N_, Texts
from app.web.dates import moment

EURO: Final = Currency("EUR", "network", "pegged", Unit.CENT, "Euro", "Euro", "€", 1, 0)
CHANNELS: Final[Mapping[str, str]] = {
    "online": N_("Online, with the card"),
    "till": N_("At the till"),
    "invitation": N_("Invitations"),
}


@dataclass(frozen=True, slots=True)
class View:
    statement: Statement
    tickets: Sequence[Sold]
    known: Mapping[str, Currency]
    zone: str
    texts: Texts
    rights: Rights
    kept: Sequence[Kept] = ()

    def sections(self) -> Iterator[Section]:
        yield self._prices()
        if self.kept:
            yield self._kept()
        yield self._vat()
        yield self._rights()
        yield self._channels()
        yield self._hours()

    def _prices(self) -> Section:
        _, language = self.texts.gettext, self.texts.language
        heads: list[Head] = [
            (_("Price"), "text"),
            (_("Numbers"), "text"),
            (_("Unit price"), "number"),
            (_("Tickets"), "number"),
            (_("Refunded"), "number"),
            (_("Void"), "number"),
            (_("Receipts"), "number"),
            (_("VAT rate"), "text"),
            (_("Without VAT"), "number"),
            (_("VAT"), "number"),
        ]
        rows: list[Row] = []
        for it in self.statement.lines:
            money = self.known[it.tariff.currency]
            euros = [None if cents is None else Amount(cents, EURO) for cents in (it.net, it.tax)]
            rate = percent(it.tariff.vat, self.texts) if it.gross is not None else "–"
            numbers = f"{it.first} – {it.last}"
            counts = (it.count, it.refunded, it.void)
            unit, total = Amount(it.unit, money), Amount(it.total, money)
            rows.append((it.tariff.name(language), numbers, unit, *counts, total, rate, *euros))
        lines = self.statement.lines
        total_row: Row = (
            _("In all"),
            "",
            None,
            self.statement.tickets,
            self.statement.refunded,
            sum(it.void for it in lines),
            Amount(self.statement.gross, EURO),
            "",
            Amount(self.statement.net, EURO),
            Amount(self.statement.tax, EURO),
        )
        note = _(
            "Of each price the numbers of its first and last ticket, how many hold, and what they brought (CGI, annexe "
            "IV, art. 50 sexies H). The sum holds what was paid in money that is worth euros."
        )
        return Section("receipts", _("Statement of receipts"), Table(heads, rows, total_row), None, note)

    def _kept(self) -> Section:
        """With the receipts, it is what the venue's claim has."""
        _, language = self.texts.gettext, self.texts.language
        heads: list[Head] = [(_("Price"), "text"), (_("Tickets"), "number"), (_("Kept"), "number")]
        heads += [(_("VAT rate"), "text"), (_("VAT"), "number")]
        named = {it.tariff.id: it.tariff for it in self.statement.lines}
        rows: list[Row] = []
        for it in self.kept:
            tariff, rate = named[it.price], self.known[it.currency].cents_per_unit
            tax = None if rate is None else Amount(vat_within(it.amount * rate, tariff.vat), EURO)
            shown = "–" if rate is None else percent(tariff.vat, self.texts)
            rows.append((tariff.name(language), it.tickets, Amount(it.amount, self.known[it.currency]), shown, tax))
        note = _(
            "Fees of tickets that their holders gave back. They are no receipts of tickets, and stay in the claim."
        )
        return Section("kept", _("Kept of tickets given back"), Table(heads, rows), None, note)

    def _vat(self) -> Section:
        _ = self.texts.gettext
        heads: list[Head] = [
            (_("VAT rate"), "text"),
            (_("With VAT"), "number"),
            (_("Without VAT"), "number"),
            (_("VAT"), "number"),
        ]
        rows: list[Row] = [
            (percent(it.vat, self.texts), Amount(it.gross, EURO), Amount(it.net, EURO), Amount(it.tax, EURO))
            for it in self.statement.rates
        ]
        total = (
            _("In all"),
            Amount(self.statement.gross, EURO),
            Amount(self.statement.net, EURO),
            Amount(self.statement.tax, EURO),
        )
        return Section("vat", _("Receipts by rate of VAT"), Table(heads, rows, total))

    def _rights(self) -> Section:
        """What is counted, and what the contract's rate makes of it."""
        _ = self.texts.gettext
        heads: list[Head] = [(_("What"), "text"), (_("Amount"), "number")]
        of, rights = self.statement, self.rights
        bases = {"net": _("Base: receipts without VAT"), "gross": _("Base: receipts with VAT")}
        rows: list[Row] = [
            (_("Receipts of tickets that hold, with VAT"), Amount(of.gross, EURO)),
            (_("VAT in them"), Amount(of.tax, EURO)),
            (bases[rights.base], Amount(rights.counted_on(of), EURO)),
        ]
        made = rights.made_of(of)
        if made is not None and rights.rate is not None:
            if rights.minimum_cents:
                rows.append((_("At least, by the contract"), Amount(rights.minimum_cents, EURO)))
            rate = percent(rights.rate, self.texts)
            rows.append((_("Authors’ rights at %(rate)s, without VAT on them", rate=rate), Amount(made, EURO)))
        rows.append((_("Base of the tax on variety shows (CNM): receipts without VAT"), Amount(of.net, EURO)))
        note = _(
            "Refunded tickets are not counted, nor is what was paid in hours or points. Base and rate are what the "
            "venue wrote of its contract (Sacem and others); what is due is for the contract and the accountant. "
            "The tax on variety shows is 3.5 %% (CIBS, art. L. 452-14 and following)."
        )
        return Section("rights", _("Base of authors’ rights"), Table(heads, rows), None, note)

    def _channels(self) -> Section:
        _ = self.texts.gettext
        held = [it for it in self.tickets if it.state == "valid"]
        heads: list[Head] = [(_("Where it was sold"), "text"), (_("Price"), "text"), (_("Tickets"), "number")]
        heads.append((_("Receipts"), "number"))
        found = Counter((it.channel, it.price) for it in held)
        paid: Counter[tuple[str, object]] = Counter()
        for it in held:
            paid[it.channel, it.price] += it.amount
        names = {it.tariff.id: it.tariff for it in self.statement.lines}
        rows: list[Row] = [
            (
                _(CHANNELS.get(channel, channel)),
                names[price].name(self.texts.language),
                number,
                Amount(paid[channel, price], self.known[names[price].currency]),
            )
            for (channel, price), number in sorted(found.items(), key=lambda it: (it[0][0], -it[1], str(it[0][1])))
        ]
        return Section("channels", _("By where they were sold"), Table(heads, rows))

    def _hours(self) -> Section:
        """When people decide, without anything of who they are."""
        _ = self.texts.gettext
        held = [it for it in self.tickets if it.state == "valid"]
        heads: list[Head] = [(_("Hour"), "text"), (_("Tickets"), "number"), (_("So far"), "number")]
        rows, so_far = [], 0
        for hour, number in sorted(Counter(it.hour_us for it in held).items()):
            so_far += number
            rows.append((moment(hour, self.zone, self.texts), number, so_far))
        return Section("hours", _("By the hour in which they were sold"), Table(heads, rows))

    def member_share(self) -> int | None:
        """Per cent of the tickets that were sold at a price for members; None where there is none, or no such price."""
        members = {it.tariff.id for it in self.statement.lines if it.tariff.condition == "member"}
        held = [it for it in self.tickets if it.state == "valid"]
        return round(100 * sum(it.price in members for it in held) / len(held)) if members and held else None


def percent(vat: int, texts: Texts) -> str:
    return f"{format_rate(vat, texts.language)} %"
