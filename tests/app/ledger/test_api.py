"""The ledger over HTTP: an evening at two venues, read by the network and by one of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.ledger import csv_rows
from app.money import Unit
from tests.support.network import CARDS, Network, Terminal, problem

pytestmark = pytest.mark.anyio

NETWORK, MARIE = "nadia", "marie"  # Marie manages La Raffinerie


@dataclass
class Evening:
    network: Network
    bar: Terminal
    cafe: Terminal
    sales: list[UUID]

    async def get(self, path: str, login: str = NETWORK) -> Any:
        answer = await self.network.get(login, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def account(self, kind: str, owner: str, currency: str = "RAF") -> dict[str, Any]:
        found = await self.get(f"/accounts?kind={kind}&owner={owner}&currency={currency}")
        assert len(found["accounts"]) == 1
        account: dict[str, Any] = found["accounts"][0]
        return account

    async def claim(self, slug: str = "raffinerie") -> dict[str, Any]:
        return await self.account("claim", self.network.venues[slug].owner)

    async def csv(self, path: str, login: str = NETWORK) -> list[dict[str, str]]:
        client = await self.network.person(login)
        answer = await client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
        assert not answer.content.startswith(b"\xef\xbb\xbf")
        lines = answer.content.split(b"\r\n")
        assert lines[-1] == b""
        assert b"\n" not in b"".join(lines)
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.fixture
async def evening(network: Network) -> Evening:
    await network.top_up("awa", 2000)
    await network.shift("basile", 120)
    bar, cafe = await network.terminal("raffinerie"), await network.terminal("canal")
    sales = []
    for terminal, card, items, pay in (
        (bar, "awa", {"Demi": 2}, "RAF"),
        (cafe, "awa", {"Café": 1}, "RAF"),
        (bar, "awa", {"Eau": 1}, "RAF"),
        (bar, "basile", {"Demi": 1}, "TEMPS"),
    ):
        sale = terminal.sale(card, items, pay)
        assert (await terminal.sell(sale)).status_code in {200, 201}
        sales.append(sale.id)
    return Evening(network, bar, cafe, sales)


async def test_a_statement_shows_each_line_with_the_balance_after_it(evening: Evening) -> None:
    claim = await evening.claim()
    shown = await evening.get(f"/accounts/{claim['id']}/statement")
    assert [(it["kind"], it["change"], it["after"]) for it in shown["lines"]] == [
        ("sale", 700, 700),
        ("sale", 100, 800),
    ]
    assert (shown["opening"], shown["closing"], shown["account"]["balance"]) == (0, 800, 800)
    assert {it["other_owner"] for it in shown["lines"]} == {evening.network.cards["awa"].owner}
    assert [UUID(it["operation"]) for it in shown["lines"]] == [evening.sales[0], evening.sales[2]]
    assert shown["next"] is None
    first = await evening.get(f"/accounts/{claim['id']}/statement?order=newest&limit=1")
    rest = await evening.get(f"/accounts/{claim['id']}/statement?order=newest&limit=1&cursor={first['next']}")
    assert [it["change"] for it in first["lines"] + rest["lines"]] == [100, 700]


async def test_a_statement_is_narrowed_by_period_terminal_and_amount(evening: Evening) -> None:
    claim = await evening.claim()
    path = f"/accounts/{claim['id']}/statement"
    second = (await evening.get(path))["lines"][1]
    later = await evening.get(f"{path}?from_us={second['booked_at_us']}")
    assert (later["opening"], later["closing"], [it["change"] for it in later["lines"]]) == (700, 800, [100])
    before = await evening.get(f"{path}?until_us={second['booked_at_us']}")
    assert (before["opening"], before["closing"], [it["change"] for it in before["lines"]]) == (0, 700, [700])
    assert before["closed_seq"] < later["closed_seq"]
    assert [it["change"] for it in (await evening.get(f"{path}?amount_min=101"))["lines"]] == [700]
    assert (await evening.get(f"{path}?terminal={evening.cafe.id}"))["lines"] == []
    assert (await evening.get(f"{path}?kind=sale&kind=topup&venue={evening.network.venues['canal'].id}"))["lines"] == []


async def test_a_balance_is_told_for_any_instant(evening: Evening) -> None:
    claim = await evening.claim()
    (first, second) = (await evening.get(f"/accounts/{claim['id']}/statement"))["lines"]
    at = [0, first["booked_at_us"], second["booked_at_us"] - 1, second["booked_at_us"]]
    found = [(await evening.get(f"/accounts/{claim['id']}?at_us={it}"))["balance_at"] for it in at]
    assert found == [0, 700, 700, 800]
    assert (await evening.get(f"/accounts/{claim['id']}"))["balance_at"] == 800


async def test_the_trial_balance_is_even_in_every_book_at_every_instant(evening: Evening) -> None:
    operations = (await evening.get("/operations"))["operations"]
    for at_us in ["", *[f"?at_us={it['booked_at_us']}" for it in operations], "?at_us=0"]:
        shown = await evening.get(f"/trial-balance{at_us}")
        assert {it["book"] for it in shown["books"]} == {"currency", "reserve"}
        for book in shown["books"]:
            assert book["debit"] == book["credit"] == sum(it["debit"] for it in book["accounts"])
            assert (book["debit"] > 0) == (at_us != "?at_us=0" and book["debit"] > 0)
    raf = next(it for it in (await evening.get("/trial-balance"))["books"] if it["currency"] == "RAF")
    assert raf["debit"] == 2000
    first = await evening.get(f"/trial-balance?at_us={operations[-1]['booked_at_us']}")
    assert first["seq"] == 1


async def test_an_operation_is_shown_with_its_transfers_its_items_and_its_reversals(evening: Evening) -> None:
    shown = await evening.get(f"/operations/{evening.sales[0]}")
    assert shown["kind"] == "sale"
    assert shown["details"]["lines"][0]["name"] == "Demi"
    (transfer,) = shown["transfers"]
    assert (transfer["currency"], transfer["amount"]) == ("RAF", 700)
    assert (transfer["debit"]["kind"], transfer["debit"]["after"]) == ("wallet", 1300)
    assert (transfer["credit"]["kind"], transfer["credit"]["owner"]) == (
        "claim",
        evening.network.venues["raffinerie"].owner,
    )
    assert shown["reversed_by"] == []
    venue = evening.network.venues["raffinerie"].id
    path = f"/venues/{venue}/sales/{evening.sales[0]}/void"
    voided = await evening.network.post(MARIE, path, {"reason": "Erreur"})
    assert voided.status_code in {200, 201}, voided.text
    (reversal,) = (await evening.get(f"/operations/{evening.sales[0]}"))["reversed_by"]
    back = await evening.get(f"/operations/{reversal}")
    assert back["reverses"] == str(evening.sales[0])
    assert back["transfers"][0]["reverses"] == transfer["id"]


async def test_operations_are_listed_newest_first_by_cursor(evening: Evening) -> None:
    seen, cursor = [], ""
    while True:
        page = await evening.get(f"/operations?limit=2{cursor}")
        seen += page["operations"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [it["seq"] for it in seen] == [6, 5, 4, 3, 2, 1]
    assert [UUID(it["id"]) for it in seen[:4]] == evening.sales[::-1]
    canal = evening.network.venues["canal"]
    only = await evening.get(f"/operations?venue={canal.id}&business_day={seen[2]['business_day']}")
    assert [UUID(it["id"]) for it in only["operations"]] == [evening.sales[1]]
    assert len((await evening.get("/operations?kind=sale&order=oldest"))["operations"]) == 4


async def test_a_venues_admin_sees_its_own_accounts_and_operations_and_no_others(evening: Evening) -> None:
    mine, theirs = await evening.claim(), await evening.claim("canal")
    own = (await evening.get("/accounts", MARIE))["accounts"]
    assert {it["owner"] for it in own} == {evening.network.venues["raffinerie"].owner}
    assert (await evening.get(f"/accounts?owner={theirs['owner']}", MARIE))["accounts"] == []
    assert (await evening.get(f"/accounts/{mine['id']}/statement", MARIE))["closing"] == 800
    for path in ("", "/statement", "/statement.csv"):
        answer = await evening.network.get(MARIE, f"/accounts/{theirs['id']}{path}")
        assert problem(answer) == (404, "not-found")
    listed = (await evening.get("/operations", MARIE))["operations"]
    raffinerie = str(evening.network.venues["raffinerie"].id)
    assert len(listed) == 5
    assert {it["venue"] for it in listed} == {raffinerie}
    assert {row["venue"] for row in await evening.csv("/operations.csv", MARIE)} == {raffinerie}
    assert problem(await evening.network.get(MARIE, f"/operations/{evening.sales[1]}")) == (404, "not-found")
    assert (await evening.get(f"/operations/{evening.sales[0]}", MARIE))["id"] == str(evening.sales[0])
    for path in ("/trial-balance", "/trial-balance.csv"):
        assert problem(await evening.network.get(MARIE, path)) == (403, "forbidden")
    for path in ("/accounts", "/operations", f"/accounts/{mine['id']}/statement"):
        assert problem(await evening.network.get("lucas", path)) == (403, "forbidden")


async def test_what_is_not_there_is_not_found(evening: Evening) -> None:
    for path in (
        "/accounts/999999",
        "/accounts/-1/statement",
        f"/accounts/{2**80}",
        f"/accounts/{2**80}/statement",
        f"/operations/{uuid4()}",
        "/operations/nonsense",
    ):
        assert problem(await evening.network.get(NETWORK, path)) == (404, "not-found"), path
    for path in (
        "/operations?limit=0",
        "/operations?limit=501",
        "/trial-balance?at_us=-1",
        f"/operations?cursor={2**63}",
    ):
        assert problem(await evening.network.get(NETWORK, path)) == (422, "invalid"), path


async def test_a_statement_as_csv_is_the_same_statement(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "PAGE", 1)  # so that it comes in several pages
    claim = await evening.claim()
    path = f"/accounts/{claim['id']}/statement"
    rows = await evening.csv(f"{path}.csv")
    lines = (await evening.get(path))["lines"]
    assert list(rows[0]) == list(csv_rows.STATEMENT_COLUMNS)
    assert [(row["change"], row["change_text"], row["balance_after_text"]) for row in rows] == [
        ("700", "7.00", "7.00"),
        ("100", "1.00", "8.00"),
    ]
    for row, line in zip(rows, lines, strict=True):
        for column in ("operation", "venue", "terminal", "other_owner", "kind", "actor", "business_day"):
            assert row[column] == line[column]
        assert int(row["booked_at_us"]) == line["booked_at_us"]
        assert row["booked_at"].endswith("Z")
    client = await evening.network.person(NETWORK)
    asked = await client.get(f"/api/v1{path}?amount_min=101&cursor=5", headers={"Accept": "text/csv"})
    assert list(csv.DictReader(io.StringIO(asked.text))) == rows[:1]
    assert asked.headers["content-disposition"] == f'attachment; filename="account-{claim["id"]}.csv"'
    assert asked.headers["vary"].lower().startswith("accept")


async def test_hours_are_written_as_hours_in_csv(evening: Evening) -> None:
    wallet = await evening.account("wallet", evening.network.cards["basile"].owner, "TEMPS")
    rows = await evening.csv(f"/accounts/{wallet['id']}/statement.csv")
    assert [(row["change"], row["change_text"]) for row in rows] == [("120", "2:00"), ("-30", "-0:30")]


async def test_the_trial_balance_as_csv_adds_up(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "PAGE", 2)
    rows = await evening.csv("/trial-balance.csv")
    assert list(rows[0]) == list(csv_rows.TRIAL_COLUMNS)
    shown = await evening.get("/trial-balance")
    assert len(rows) == sum(len(book["accounts"]) for book in shown["books"])
    for book in shown["books"]:
        of = [it for it in rows if (it["book"], it["currency"]) == (book["book"], book["currency"])]
        assert sum(int(it["debit"]) for it in of) == book["debit"] == sum(int(it["credit"]) for it in of)


async def test_operations_as_csv_have_one_row_for_each_transfer(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "PAGE", 2)
    rows = await evening.csv("/operations.csv")
    shown = (await evening.get("/operations?order=oldest"))["operations"]
    assert list(rows[0]) == list(csv_rows.OPERATION_COLUMNS)
    assert [int(row["transfer"]) for row in rows] == [t["id"] for it in shown for t in it["transfers"]]
    assert {row["debit_kind"] for row in rows if row["kind"] == "sale"} == {"wallet"}


def test_the_docs_list_every_column_in_its_place() -> None:
    page = (Path(__file__).parents[3] / "docs" / "following-the-ledger.md").read_text()
    for columns in (csv_rows.STATEMENT_COLUMNS, csv_rows.TRIAL_COLUMNS, csv_rows.OPERATION_COLUMNS):
        assert f"| {', '.join(columns)} |" in page


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed() -> None:
    cells = ["=1+1", "+33", "-cmd", "@sum", "\tx", "\rx", "＝1", 'say "hi", twice', -1250, "-12.50", "-0:30", "a=b", ""]
    (row,) = csv.reader(io.StringIO(csv_rows.csv_text([cells]), newline=""))
    assert row == [
        "'=1+1",
        "'+33",
        "'-cmd",
        "'@sum",
        "'\tx",
        "'\rx",
        "'＝1",
        'say "hi", twice',
        "-1250",
        "-12.50",
        "-0:30",
        "a=b",
        "",
    ]
    assert csv_rows.csv_text([["a,b", 'c"d', None, True]]) == '"a,b","c""d",,true\r\n'


@pytest.mark.parametrize(
    ("minor", "unit", "text"),
    [
        (1250, Unit.CENT, "12.50"),
        (-5, Unit.CENT, "-0.05"),
        (150, Unit.MINUTE, "2:30"),
        (-30, Unit.MINUTE, "-0:30"),
        (7, Unit.POINT, "7"),
    ],
)
def test_amounts_are_written_out_for_people(minor: int, unit: Unit, text: str) -> None:
    assert csv_rows.amount_text(minor, unit) == text


def test_a_time_that_no_calendar_reaches_does_not_break_the_export() -> None:
    assert csv_rows.utc_text(1_767_225_600_000_001) == "2026-01-01T00:00:00.000001Z"
    assert csv_rows.utc_text(2**63 - 1) == ""


async def test_a_cards_number_is_nowhere_in_an_export(evening: Evening) -> None:
    """Exports travel by mail; a card's UID would let somebody copy it."""
    client = await evening.network.person(NETWORK)
    for path in ("/operations.csv", "/trial-balance.csv"):
        text = (await client.get(f"/api/v1{path}")).text
        assert not any(uid in text for uid in CARDS.values())
