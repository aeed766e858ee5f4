"""The network's settings, with their defaults and where those come from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

from app.money import Unit
from app.rules.offline import Assurance, CardLimits
from app.rules.policy import Fee
from app.rules.proven import Demand

# terminal.md, "Deciding offline": 50/80/10 at level A, 30/40/5 at B and C, in euros. An hour of time money is taken
# as the same kind of risk as ten euros.
_CENTS: dict[Assurance, tuple[int, int, int]] = {"A": (5000, 8000, 10), "B": (3000, 4000, 5), "C": (3000, 4000, 5)}
_MINUTES: dict[Assurance, tuple[int, int, int]] = {"A": (300, 480, 10), "B": (180, 240, 5), "C": (180, 240, 5)}
_POINTS: dict[Assurance, tuple[int, int, int]] = {"A": (50, 80, 10), "B": (30, 40, 5), "C": (30, 40, 5)}
CARD_LIMITS = {Unit.CENT: _CENTS, Unit.MINUTE: _MINUTES, Unit.POINT: _POINTS}
_WHOLE = 100
TERMINAL_LIMITS = {Unit.CENT: 50_000, Unit.MINUTE: 3_000, Unit.POINT: 500}


def N_(msgid: str) -> str:  # noqa: N802 - the name by which texts are gathered
    """Marks a message id: rules know no catalogs."""
    return msgid


DEMAND_TEXTS: Final[dict[Demand, str]] = {
    "any": N_("any card, by its number"),
    "offline": N_("without network only cards that prove themselves"),
    "always": N_("only cards that prove themselves, always"),
}


@dataclass(frozen=True, slots=True)
class FeeTier:
    """What venues of one tier pay the network each year: a share of their ticket turnover within bounds, and once, for
    setting up. Kept as it was decided, for one tier is no multiple of another (2.5 % is not 70 % of 3.5 %)."""

    basis_points: int
    minimum_cents: int
    maximum_cents: int
    set_up_cents: int

    @property
    def yearly(self) -> Fee:
        return Fee(self.basis_points, self.minimum_cents, self.maximum_cents, payer="venue", in_euros=True)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What one network decides for itself. Amounts in minor units, times in seconds.

    `snapshot_old`: what a terminal does that has heard nothing for `snapshot_stop_s`: it stops, or sells within
    `lowered_percent` of its limits. `offline_topups`, `unknown_cards`: whether it takes cash for a card, and sells to a
    card that it does not know, without network. `proven_cards`: whether cards must prove themselves.
    `on_cards`: by currency, the most that all cards together will hold, as the organiser expects it.
    `venue_tiers`: the name of a fee tier by a venue's slug.
    """

    zone: str = "Europe/Paris"  # of what happens at no venue
    # Whom holders write to about what is kept about them: a name, an address, an e-mail address.
    contact: str = ""
    topup_min_cents: int = 500
    topup_max_cents: int = 25_000
    shift_max_minutes_per_day: int = 600
    # VAT that the network's own fees contain: 2000 in mainland France (CGI art. 278), 850 in La Réunion (art. 296).
    fee_vat_basis_points: int = 0
    backed_weight_percent: int = 25
    journal_rows: int = 25_000  # an intent and a sale each: more than 10,000 sales
    snapshot_warn_s: int = 3600
    snapshot_stop_s: int = 12 * 3600
    snapshot_old: Literal["stop", "lower"] = "stop"
    lowered_percent: int = 25
    offline_topups: bool = False
    unknown_cards: bool = False
    # A refund waits for terminals that may have sold to the card: those that were heard of lately, and not just now.
    refund_heard_s: int = 60
    refund_wait_s: int = 24 * 3600
    # Whether a till sells only while a session is open, and whether staff count before they see what should be there.
    session_required: bool = False
    blind_count: bool = True
    # Whether staff may sign in at a terminal by their PIN alone, without their card.
    pin_only: bool = True
    proven_cards: Demand = "any"
    # Whether a card that proves itself at phones shows what is on it only to who holds it there.
    page_by_tap: bool = False
    # Whether a card desk writes only on chips whose maker signed their number.
    genuine_chips: bool = False
    card_limits: dict[str, dict[Assurance, tuple[int, int, int]]] = field(default_factory=dict)
    terminal_limits: dict[str, int] = field(default_factory=dict)
    on_cards: dict[str, int] = field(default_factory=dict)
    fee_tiers: dict[str, FeeTier] = field(default_factory=dict)
    venue_tiers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> NetworkSettings:
        """From the JSON kept in the database; what is not there has its default."""
        kept = json.loads(text)
        kept["card_limits"] = {
            code: {level: tuple(numbers) for level, numbers in levels.items()}
            for code, levels in kept.get("card_limits", {}).items()
        }
        kept["fee_tiers"] = {name: FeeTier(**it) for name, it in kept.get("fee_tiers", {}).items()}
        return cls(**kept)

    def write(self) -> str:
        return json.dumps(asdict(self))

    def limits_of(self, code: str, unit: Unit) -> dict[Assurance, CardLimits]:
        """Offline limits of one currency by assurance level."""
        chosen = self.card_limits.get(code, CARD_LIMITS[unit])
        return {level: CardLimits(*numbers) for level, numbers in chosen.items()}

    def top_up_limits(self, cents_per_unit: int | None) -> tuple[int, int]:
        """The least and the most of a pegged currency at once, in its minor units: the network's limits are in euros,
        and what is not a whole unit is rounded inwards."""
        rate = cents_per_unit or 1
        return -(-self.topup_min_cents // rate), self.topup_max_cents // rate

    def terminal_limit(self, code: str, unit: Unit) -> int:
        return self.terminal_limits.get(code, TERMINAL_LIMITS[unit])


def problems(settings: NetworkSettings) -> Iterator[tuple[str, str]]:
    """(member, what is wrong with it, as a message id) of settings that contradict each other."""
    if settings.topup_min_cents > settings.topup_max_cents:
        yield "topup_min_cents", N_("the smallest top-up is larger than the largest")
    if settings.snapshot_warn_s > settings.snapshot_stop_s:
        yield "snapshot_warn_s", N_("a terminal would stop before it warns")
    if settings.backed_weight_percent > _WHOLE:
        yield "backed_weight_percent", N_("no weight is above 100 per cent")
    if not 1 <= settings.lowered_percent < _WHOLE:
        yield "lowered_percent", N_("lower limits are from 1 to 99 per cent of the usual ones")
    if settings.refund_heard_s > settings.refund_wait_s:
        yield "refund_wait_s", N_("a refund would wait for no terminal: wait longer than a terminal may be silent")
