"""What a terminal's troubles and figures are called, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from babel.units import format_unit

from app.terminals.rules import Kind, Level, Trouble
from app.web import N_, Texts
from app.wire import DeviceKind, TerminalStatus

# (what it is, what to do)
TROUBLES: Mapping[Kind, tuple[str, str]] = {
    "quarantined": (
        N_("Set aside: two copies of its journal disagree"),
        N_(
            "Its memory card was copied. Take the copy away, then review what both sold. Nothing that was sold is lost."
        ),
    ),
    "fork_seen": (
        N_("Two machines sell under its name, from row %(value)s of its journal on"),
        N_(
            "Another terminal of its site saw both. Its memory card was copied: take the copy away. Once both have "
            "sent what they sold, it is set aside for your review. Nothing that was sold is lost."
        ),
    ),
    "late_rows": (
        N_("Sold things that wait for your review: %(value)s"),
        N_("They are kept and not booked yet. Look at them, and book what was sold."),
    ),
    "revoked_waiting": (
        N_("Had sales to send when it was revoked: %(value)s"),
        N_("Switch it on where there is a network: it hands them over for your review. It sells nothing."),
    ),
    "behind": (
        N_("Stopped: its memory card holds an old copy of its journal"),
        N_("What it sold is here already. Pair it again, then it may sell."),
    ),
    "read_only": (
        N_("Cannot sell: its memory card takes no more writing"),
        N_("Replace the card. What it sold can still be read from the old one: keep it."),
    ),
    "volatile": (
        N_("Its sales are kept in memory only"),
        N_("A power cut would lose what it has not sent. Give its journal a partition of its own."),
    ),
    "disk_full": (
        N_("Its memory card is full: %(value)s MB left"),
        N_("It can soon sell no more. Make room on it, or replace the card by a larger one."),
    ),
    "journal_failed": (
        N_("Could not write down its last sale"),
        N_("That sale was refused and nothing was charged. Restart it; if it happens again, replace its memory card."),
    ),
    "disk_low": (N_("Little room on its memory card: %(value)s MB"), N_("Make room on it before a long evening.")),
    "disk_errors": (
        N_("Its memory card has made errors: %(value)s"),
        N_("Replace it soon, while what it holds can still be read."),
    ),
    "worn": (N_("Its memory card is worn: %(value)s %%"), N_("Replace it before it fails.")),
    "reader_lost": (
        N_("No card reader"),
        N_("It can sell nothing until the reader answers. Check the cable, then switch the terminal off and on."),
    ),
    "silent_waiting": (
        N_("Silent, with sales to send: %(value)s"),
        N_("Is it switched on, and has it a network? Its sales are safe in it, and come in once it is back."),
    ),
    "silent": (
        N_("Silent"),
        N_("Switched off, or without network. It may be selling offline, within its limits."),
    ),
    "never_told": (N_("Has not told how it is yet"), N_("It runs an older version, or was paired just now.")),
    "unsent": (
        N_("Has a network, but does not deliver its sales: %(value)s"),
        N_("Ask for its logs. What it sold is safe in it."),
    ),
    "clock": (
        N_("Its clock is wrong by %(value)s min"),
        N_("Set it, or give it a network that tells the time. Its sales are dated by it."),
    ),
    "snapshot_old": (
        N_("Its prices and balances are old"),
        N_("It may sell at old prices and to blocked cards. Give it a better network."),
    ),
    "power_now": (
        N_("Too little power"),
        N_("Its power supply or cable is too weak: it may switch off at any moment. Take the maker's own."),
    ),
    "power_before": (N_("Had too little power since it was started"), N_("Take a better power supply or cable.")),
    "hot": (N_("Hot: %(value)s °C"), N_("It slows down. Give it air, out of the sun and away from the grill.")),
    "memory_low": (N_("Little memory left: %(value)s MB"), N_("Close other programs on it, or restart it.")),
    "other_version": (N_("Another version than this server"), N_("Update it at a quiet moment.")),
}

# The same of a box that only is a site hub: it has no reader, no prices and no sales. What is not here is as above.
HUB_TROUBLES: Mapping[Kind, tuple[str, str]] = {
    "silent": (
        N_("Silent"),
        N_(
            "Switched off, or without network. If it is off, the terminals of its site do not hear of each other's "
            "sales through it: without network, each then decides alone, within its own limits."
        ),
    ),
    "read_only": (
        N_("Its memory card takes no more writing"),
        N_("It goes on while it runs, and may not come back after a power cut. Replace the card and pair it again."),
    ),
    "disk_full": (
        N_("Its memory card is full: %(value)s MB left"),
        N_("It learns no more of new or revoked terminals. Make room on it, or replace the card and pair it again."),
    ),
    "disk_low": (N_("Little room on its memory card: %(value)s MB"), N_("Make room on it.")),
    "disk_errors": (
        N_("Its memory card has made errors: %(value)s"),
        N_("Replace it and pair the box again. No sale is kept on it."),
    ),
    "worn": (N_("Its memory card is worn: %(value)s %%"), N_("Replace it and pair the box again.")),
    "clock": (
        N_("Its clock is wrong by %(value)s min"),
        N_("Set it, or give it a network that tells the time: the server answers nobody whose clock is far off."),
    ),
    "snapshot_old": (
        N_("What it knows of the terminals is old"),
        N_("It may turn away terminals paired since then, and still trust one that was revoked. Give it a network."),
    ),
}

# How pressing each is, as (tone, icon).
LEVELS: Mapping[Level, tuple[str, str]] = {
    Level.NOW: ("bad", "warn"),
    Level.SOON: ("warn", "warn"),
    Level.NOTE: ("calm", "info"),
}

POWERS: Mapping[str, str] = {
    "ok": N_("Enough"),
    "low_now": N_("Too little"),
    "low_before": N_("Was too little"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble in words."""

    kind: Kind
    level: Level
    title: str
    advice: str


