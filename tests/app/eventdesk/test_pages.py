"""A venue makes its events on its pages: nothing typed is lost, and only its own people do."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.cli.demo.forms import forms
from app.eventdesk.dates import local
from app.events import orders, service
from app.events.paying import pay
from app.events.rules import Event
from app.rules.ids import uuid7
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

ZONE = "Indian/Reunion"


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


def in_days(days: int, hour: int) -> str:
    """As a datetime-local input sends it, at the venue."""
    day = datetime.now(ZoneInfo(ZONE)).date() + timedelta(days)
    return f"{day.isoformat()}T{hour:02d}:00"


def ball(**other: str) -> dict[str, str]:
    return {
        "title_fr": "Bal folk",
        "title_en": "Folk ball",
        "starts": in_days(10, 20),
        "ends": in_days(10, 23),
        "doors": in_days(10, 19),
        "capacity": "80",
        "summary_fr": "On danse.",
        "refund_until": in_days(9, 12),
        "refund_fee": "7,5",
        **other,
    }


async def made(network: Network, **other: str) -> UUID:
    marie = await network.person("marie")
    form = form_to(await look(marie, "/admin/events/new"), "/admin/events/new")
    return UUID(led_to(await send(marie, form, **ball(**other))).rpartition("/")[2])


async def priced(network: Network, event: UUID, **typed: str) -> httpx.Response:
    marie = await network.person("marie")
    page = await look(marie, f"/admin/events/{event}/prices/new")
    (form,) = [it for it in _forms(page) if "/prices/" in it.action]
    told = {"name_fr": "Plein tarif", "currency": "RAF", "amount": "12,50", "vat": "5,5", "act": "save", **typed}
    return await send(marie, form, **told)


def _forms(page: httpx.Response) -> list[Any]:
    return list(forms(page.text))


async def read(network: Network, event: UUID) -> Event:
    async with network.engine.connect() as connection:
        return await service.event_named(connection, event)


@both
async def test_an_event_is_made_priced_published_and_cancelled(network: Network) -> None:
    marie = await network.person("marie")
    id_ = await made(network)
    it = await read(network, id_)
    assert (it.title_fr, it.capacity, it.status, it.venue) == ("Bal folk", 80, "draft", network.venues["raffinerie"].id)
    assert it.refund_until_us is not None
    assert (local(it.refund_until_us, ZONE).hour, it.refund_fee) == (12, 750)
    assert [local(at, ZONE).hour for at in (it.doors_at_us, it.starts_at_us, it.ends_at_us)] == [19, 20, 23]
    assert led_to(await priced(network, id_, quota="30", least="", condition="member")).startswith(
        f"/admin/events/{id_}"
    )
    (price,) = (await read(network, id_)).prices
    assert (price.amount, price.vat, price.quota, price.condition) == (1250, 550, 30, "member")
    page = await look(marie, f"/admin/events/{id_}")
    assert "12,50 €" in words(page)
    led_to(await send(marie, form_to(page, f"/admin/events/{id_}/publish")))
    assert (await read(network, id_)).status == "published"
    listed = words(await look(marie, "/admin/events"))
    assert "Bal folk" in listed
    led_to(await send(marie, form_to(await look(marie, f"/admin/events/{id_}/cancel"), f"/admin/events/{id_}/cancel")))
    assert (await read(network, id_)).status == "cancelled"
    assert "Annulé" in words(await look(marie, f"/admin/events/{id_}"))


async def test_the_same_form_sent_twice_makes_one(network: Network) -> None:
    marie = await network.person("marie")
    form = form_to(await look(marie, "/admin/events/new"), "/admin/events/new")
    assert led_to(await send(marie, form, **ball())) == led_to(await send(marie, form, **ball()))
    async with network.engine.connect() as connection:
        assert len(await service.events(connection)) == 1


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"title_fr": " "}, "Écrivez un titre."),
        ({"starts": ""}, "Écrivez un jour et une heure."),
        ({"ends": in_days(10, 20)}, "L’événement finit après avoir commencé."),
        ({"doors": in_days(10, 21)}, "Les portes ouvrent avant le début."),
        ({"capacity": "beaucoup"}, "Écrivez un nombre entier"),
        ({"refund_fee": "beaucoup"}, "Écrivez un taux"),
        ({"capacity": ""}, "Écrivez combien il y a de places."),
    ],
)
async def test_a_wrong_form_says_so_and_loses_nothing(network: Network, typed: dict[str, str], told: str) -> None:
    marie = await network.person("marie")
    form = form_to(await look(marie, "/admin/events/new"), "/admin/events/new")
    answer = await send(marie, form, **ball(**typed))
    assert answer.status_code == 422
    assert told in words(answer)
    assert form_to(answer, "/admin/events/new").fields["title_en"] == "Folk ball"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"amount": "douze"}, "Écrivez un montant"),
        ({"amount": ""}, "Écrivez ce que cela coûte"),
        ({"name_fr": ""}, "Écrivez un nom."),
        ({"vat": "120"}, "100"),
        ({"sale_from": in_days(3, 10), "sale_until": in_days(2, 10)}, "Une vente commence avant de finir."),
    ],
)
async def test_a_wrong_price_says_so(network: Network, typed: dict[str, str], told: str) -> None:
    answer = await priced(network, await made(network), **typed)
    assert answer.status_code == 422
    assert told in words(answer)


async def test_what_was_ordered_stays(network: Network) -> None:
    marie, id_ = await network.person("marie"), await made(network)
    led_to(await priced(network, id_, amount="0"))
    (price,) = (await read(network, id_)).prices
    async with network.engine.begin() as connection:
        await service.publish(connection, "test", id_)
    ask = orders.Ask(uuid7(), id_, network.cards["awa"], {price.id: 2})
    await pay(network.ledger, await orders.hold(network.engine, ask))
    form = form_to(await look(marie, f"/admin/events/{id_}/edit"), f"/admin/events/{id_}/edit")
    answer = await send(marie, form, capacity="1")
    assert answer.status_code == 422
    assert "2 places sont déjà prises" in words(answer)
    here = f"/admin/events/{id_}/prices/{price.id}"
    answer = await send(marie, form_to(await look(marie, here), here), act="remove")
    assert answer.status_code == 422
    assert "Des places ont été commandées à ce tarif" in words(answer)


@both
async def test_dates_again_and_again_are_changed_and_published_together(network: Network) -> None:
    marie, id_ = await network.person("marie"), await made(network)
    led_to(await priced(network, id_))
    here = f"/admin/events/{id_}"
    first = local((await read(network, id_)).starts_at_us, ZONE).date()
    until = (first + timedelta(weeks=3)).isoformat()
    days = await look(marie, f"{here}/repeat?every=week&until={until}")
    form = [it for it in _forms(days) if it.action == f"{here}/repeat"][-1]
    headers = {"Accept-Language": "fr", "Origin": str(marie.base_url)}
    chosen = [(first + timedelta(weeks=n)).isoformat() for n in (1, 2, 3)]
    body = {**{name: value for name, value in form.fields.items() if name != "day"}, "day": chosen}
    for _ in range(2):
        assert (await marie.post(f"{here}/repeat", data=body, headers=headers)).status_code == 303
    async with network.engine.connect() as connection:
        found = list((await service.events(connection)).values())
    assert [local(it.starts_at_us, ZONE).date() for it in found] == [first, *map(date.fromisoformat, chosen)]
    assert {(it.status, it.prices[0].amount, it.series) for it in found} == {("draft", 1250, found[0].series)}
    assert len({it.slug for it in found}) == 4
    edit = form_to(await look(marie, f"/admin/events/{found[1].id}/edit"), f"/admin/events/{found[1].id}/edit")
    later = {"starts": edit.fields["starts"].replace("T20", "T21"), "title_fr": "Grand bal", "all": "yes"}
    led_to(await send(marie, edit, **later))
    async with network.engine.connect() as connection:
        now = list((await service.events(connection)).values())
    before = {local(it.starts_at_us, ZONE).date() - local(it.refund_until_us or 0, ZONE).date() for it in now}
    assert before == {timedelta(1)}
    assert [it.title_fr for it in now] == ["Bal folk", *["Grand bal"] * 3]
    assert [local(it.starts_at_us, ZONE).hour for it in now] == [20, 21, 21, 21]
    assert [local(it.starts_at_us, ZONE).date() for it in now] == [first, *map(date.fromisoformat, chosen)]
    led_to(await send(marie, form_to(await look(marie, here), f"{here}/publish"), all="yes"))
    async with network.engine.connect() as connection:
        assert {it.status for it in (await service.events(connection)).values()} == {"published"}


async def test_a_venue_s_people_reach_their_own_events_alone(network: Network) -> None:
    id_, yann, wim = await made(network), await network.person("yann"), await network.person("wim")
    for path in ("", "/edit", "/cancel", "/repeat", "/prices/new"):
        assert (await look(yann, f"/admin/events/{id_}{path}")).status_code == 403
    assert "Bal folk" not in words(await look(yann, "/admin/events"))
    page = await look(wim, f"/admin/events/{id_}")
    assert page.status_code == 200
    assert "Publier" not in words(page)
