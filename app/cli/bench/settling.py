"""Positions, drill-downs and a settlement run of a large network, as people wait for them: over HTTP, page by page."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
from stdnum.iban import calc_check_digits

from app.cli.bench import cases, year
from app.cli.bench.settlement import Ground
from app.identity.cookie import COOKIE
from app.identity.roles import Grant, Role
from app.identity.service import create_person, sign_in
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.business_day import business_day
from app.settlement.bank_details import ask, decide
from app.settlement.rules.accounts import Details
from app.settlement.terms import NETWORK, NetworkTerms, set_terms

PEOPLE = ("nadia", "olga")
ZONE = "Europe/Paris"
# Of each venue: so many of its days are opened, and so many operations of each.
DAYS_OPENED, OPERATIONS_OPENED = 2, 1
TIMEOUT_S = 120.0
_EXECUTED = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlPmtInfAndSts>{}
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
_ONE = "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"


@dataclass
class Person:
    """Somebody who is signed in. `took_s`: every request that was timed, with its address."""

    client: httpx.Client
    took_s: list[tuple[float, str]] = field(default_factory=list)

    def page(self, address: str) -> str:
        """A page's HTML; its time counts up to its last byte."""
        began = perf_counter()
        answer = self.client.get(address)
        self.took_s.append((perf_counter() - began, address))
        return _good(answer).text

    def send(self, address: str, body: Any = None) -> dict[str, Any]:
        content = {"content": body} if isinstance(body, str) else {"json": body or {}}
        found: dict[str, Any] = _good(self.client.post("/api/v1" + address, **content)).json()
        return found


