"""What `verify` proves of moneys that are not worth euros."""

from __future__ import annotations

from app.currencies.service import Currency, add
from app.ledger.rules.kinds import AccountKey
from app.ledger.service import currency_book
from app.ledger.verify import verify
from app.money import Unit
from tests.app.ledger.conftest import Books

BAR = Currency("BAR", "network", "mutual", Unit.CENT, "Troc", "Barter", "BAR", None)
HOURS = Currency("TIME", "network", "time", Unit.MINUTE, "Heures", "Hours", "h", None)


async def test_mutual_money_that_was_issued_no_longer_sums_to_zero(books: Books) -> None:
    async with books.engine.begin() as connection:
        await add(connection, BAR)
    book = currency_book("network", "BAR")
    keys = {"issued": AccountKey(book, "issuance"), "member": AccountKey(book, "wallet", "wallet:alice")}
    books.ids |= dict(zip(keys, await books.ledger.accounts(list(keys.values())), strict=True))
    await books.proves()
    await books.post(("issued", "member", 5))
    report = await verify(books.engine)
    assert report.findings == ["BAR is mutual credit and does not sum to 0: some of it was issued"]
    books.spoilt = True


async def test_no_euros_are_held_against_time(books: Books) -> None:
    async with books.engine.begin() as connection:
        await add(connection, HOURS)
    await books.proves()
    await books.ledger.accounts([AccountKey(currency_book("venue:bar", "TIME"), "issuance")], {"TIME": 1})
    assert (await verify(books.engine)).findings == ["TIME is no pegged money, and euros are held against it"]
    books.spoilt = True
