"""What the tests of the books share: sales with rates, money loaded online, months closed at once."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.accounting.books import closing, keeping, store
from app.accounting.books.fec import fec
from app.accounting.books.keeping import Books
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import currency_book, reserve_book
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.sales.closings.store import Sealed
from app.wire import Rest, Sale, SaleLine, Tender
from tests.support.network import CARDS, Network

SIREN = "732829320"
PRODUCT = uuid7()


def line(name: str, price: int, vat: int | None = None, quantity: int = 1, **more: Any) -> SaleLine:
    return SaleLine(product=PRODUCT, name=name, quantity=quantity, unit_price=price, currency="RAF", vat=vat, **more)


def sale(*lines: SaleLine, card: str = "", cash: int = 0) -> Sale:
    owed = sum(it.quantity * it.unit_price for it in lines)
    tenders = (Tender(currency="RAF", amount=owed - cash),) if owed - cash else ()
    rest = (Rest(means="cash", covers="RAF", amount=cash),) if cash else ()
    return Sale(id=uuid7(), card=CARDS.get(card, ""), lines=lines, tenders=tenders, rest=rest, occurred_at_us=now_us())


async def online(network: Network, card: str, amount: int) -> None:
    """As a payment provider's notice books it."""
    book, reserve = currency_book("network", "RAF"), reserve_book("network")
    keys = [
        AccountKey(reserve, "clearing", "sandbox"),
        AccountKey(reserve, "liability", "RAF"),
        AccountKey(book, "issuance"),
        AccountKey(book, "wallet", network.cards[card].owner),
    ]
    clearing, liability, issuance, wallet = await network.ledger.accounts(keys, {"RAF": 1})
    await network.ledger.post_one(
        Operation(
            id=uuid7(),
            kind="topup.online",
            fingerprint=bytes(32),
            postings=(Posting(clearing, liability, amount), Posting(issuance, wallet, amount)),
            actor="test",
            occurred_at_us=now_us(),
            business_day=network.venues["raffinerie"].day_of(now_us()),
        )
    )


def next_month(network: Network) -> date:
    today = network.venues["raffinerie"].day_of(now_us())
    return date.fromordinal(closing.end_of(today.replace(day=1)).toordinal() + 1)


async def books_of(network: Network, slug: str, year_starts: int = 1) -> Books:
    async with network.engine.begin() as connection:
        books = await keeping.books_named(connection, slug)
        await keeping.keep(
            connection,
            books,
            legal_name=books.legal_name,
            siren=SIREN,
            regime="association",
            year_starts=year_starts,
            changed={},
        )
        return await keeping.books_named(connection, slug)


async def close(network: Network, books: Books, today: date | None = None) -> Sealed:
    made = await closing.close_month(network.ledger, network.context.keys.signing, books, today or next_month(network))
    assert made is not None
    return made


async def file_of(network: Network, books: Books, *months: Sealed) -> bytes:
    return b"".join([part async for part in fec(store.apart(network.engine), books, months)])
