"""Hypothesis: networks that make sense, as a file or a database may hold them."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from hypothesis import strategies as st

from app.accounting.books.chart import REGIMES, Account
from app.cli.apply.document import (
    BooksEntry,
    CurrencyEntry,
    HoursEntry,
    MembershipEntry,
    NetworkEntry,
    PersonEntry,
    ProductEntry,
    VenueEntry,
)
from app.currencies.policies import defaults
from app.rules.policy import CurrencyKind, Fee, Limits, Policy, Spending
from app.rules.proven import DEMANDS
from app.venues.rules import FeeTier, NetworkSettings

KINDS: dict[str, CurrencyKind] = {
    "RAF": "pegged",
    "CANALOU": "pegged",
    "TEMPS": "time",
    "CADEAU": "gift",
    "PTS": "points",
    "BAR": "mutual",
}
# What a currency is never changes, so that any of these networks can become any other.
PEGS = {"RAF": 1, "CANALOU": 50}
ISSUERS = {"CANALOU": "canal"}
SLUGS = ("raffinerie", "canal", "grange")
cents = st.integers(0, 10**7)
# Everything that a person may type on one line, and what YAML or a shell would take for something else.
word = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=10)
line = st.one_of(
    st.sampled_from(
        ["no", "~", "1.5", "06:00", "- a", "# b", "{c: d}", "'", '"', "a: b", "é’ß", "null", "0x1F", "=", "<<", "a  b"]
    ),
    st.lists(word, min_size=1, max_size=3).map(" ".join),
)


@st.composite
def policies(draw: st.DrawFn, kind: CurrencyKind, slugs: list[str]) -> Policy:
    """The usual one for a kind, with a few members that every kind may have set otherwise."""
    low, high = sorted((draw(st.integers(1, 10**6)), draw(st.integers(1, 10**6))))
    limits = Limits(
        -draw(cents) if kind == "mutual" else 0,
        draw(st.none() | st.just(10**8)),
        draw(st.none() | st.just(low)),
        draw(st.none() | st.just(high)),
    )
    spending = Spending(
        venues=tuple(draw(st.lists(st.sampled_from(slugs), unique=True))) if slugs else (),
        categories=tuple(draw(st.lists(line, unique=True, max_size=2))),
        priority=draw(st.none() | st.integers(1, 99)),
    )
    commission = Fee()
    if kind == "mutual":
        commission = Fee(basis_points=draw(st.integers(0, 10_000)), in_euros=draw(st.booleans()))
    notes = draw(st.dictionaries(st.sampled_from(["fr", "en"]), line))
    return replace(defaults(kind), limits=limits, spending=spending, commission=commission, notes=notes)


@st.composite
def networks(draw: st.DrawFn) -> NetworkEntry:
    slugs = draw(st.lists(st.sampled_from(SLUGS), unique=True))
    possible = [code for code in KINDS if ISSUERS.get(code, "network") in {"network", *slugs}]
    codes = draw(st.lists(st.sampled_from(possible), unique=True))
    currencies = {
        code: CurrencyEntry(
            KINDS[code],
            ISSUERS.get(code, "network"),
            draw(line),
            draw(line),
            draw(st.sampled_from(["€", "h", "pt", "B€", "R"])),
            PEGS.get(code),
            draw(policies(KINDS[code], slugs)),
        )
        for code in codes
    }
    venues = {slug: draw(_venue(codes)) for slug in slugs}
    tiers = draw(
        st.dictionaries(line, st.builds(FeeTier, st.integers(0, 10_000), cents, st.just(10**8), cents), max_size=3)
    )
    settings = NetworkSettings(
        zone=draw(st.sampled_from(["Europe/Paris", "Indian/Reunion"])),
        topup_min_cents=draw(st.integers(1, 500)),
        shift_max_minutes_per_day=draw(st.integers(0, 10**5)),
        backed_weight_percent=draw(st.integers(0, 100)),
        journal_rows=draw(st.integers(1, 10**6)),
        snapshot_warn_s=draw(st.integers(0, 43_200)),
        snapshot_old=draw(st.sampled_from(["stop", "lower"])),
        lowered_percent=draw(st.integers(1, 99)),
        offline_topups=draw(st.booleans()),
        unknown_cards=draw(st.booleans()),
        refund_heard_s=draw(st.integers(0, 600)),
        refund_wait_s=draw(st.integers(600, 999_999)),
        session_required=draw(st.booleans()),
        blind_count=draw(st.booleans()),
        pin_only=draw(st.booleans()),
        proven_cards=draw(st.sampled_from(DEMANDS)),
        page_by_tap=draw(st.booleans()),
        genuine_chips=draw(st.booleans()),
        fee_vat_basis_points=draw(st.sampled_from([0, 850, 2000])),
        card_limits={code: {level: (draw(cents), draw(cents), 3) for level in ("A", "B", "C")} for code in codes[:1]},
        terminal_limits={code: draw(cents) for code in codes[1:2]},
        on_cards={code: draw(cents) for code in codes[:2]},
        fee_tiers=tiers,
        venue_tiers={slug: draw(st.sampled_from(sorted(tiers))) for slug in slugs[:2] if tiers},
    )
    memberships = draw(
        st.dictionaries(
            st.sampled_from(["barter", "friend"]),
            st.builds(MembershipEntry, line, line, st.integers(100, 10**6), st.integers(0, 100), st.integers(1, 3660)),
        )
    )
    here = [(role, slug) for slug in slugs for role in ("cashier", "venue_admin")]
    roles = st.frozensets(st.sampled_from([("network_admin", None), *here]))
    people = draw(st.none() | st.dictionaries(st.sampled_from(["nadia", "lucas"]), st.builds(PersonEntry, line, roles)))
    accounts = st.dictionaries(
        st.sampled_from(["own.bank", "issuer.wallet"]), st.builds(Account, st.just("512900"), line), max_size=2
    )
    kept = st.builds(
        BooksEntry,
        line,
        st.sampled_from(["", "732829320"]),
        st.sampled_from(REGIMES),
        st.integers(1, 12),
        accounts,
    )
    books = draw(st.dictionaries(st.sampled_from(["network", *slugs]), kept, max_size=2))
    return NetworkEntry(draw(line), settings, currencies, venues, memberships, people, books)


@st.composite
def _venue(draw: st.DrawFn, codes: list[str]) -> VenueEntry:
    accepts = draw(st.frozensets(st.sampled_from(codes))) if codes else frozenset()
    prices = st.dictionaries(st.sampled_from(sorted(accepts)), st.integers(0, 10**9)) if accepts else st.just({})
    colour = st.sampled_from(["#000000", "#ffffff", "#0123ef"])
    nature = st.sampled_from([("goods", False), ("goods", True), ("deposit", False), ("return", False)])
    vat = st.sampled_from([None, 0, 550, 2000])
    one = st.builds(
        lambda *parts: ProductEntry(*parts[:4], *parts[4], parts[5]), line, line, colour, prices, nature, vat
    )
    products = draw(st.dictionaries(line, one, max_size=3))
    clock = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
    days = st.frozensets(st.integers(0, 6), min_size=1)
    hours: dict[str, HoursEntry] = {}
    if products and accepts:
        some = st.dictionaries(st.sampled_from(sorted(accepts)), st.integers(0, 10**9), min_size=1)
        by_product = st.dictionaries(st.sampled_from(sorted(products)), some, min_size=1)
        hours = draw(st.dictionaries(line, st.builds(HoursEntry, days, clock, clock, by_product), max_size=2))
    return VenueEntry(
        draw(line),
        draw(st.sampled_from(["Europe/Paris", "Indian/Reunion"])),
        time(draw(st.integers(0, 23)), draw(st.integers(0, 59))),
        accepts,
        products,
        draw(st.sampled_from([("cash", "bank_card"), ("cash",), ("cash", "bank_card", "cheque", "meal_voucher"), ()])),
        draw(st.none() | line),
        draw(st.none() | st.sampled_from(DEMANDS)),
        hours,
    )
