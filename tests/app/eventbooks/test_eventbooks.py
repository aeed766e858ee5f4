"""What an event's venue looks after: figures that agree with the ledger, a statement of receipts, its own buyers."""

from __future__ import annotations

import csv
import io
from uuid import UUID, uuid4

import pypdfium2
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.eventbooks.rules import Sold, Tariff, statement
from app.events.tables import event, event_price, ticket, ticket_order, ticket_order_line
from app.identity.tables import audit
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.vat import vat_within
from tests.support.network import Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

HERE = "/admin/box-office"
HOUR_US = 3600 * 1_000_000
FULL, MEMBER, FREE = uuid4(), uuid4(), uuid4()


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
async def concert(network: Network) -> UUID:
    """Three orders: two full and one reduced online, one full at the till, two invitations; one full was refunded."""
    id_, now = uuid7(), now_us()
    async with network.context.engine.begin() as connection:
        row = {"id": id_, "slug": "concert", "venue": network.venues["raffinerie"].id, "title_fr": "Concert"}
        row |= {"title_en": "", "summary_fr": "", "summary_en": "", "capacity": 50, "status": "published"}
        row |= {"doors_at_us": now, "starts_at_us": now + HOUR_US, "ends_at_us": now + 4 * HOUR_US, "sold": 6}
        row |= {"created_at_us": now, "changed_at_us": now}
        await connection.execute(sa.insert(event).values(row))
        for position, (price, name, amount, condition) in enumerate(
            ((FULL, "Plein", 1500, "none"), (MEMBER, "Adhérent", 1055, "member"), (FREE, "Invitation", 0, "none"))
        ):
            row = {"id": price, "event": id_, "name_fr": name, "name_en": "", "currency": "RAF", "amount": amount}
            row |= {"condition": condition, "vat": 550, "channel": "any", "position": position}
            await connection.execute(sa.insert(event_price).values(row))
        serial = 0
        for who, channel, lines in (
            ("awa", "online", ((FULL, 2, 1500, ("valid", "refunded")), (MEMBER, 1, 1055, ("valid",)))),
            ("basile", "till", ((FULL, 1, 1500, ("valid",)),)),
            ("camille", "invitation", ((FREE, 2, 0, ("valid", "valid")),)),
        ):
            order, card = uuid7(), network.cards[who]
            row = {"id": order, "event": id_, "wallet": card.wallet, "card": card.id, "channel": channel}
            row |= {"state": "paid", "hold_until_us": now, "currency": "RAF", "made_at_us": now, "changed_at_us": now}
            row |= {"amount": sum(number * unit for _, number, unit, _ in lines)}
            await connection.execute(sa.insert(ticket_order).values(row))
            for price, number, unit, states in lines:
                line = {"order_id": order, "price": price, "quantity": number, "amount": number * unit}
                await connection.execute(sa.insert(ticket_order_line).values(line))
                for state in states:
                    serial += 1
                    row = {"id": uuid7(), "order_id": order, "event": id_, "price": price, "wallet": card.wallet}
                    row |= {"serial": serial, "state": state, "name": f"=Nom {serial}", "issued_at_us": now}
                    await connection.execute(sa.insert(ticket).values(row))
    return id_


@both
async def test_the_statement_says_what_was_sold_at_each_price(network: Network, concert: UUID) -> None:
    marie = await network.person("marie")
    said = words(await look(marie, f"{HERE}/{concert}"))
    # 15.00 + 15.00 + 10.55 = 40.55 with VAT of 5.5 %: 1.56 on 30.00, and 0.55 on 10.55.
    assert "40,55 €" in said
    assert "hors TVA : 38,44 €" in said
    assert "5 / 50" in said
    assert "Concert" in words(await look(marie, HERE))
    table = (await marie.get(f"{HERE}/{concert}/file/receipts.csv", headers={"Accept-Language": "fr"})).text
    rows = list(csv.reader(io.StringIO(table.lstrip("\ufeff")), delimiter=";"))
    assert rows[1] == ["Plein", "1 – 4", "15,00", "2", "1", "0", "30,00", "5,5 %", "28,44", "1,56"]
    assert rows[3][:7] == ["Invitation", "5 – 6", "0,00", "2", "0", "0", "0,00"]
    pdf = pypdfium2.PdfDocument(
        (await marie.get(f"{HERE}/{concert}/statement.pdf", headers={"Accept-Language": "fr"})).content
    )
    printed = pdf[0].get_textpage().get_text_range().replace("\N{NO-BREAK SPACE}", " ")
    assert "Bordereau de recettes" in printed
    assert "38,44" in printed
    assert (await look(marie, f"{HERE}/{concert}/now")).status_code == 200
    assert (await marie.get(f"{HERE}/{concert}/file/hours.xlsx")).content.startswith(b"PK")


async def test_each_venue_sees_its_own_buyers_only(network: Network, concert: UUID) -> None:
    marie = await network.person("marie")
    answer = await marie.get(f"{HERE}/{concert}/buyers.csv", headers={"Accept-Language": "fr"})
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
    assert len(rows) == 7
    # What a name holds is never run by a spreadsheet.
    assert rows[1][1] == "'=Nom 1"
    assert "Nom" not in words(await look(marie, f"{HERE}/{concert}"))
    for login in ("yann", "nadia", "hugo", "wim", "bea"):
        other = await network.person(login)
        refused = await other.get(f"{HERE}/{concert}/buyers.csv")
        assert refused.status_code == 403, login
        assert "Nom 1" not in refused.text
    yann, nadia = await network.person("yann"), await network.person("nadia")
    assert (await look(yann, f"{HERE}/{concert}")).status_code == 403
    assert "Concert" not in words(await look(yann, HERE))
    assert "buyers.csv" not in (await look(nadia, f"{HERE}/{concert}")).text
    async with network.context.reader.connect() as connection:
        acts = list((await connection.execute(sa.select(audit.c.action))).scalars())
    assert "export.buyers" in acts


TARIFFS = [Tariff(FULL, "Plein", "", "RAF", 550, 1), Tariff(MEMBER, "Heures", "", "TEMPS", 0, None)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FULL, MEMBER]),
            st.sampled_from([0, 1, 999, 1500]),
            st.sampled_from(["valid", "void", "refunded"]),
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_every_ticket_is_on_one_line_and_every_cent_at_one_rate(found: list[tuple[UUID, int, str]]) -> None:
    tickets = [
        Sold(serial, price, "RAF", amount, state, "online", 0)  # type: ignore[arg-type]
        for serial, (price, amount, state) in enumerate(found, 1)
    ]
    it = statement(tickets, TARIFFS)
    assert sum(one.count + one.refunded + one.void for one in it.lines) == len(tickets)
    assert it.tickets == sum(one.state == "valid" for one in tickets)
    assert it.gross == sum(one.amount for one in tickets if one.state == "valid" and one.price == FULL)
    assert it.gross == it.net + it.tax
    assert all(one.first <= one.last for one in it.lines)


@pytest.mark.parametrize(("gross", "vat", "tax"), [(1055, 550, 55), (3000, 550, 156), (1200, 2000, 200), (999, 0, 0)])
def test_tax_is_taken_out_of_the_price(gross: int, vat: int, tax: int) -> None:
    assert vat_within(gross, vat) == tax
