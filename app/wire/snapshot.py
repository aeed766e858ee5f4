"""What a terminal must know to sell without network. No names of holders, no other personal data.

It travels as the exact bytes that the server signed (header `Comptoir-Signature`: base64 of Ed25519 over the body).
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.money import Unit
from app.rules.drawer import Closed, Period
from app.rules.lines import ProductKind
from app.rules.offline import Assurance, CardLimits, OfflineLimits
from app.rules.policy import CurrencyKind, Policy
from app.rules.prices import Article, Window
from app.wire.base import CardUid, InstantUs, Message
from app.wire.pairing import DeviceKind
from app.wire.sale import Means

SIGNATURE_HEADER = "Comptoir-Signature"


class SnapshotCurrency(Message):
    """`cents`: euro cents per minor unit: the rate of pegged money, 1 for gift money (priced like euros at par), None
    for what has no price in euros. `policy` is the version that `policy_label` names: the one that holds now.
    """

    code: str
    names: dict[str, str]
    symbol: str
    unit: Unit
    kind: CurrencyKind
    cents: int | None
    issuer: str
    position: int
    policy: Policy
    policy_label: str


class SnapshotWindow(Message):
    """Other prices in some hours on the venue's wall clock (app.rules.prices.Window). `weekdays`: 0 is Monday."""

    weekdays: tuple[int, ...]
    begins: time
    ends: time
    prices: dict[str, int]


class SnapshotProduct(Message):
    """`prices`: minor units by currency. `kind`, `open_price` and `windows`: app.rules.prices.Article. `vat`: the rate
    that they hold, in basis points.
    """

    id: UUID
    names: dict[str, str]
    category: str
    colour: str
    prices: dict[str, int]
    kind: ProductKind = "goods"
    open_price: bool = False
    sold_out: bool = False
    windows: tuple[SnapshotWindow, ...] = ()
    vat: Annotated[int | None, Field(exclude_if=lambda rate: rate is None)] = None

    def article(self) -> Article:
        windows = tuple(Window(frozenset(it.weekdays), it.begins, it.ends, it.prices) for it in self.windows)
        return Article(self.kind, self.prices, self.open_price, windows)


class SnapshotPlan(Message):
    """A membership that cards may have: `key` is what they name it by. `of`: the venue or the network it belongs to."""

    key: str
    names: dict[str, str]
    of: str


class SnapshotCard(Message):
    """`balances`: minor units by currency; what is left out is 0. `memberships`: (a plan's key, the last day), also of
    those that ended not long ago; told to terminals that ask for them, since older ones refuse what they do not know.
    `asks`: it pays only so much a day, so nothing without network.
    """

    uid: str
    status: Literal["active", "blocked"]
    assurance: Assurance
    balances: dict[str, int]
    memberships: Annotated[tuple[tuple[str, date], ...], Field(exclude_if=lambda them: not them)] = ()
    asks: Annotated[bool, Field(exclude_if=lambda asks: not asks)] = False


class SnapshotStaff(Message):
    """Who may sign in at the terminal: `pin` is an Argon2id hash, `card` the chip's number of their staff card."""

    id: UUID
    pin: str
    rights: tuple[str, ...]
    card: Annotated[CardUid | None, Field(exclude_if=lambda uid: uid is None)] = None


class SnapshotLimits(Message):
    """OfflineLimits as data: `cards` by currency, then assurance level, as (per sale, per card, consecutive).

    `top_ups`: the least and the most of a currency that may be put on a card for cash without network, in minor units;
    what is left out is not.
    """

    cards: dict[str, dict[Assurance, tuple[int, int, int]]]
    per_terminal: dict[str, int]
    backed_weight_percent: int
    journal_rows: int
    snapshot_warn_s: int
    snapshot_stop_s: int
    lowered_percent: int | None = None
    unknown_cards: bool = False
    top_ups: dict[str, tuple[int, int]] = Field(default_factory=dict)

    def rules(self) -> OfflineLimits:
        return OfflineLimits(
            cards={code: {k: CardLimits(*v) for k, v in levels.items()} for code, levels in self.cards.items()},
            per_terminal=self.per_terminal,
            backed_weight_percent=self.backed_weight_percent,
            journal_rows=self.journal_rows,
            snapshot_warn_s=self.snapshot_warn_s,
            snapshot_stop_s=self.snapshot_stop_s,
            lowered_percent=self.lowered_percent,
            unknown_cards=self.unknown_cards,
            top_ups=self.top_ups,
        )


class SnapshotReceipts(Message):
    """Where receipts are found: `address` with a token behind it, which `key` (base64) makes (app.rules.receipts)."""

    address: str
    key: str


class SnapshotTill(Message):
    """How the till is run here, and where its closings go on from, also on a new card or device.

    `pin_only`: staff may sign in without their card.
    `open_before`: what rows of older epochs took since the last closing; this epoch's the terminal has itself.
    """

    session_required: bool = False
    blind_count: bool = True
    pin_only: bool = True
    closed: Closed = Field(default_factory=Closed)
    closed_at_us: InstantUs | None = None
    open_before: Period | None = None


class SnapshotPeer(Message):
    """Another terminal of the network that may sell, or a box that is only a site hub. `key`: base64 of its Ed25519
    public key, by which another terminal knows rows that it signed.
    """

    device: UUID
    epoch: int
    key: str
    kind: DeviceKind = "till"


class SnapshotApplied(Message):
    """How far the balances contain another terminal's journal: in `epoch` every row up to the sequence `through`, and
    the events named in `beyond`.
    """

    device: UUID
    epoch: int
    through: int
    beyond: tuple[UUID, ...]


class TerminalSnapshot(Message):
    """All of it is read from one database snapshot. `means`: what the venue is paid in beside cards, in order.

    `applied_through` (with `applied_epoch`) and `applied_beyond` say which of this device's own journal rows the
    balances already contain: every row up to the sequence, and the events named beyond it (booked online, their rows
    still under way). The terminal subtracts all its other rows, so that nothing counts twice or not at all.
    `applied_others` says the same of each of the `peers` and of those that were one, for a terminal that learns of
    their rows from themselves.
    `content` names all of it but the time (app.wire.delta).
    """

    version: Literal[1] = 1
    at_us: InstantUs
    device: UUID
    network: str
    venue: UUID
    venue_slug: str
    venue_name: str
    zone: str
    accepted: tuple[str, ...]
    means: tuple[Means, ...] = ("cash", "bank_card")
    currencies: tuple[SnapshotCurrency, ...]
    products: tuple[SnapshotProduct, ...]
    cards: tuple[SnapshotCard, ...]
    staff: tuple[SnapshotStaff, ...]
    limits: SnapshotLimits
    applied_epoch: int
    applied_through: int
    applied_beyond: tuple[UUID, ...]
    receipts: SnapshotReceipts | None = None
    till: SnapshotTill = Field(default_factory=SnapshotTill)
    peers: tuple[SnapshotPeer, ...] = ()
    applied_others: tuple[SnapshotApplied, ...] = ()
    plans: Annotated[tuple[SnapshotPlan, ...], Field(exclude_if=lambda them: not them)] = ()
    content: str = ""
