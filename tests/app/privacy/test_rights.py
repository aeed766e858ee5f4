"""A holder reads all that is kept about them, takes it away, and has it erased; nobody else does."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.cards import visits
from app.cards.tables import card, wallet_limit
from app.disputes.tables import dispute
from app.holders.tables import holder_account, holder_passkey
from app.identity.tables import audit
from app.mail.tables import mail
from app.mutual.members import add_member
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.privacy.daily import forget_old
from app.privacy.registry import SOURCES
from app.web.assets import STATIC
from tests.app.cards.test_recovery import made, told
from tests.app.holders.conftest import Phone
from tests.support.network import CARDS, Network, _client, problem
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

EMAIL = "awa@example.org"
PAGES_MAX = 150


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"mail": "sandbox"})


def home(network: Network, name: str = "awa") -> str:
    return f"/c/{network.cards[name].token}"


async def lived(network: Network) -> UUID:
    """Awa has topped up, drunk at one venue, eaten at the other, disputed the first and had an answer."""
    await network.top_up("awa", 2000)
    for slug, items in (("raffinerie", {"Demi": 2}), ("canal", {"Tarte": 1})):
        till = await network.terminal(slug)
        sale = till.sale("awa", items)
        assert (await till.sell(sale)).status_code == 201
        if slug == "raffinerie":
            disputed = sale.id
    page = f"{home(network)}/sales/{disputed}"
    said = {"reason": "amount", "text": "Un seul demi", "email": EMAIL}
    led_to(await send(network.client, form_to(await look(network.client, page), f"{page}/dispute"), **said))
    async with network.context.reader.connect() as connection:
        id_ = (await connection.execute(sa.select(dispute.c.id))).scalar_one()
    answer = {"act": "refuse", "words": "Deux demis, selon le ticket"}
    led_to(await (await network.person("marie")).post(f"/admin/disputes/{id_}", data=answer))
    return disputed


async def at_counter(network: Network, name: str = "awa") -> str:
    """A recovery code that staff made for who showed them the card."""
    sana, card_ = await network.person("sana"), network.cards[name]
    page = await look(sana, f"/admin/counter?card={card_.uid}")
    return told(await send(sana, form_to(page, f"/admin/cards/{card_.id}/recovery")))


async def proven(network: Network) -> str:
    """With the recovery code, typed on the page; the page of rights."""
    code, page = await at_counter(network), f"{home(network)}/data"
    form = form_to(await look(network.client, page), page)
    wrong = await send(network.client, form, code="ABCD")
    assert wrong.status_code == 422
    assert "Ce n’est pas le code de secours de cette carte." in words(wrong)
    assert led_to(await send(network.client, form, code=code)) == page
    return page


async def test_all_of_it_is_read_and_taken_away(network: Network) -> None:
    sale = await lived(network)
    await add_member(network.engine, CARDS["awa"], "Awa Diop", ["user"], "test")
    page = await proven(network)
    assert "Encore sur la carte : 9,60 €" in words(await look(network.client, page))
    read = words(await look(network.client, f"{page}/all"))
    for said in ("2 × Demi", "Tarte", "Un seul demi", "Deux demis, selon le ticket", "Awa Diop", CARDS["awa"]):
        assert said in read, said
    assert "All that is kept" in words(await network.client.get(f"{page}/all", headers=ENGLISH))
    file = await network.client.get(f"{page}/all.json")
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["cache-control"] == "no-store"
    held = file.json()
    assert {it.name for it in SOURCES} <= held.keys()
    amounts = [it["amount"] for it in held["movements"]]
    assert sorted(it["minor"] for it in amounts) == [-700, -340, 2000]
    assert held["balances"][0] == {"currency": "RAF", "amount": {"currency": "RAF", "minor": 960}}
    assert held["disputes"][0]["operation"] == str(sale)
    assert held["disputes"][0]["at"].endswith("+00:00")
    assert [it["email"] for it in held["emails"]] == ["a…@example.org"]
    assert network.cards["awa"].token not in file.text, "a file that is passed on opens no card"


async def test_the_address_of_the_card_is_no_proof(network: Network) -> None:
    await lived(network)
    page = f"{home(network)}/data"
    for path in (f"{page}/all", f"{page}/all.json"):
        assert problem(await network.client.get(path)) == (403, "proof-needed")
    erased = await network.client.post(f"{page}/erase", data={"sure": "yes", "keep": "yes"})
    assert erased.status_code == 403
    form = form_to(await look(network.client, page), page)
    other = await at_counter(network, "basile")
    assert (await send(network.client, form, code=other)).status_code == 422, "another wallet's code"
    by_address = await send(network.client, form, code=await made(network))
    assert by_address.status_code == 422
    assert "Ce code a été créé avec l’adresse de la carte" in words(by_address)
    assert (await look(network.client, f"{page}/all")).status_code == 403
    # A tap at a phone proves it; seen once more it does not.
    awa, key = network.cards["awa"], network.context.keys.token
    for visit, status in (("seen", 403), ("proven", 200)):
        cookie = visits.written(key, awa.id, visit, now_us() + 60_000_000)  # type: ignore[arg-type]
        headers = {"Cookie": f"{visits.COOKIE}={cookie}"}
        assert (await network.client.get(f"{page}/all", headers=headers)).status_code == status


async def test_erased_nothing_names_them_and_the_books_stand(network: Network) -> None:
    sale = await lived(network)
    page = await proven(network)
    form = form_to(await look(network.client, page), f"{page}/erase")
    assert (await send(network.client, form, keep="yes")).status_code == 422, "not sure"
    assert "Dites d’abord ce que devient l’argent" in words(await send(network.client, form, sure="yes"))
    for _ in range(2):
        assert "Plus rien ici ne vous nomme" in words(await send(network.client, form, sure="yes", keep="yes"))
    held = (await network.client.get(f"{page}/all.json")).text
    for gone in ("Carte de awa", EMAIL, "Un seul demi", "selon le ticket"):
        assert gone not in held, gone
    assert str(sale) in held
    async with network.context.reader.connect() as connection:
        kept = (await connection.execute(sa.select(mail.c.status, mail.c.recipient, mail.c.data))).all()
        labels = (await connection.execute(sa.select(card.c.label).where(card.c.uid == CARDS["awa"]))).scalar_one()
        log = [it.details for it in await connection.execute(sa.select(audit.c.details))]
    assert [tuple(it) for it in kept] == [("failed", None, None)], "what waited is sent to nobody"
    assert re.fullmatch(r"# [0-9A-F]{8}", labels)
    assert not any(EMAIL in it or "Un seul demi" in it for it in log)
    assert (await network.holds("awa"))["RAF"] == 960
    till = await network.terminal("canal")
    assert (await till.sell("awa", {"Café": 1})).status_code == 201, "the card goes on working"


async def test_an_account_proves_it_and_goes_with_its_last_card(network: Network) -> None:
    await network.top_up("awa", 500)
    async with _client(network.app) as client:
        phone = Phone(network, client, EMAIL)
        await phone.sign_in()
        page = f"{home(network)}/data"
        assert (await client.get(f"{page}/all.json")).status_code == 403, "not hers yet"
        await phone.keep("awa")
        async with network.engine.begin() as connection:
            account = (await connection.execute(sa.select(holder_account.c.id))).scalar_one()
            await connection.execute(
                sa.insert(holder_passkey).values(
                    id=b"1", account=account, public_key=b"2", signs=0, made_at_us=now_us()
                )
            )
            limit = {"wallet": network.cards["awa"].wallet, "currency": "RAF", "per_day": 700}
            await connection.execute(sa.insert(wallet_limit).values(limit))
        held = (await client.get(f"{page}/all.json")).json()
        assert "passkey" in [it.get("what") for it in held["account"]]
        assert {"what": "limit", "amount": {"currency": "RAF", "minor": 700}} in held["cards"]
        read = words(await look(client, f"{page}/all"))
        assert "Clé d’accès" in read
        assert "Limite pour un jour" in read
        assert held["account"][0]["email"] == "a…@example.org"
        assert [it["what"] for it in held["emails"]] == ["holders/link_mail"]
        erased = await phone.form(page, f"{page}/erase", sure="yes", keep="yes")
        assert "Plus rien ici ne vous nomme" in words(erased)
        assert (await client.get(f"{page}/all.json")).status_code == 403
    async with network.context.reader.connect() as connection:
        assert (await connection.execute(sa.select(holder_account))).all() == []
        assert (await connection.execute(sa.select(mail.c.recipient))).scalars().all() == [None]


async def test_what_is_old_is_forgotten(network: Network) -> None:
    await lived(network)
    async with network.engine.begin() as connection:
        long_ago = {"opened_at_us": 1, "answered_at_us": 2}
        await connection.execute(sa.update(dispute).values(**long_ago))
    await forget_old(network.engine)
    async with network.context.reader.connect() as connection:
        row = (await connection.execute(sa.select(dispute))).one()
    assert (row.text, row.answer, row.state) == ("", "–", "refused")


async def test_the_public_page_says_everything_in_both_languages(network: Network) -> None:
    french, english = await look(network.client, "/privacy"), await network.client.get("/privacy", headers=ENGLISH)
    assert "Ses propres ventes seulement" in words(french)
    assert "Its own sales only" in words(english)
    assert words(english).count("How long") == len(SOURCES) + 2
    assert french.headers["cache-control"].startswith("public")
    assert 'href="/privacy"' in (await look(network.client, home(network))).text


async def test_a_venue_sees_its_own_sales_of_a_holder_and_no_other(network: Network) -> None:
    """Every page and every list that the other venue's people reach, by following what they are shown."""
    sale = await lived(network)
    theirs = re.compile(rf"{sale}|Un seul demi|{EMAIL}|2 × Demi")
    own_wallet = network.cards["awa"].owner
    client = await network.person("yann")
    pages = await _everything(client)
    assert len(pages) > 20
    assert [path for path, text in pages.items() if theirs.search(text)] == []
    assert any("Tarte" in text for text in pages.values()), "its own are there"
    other = network.venues["raffinerie"].id
    for path in (f"/admin/operations/{sale}", f"/api/v1/operations/{sale}", f"/admin/venues/{other}"):
        assert (await client.get(path)).status_code in {403, 404}, path
    for path in ("/api/v1/operations", f"/api/v1/accounts?owner={own_wallet}", "/api/v1/exceptions"):
        listed = await client.get(path)
        assert listed.status_code == 200, path
        assert own_wallet not in listed.text.replace(str(other), "") or "operations" in path
        assert not theirs.search(listed.text), path
    marie = await _everything(await network.person("marie"))
    assert any(theirs.search(text) for text in marie.values()), "the venue of the sale does see it"
    assert not any("Tarte" in text for text in marie.values())