def in_words(trouble: Trouble, of: DeviceKind, texts: Texts) -> Told:
    title, advice = (of == "hub" and HUB_TROUBLES.get(trouble.kind)) or TROUBLES[trouble.kind]
    return Told(trouble.kind, trouble.level, texts.gettext(title, value=trouble.value), texts.gettext(advice))


def duration(seconds: int, texts: Texts) -> str:
    """About how long, in the largest unit that fits: "3 min", "5 h", "2 days"."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return format_unit(seconds // size, f"duration-{unit}", length="short", locale=texts.language)
    return format_unit(seconds, "duration-second", length="short", locale=texts.language)


def facts(it: TerminalStatus, of: DeviceKind, texts: Texts) -> list[tuple[str, str]]:
    """(name, value) of what a terminal told; what its machine does not tell is left out, and what a hub has none of."""
    _ = texts.gettext
    age, sells = _age(it.snapshot_age_s, texts), of == "till"
    found: list[tuple[str, str | None]] = [
        (_("Machine"), it.model or None),
        (_("Running for"), duration(it.running_s, texts)),
        (_("Oldest sale not sent"), _age(it.oldest_waiting_s, texts)),
        (_("Card reader"), _reader(it, texts)),
        (_("Shares at its site with"), _site(it, texts)),
        (_("Age of prices and balances") if sells else _("Age of what it knows of the terminals"), age),
        (_("Journal"), _("%(size)s MB", size=_megabytes(it.journal_bytes)) if sells else None),
        (_("Room on the memory card"), _of(it.disk_free_mb, it.disk_total_mb, texts)),
        (_("Memory card's errors"), _number(it.disk_errors)),
        (_("Memory card's wear"), None if it.card_wear_percent is None else f"{it.card_wear_percent} %"),
        (_("Free memory"), _of(it.memory_free_mb, it.memory_total_mb, texts)),
        (_("Memory of the till program"), None if it.agent_mb is None else _("%(size)s MB", size=it.agent_mb)),
        (_("Temperature"), None if it.temperature_c is None else f"{it.temperature_c} °C"),
        (_("Power"), None if it.power is None else texts.gettext(POWERS[it.power])),
    ]
    return [(name, value) for name, value in found if value is not None]


def _reader(it: TerminalStatus, texts: Texts) -> str | None:
    if it.reader == "none":
        return None
    _ = texts.gettext
    return _("Answers") if it.reader == "ok" else it.reader_reason or _("Does not answer")


def _site(it: TerminalStatus, texts: Texts) -> str | None:
    if it.site is None:
        return None
    return texts.ngettext("%(num)s terminal", "%(num)s terminals", it.site)


def _age(seconds: int | None, texts: Texts) -> str | None:
    return None if seconds is None else duration(seconds, texts)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _of(free: int | None, total: int | None, texts: Texts) -> str | None:
    if free is None:
        return None
    if total is None:
        return texts.gettext("%(size)s MB", size=free)
    return texts.gettext("%(free)s of %(total)s MB", free=free, total=total)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f}" if size >= 10_000_000 else f"{size / 1e6:.1f}"