def settling_figures(ground: Ground) -> dict[str, float]:
    """`positions_s`: the first view of all venues over the whole year, `positions_month_s`: over this month.
    `drill_p50_ms`, `drill_p99_ms`, `drill_max_ms`: a figure opened to its days, a day to its operations, one operation
    to its transfers; a line of a statement to what it is made of. `run_s`: a run over everything, from its beginning
    until the bank has paid."""
    ground.tell(f"{ground.sales:,} sales of a year at {ground.venues} venues")
    began = perf_counter()
    made, sessions = asyncio.run(_prepare(ground))
    filled = perf_counter() - began
    env = {
        "COMPTOIR_DATA": str(ground.folder),
        "COMPTOIR_DATABASE_URL": ground.address,
        "COMPTOIR_LOG_LEVEL": "warning",
    }
    with cases.server("ours", env, 1, ground.folder) as (port, _), _signed_in(port, sessions) as (nadia, olga):
        ground.tell("positions, and what their figures are made of")
        first, today = business_day(made.start_us, ZONE), business_day(now_us(), ZONE)
        whole = nadia.page(f"/admin/positions?first={first}&last={today}")
        nadia.page(f"/admin/positions?first={today.replace(day=1)}&last={today}")
        (positions_s, _), (month_s, _) = nadia.took_s
        nadia.took_s.clear()
        _drill(nadia, whole)
        ground.tell("a settlement run")
        run, run_s = _run(nadia, olga, len(made.venues))
        for venue in made.venues:
            _open(
                nadia, nadia.page(f"/admin/settlements/{run}/venues/{venue}"), r"/admin/settlements/[^\"]*/lines/\d+", 2
            )
    slowest = sorted(nadia.took_s)
    ground.tell(f"{len(slowest)} drill-downs; the slowest: {slowest[-1][1]}")
    return {
        "filled_s": filled,
        "positions_s": positions_s,
        "positions_month_s": month_s,
        "drill_p50_ms": 1000 * slowest[len(slowest) // 2][0],
        "drill_p99_ms": 1000 * slowest[min(len(slowest) - 1, len(slowest) * 99 // 100)][0],
        "drill_max_ms": 1000 * slowest[-1][0],
        "run_s": run_s,
    }


async def _prepare(ground: Ground) -> tuple[year.Year, list[tuple[str, str]]]:
    """(what is in the database, cookie and form token of each of PEOPLE)."""
    context = Context.open(Settings(data=ground.folder, database_url=ground.address))
    made = await year.fill(context, ground.sales, ground.venues)
    async with context.engine.begin() as connection:
        await set_terms(connection, NETWORK, NetworkTerms(bank_delay_h=0), actor="bench")
    for number, subject in enumerate((NETWORK, *(f"venue:{it}" for it in made.venues))):
        account = f"37040044{number:010}"
        iban = f"DE{calc_check_digits('DE00' + account)}{account}"
        asked = await ask(context.engine, subject, Details(f"Bar {number}", iban), actor="bench:1")
        await decide(context.engine, asked.id, "approved", actor="bench:2")
    sessions = []
    for name in PEOPLE:
        password = f"{name} of the bench"
        await create_person(context, name, name, password, grants=[Grant(Role.NETWORK_ADMIN)], actor="bench")
        opened = await sign_in(context, name, password)
        sessions.append((opened.token, opened.csrf))
    await context.close()
    return made, sessions


@contextmanager
def _signed_in(port: int, sessions: Sequence[tuple[str, str]]) -> Iterator[list[Person]]:
    clients = [
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            cookies={COOKIE: token},
            headers={"X-CSRF-Token": csrf, "Accept": "text/html, application/json"},
            timeout=TIMEOUT_S,
        )
        for token, csrf in sessions
    ]
    try:
        yield [Person(it) for it in clients]
    finally:
        for client in clients:
            client.close()


def _drill(person: Person, positions: str) -> None:
    """Down from the page of all venues, by the links that it and those below it show."""
    for days in _open(person, positions, r"/admin/positions/[0-9a-f-]+\?[^\"]*", None):
        for operations in _open(person, days, r"/admin/venues/[0-9a-f-]+\?day=[^\"]*", DAYS_OPENED):
            _open(person, operations, r"/admin/venues/[^\"]*before=\d+", 1)
            _open(person, operations, r"/admin/operations/[0-9a-f-]+", OPERATIONS_OPENED)


def _open(person: Person, page: str, links: str, most: int | None) -> list[str]:
    """The pages behind so many of these links, spread over all that there are; of several to one place, one."""
    found: dict[str, str] = {}
    for it in re.findall(rf'href="({links})"', page):
        found.setdefault(it.partition("?")[0] if most is None else it, html.unescape(it))
    addresses = list(found.values())
    step = max(1, len(addresses) // most) if most else 1
    return [person.page(it) for it in addresses[::step][:most]]


def _run(nadia: Person, olga: Person, venues: int) -> tuple[str, float]:
    """(its id, seconds): begun, frozen, accepted by every venue, approved and booked, paid by file, closed."""
    began = perf_counter()
    made = nadia.send("/settlements", {"cut_off_us": now_us()})
    run = f"/settlements/{made['id']}"
    frozen = nadia.send(run + "/freeze")
    for it in frozen["statements"]:
        nadia.send(f"{run}/statements/{it['venue']}/answer", {"answer": "accepted"})
    olga.send(run + "/approve")
    paid = nadia.send(run + "/send")["payments"]
    _good(nadia.client.get(f"/api/v1{run}/file"))
    nadia.send(run + "/bank-answers", _EXECUTED.format("".join(_ONE.format(it["end_to_end"]) for it in paid)))
    closed = nadia.send(run + "/close")
    seconds = perf_counter() - began
    # A venue that took more cash than it sold pays what is between the two with what it hands in.
    if len(frozen["statements"]) != venues or {tuple(it["said"]) for it in closed["payments"]} != {("executed",)}:
        raise RuntimeError("the run did not settle every venue")
    return made["id"], seconds


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 300:
        raise RuntimeError(f"{answer.request.url} answered {answer.status_code}: {answer.text[:500]}")
    return answer