async def _everything(client: httpx.AsyncClient) -> dict[str, str]:
    """All pages that somebody reaches from their first one, by address; answers that are files too."""
    waiting, found = ["/admin"], {}
    while waiting:
        path = waiting.pop()
        answer = await look(client, path)
        found[path] = unescape(answer.text) if "text" in answer.headers.get("content-type", "") else ""
        targets = [*re.findall(r'href="([^"#]+)"', answer.text), answer.headers.get("location", "")]
        for target in targets:
            url = urlsplit(urljoin(path, unescape(target)))
            # One page of each kind of chart and day is enough; their addresses go on for ever.
            there = url.path if url.path == "/admin/today" else url.path + (f"?{url.query}" if url.query else "")
            fresh = there not in found and there not in waiting and len(found) + len(waiting) < PAGES_MAX
            if fresh and url.path.startswith("/admin") and not url.netloc and "lang=" not in there:
                waiting.append(there)
    return found


PAGES = ("/privacy", "/places", "/lost", "/admin/sign-in", "{home}", "{home}/places", "{home}/data", "{home}/top-up")


async def test_pages_load_nothing_from_elsewhere(network: Network) -> None:
    await network.top_up("awa", 2000)
    for page in PAGES:
        answer = await look(network.client, page.format(home=home(network)))
        loaded = re.findall(r'(?:src|srcset|action|poster|data)="([^"]*)"|<link\b[^>]*href="([^"]*)"', answer.text)
        away = [one or two for one, two in loaded if "//" in (one or two)]
        assert away == [], page
        assert "@import" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy, page
    static = "\n".join(path.read_text() for path in STATIC.rglob("*") if path.suffix in {".css", ".js"})
    assert not re.search(r"(?:url\(|@import|fetch\(|src=)\s*[\"']?(?:https?:)?//", static)
