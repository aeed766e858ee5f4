"""Plays an evening through the doors that people use: pages, staff screens, cards on readers, and the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from app.cli.demo.forms import forms
from app.cli.demo.paper import Paper
from app.cli.demo.script import Kill, Plug, Retry, Sale, Script, Shift, Step, TopUp, Unplug, Void
from app.cli.demo.stage import Stage, Till
from app.rules.ids import uuid7

# Far above what anything takes on a busy machine; a step that needs longer has failed.
PATIENCE_S = 20.0
LOOK_EVERY_S = 0.02


class StepFailed(Exception):
    """A step did not end as it should; the text says what happened instead."""


@dataclass
class Player:
    """One evening on one stage. `paper` is kept beside it; `surprises`: steps that ended otherwise than expected."""

    stage: Stage
    client: httpx.AsyncClient
    csrf: str
    paper: Paper
    venues: dict[str, str]
    surprises: list[str] = field(default_factory=list)
    played: int = 0
    unplugged: set[str] = field(default_factory=set)
    _sales: dict[str, str] = field(default_factory=dict)
    _last: Callable[[], Any] | None = None

    async def play(self, script: Script, tell: Callable[[str], None]) -> None:
        for number, line in enumerate(script.steps, 1):
            tell(f"{number:3d}  {_words(line.step)}")
            try:
                await self._step(line.step)
            except (StepFailed, httpx.HTTPError) as error:
                self.surprises.append(f"step {number} ({_words(line.step)}): {error or type(error).__name__}")
            self.played += 1
        for slug in list(self.unplugged):
            await self._step(Plug(venue=slug))
        for till in self.stage.tills.values():
            await self._delivered(till)

    async def _step(self, step: Step) -> None:
        match step:
            case TopUp(venue=None):
                await self._top_up_online(step)
            case TopUp():
                await self._repeatable(self._top_up_in_cash, step, str(uuid7()))
                self.paper.top_up(step)
            case Shift():
                await self._repeatable(self._shift, step, str(uuid7()))
                self.paper.shift(step)
            case Retry():
                if self._last is None:
                    raise StepFailed("there is nothing to retry yet")
                await self._last()
            case Sale():
                await self._sale(step)
            case Void():
                await self._void(step)
            case Unplug(venue=slug):
                await self.stage.tills[slug].cable.unplug()
                self.unplugged.add(slug)
            case Plug(venue=slug):
                await self.stage.tills[slug].cable.plug()
                self.unplugged.discard(slug)
                await self._delivered(self.stage.tills[slug])
            case Kill(process=name):
                await self.stage.kill(name)
                await self._settled(name)

    async def _settled(self, name: str) -> None:
        """After a kill: terminals that have their cable are online again, their journals delivered."""
        for slug, till in self.stage.tills.items():
            if slug not in self.unplugged and name in {"server", slug}:
                await self._delivered(till)

    async def _repeatable(self, act: Callable[..., Any], *arguments: Any) -> None:
        await act(*arguments)
        self._last = lambda: act(*arguments)

    # The counter, by API

    async def _top_up_in_cash(self, step: TopUp, key: str) -> None:
        body = {
            "card": self._uid(step.card),
            "currency": step.currency,
            "amount": self.paper.minor(step.amount, step.currency),
        }
        await self._api(f"/api/v1/venues/{self.venues[step.venue or '']}/topups", body, key)

    async def _shift(self, step: Shift, key: str) -> None:
        body = {
            "card": self._uid(step.card),
            "currency": step.currency,
            "minutes": self.paper.minor(step.time, step.currency),
            "reason": step.reason,
        }
        await self._api(f"/api/v1/venues/{self.venues[step.venue]}/shifts", body, key)

    async def _api(self, path: str, body: dict[str, Any], key: str) -> None:
        headers = {"Idempotency-Key": key, "X-CSRF-Token": self.csrf}
        _must(await self.client.post(path, json=body, headers=headers))

    # The holder, on pages

    async def _top_up_online(self, step: TopUp) -> None:
        page = urlsplit(self.stage.cards[step.card - 1].page).path + "/top-up"
        form = next(it for it in forms((await _page(self.client, page)).text) if "other" in it.fields)
        typed = {**form.fields, "other": step.amount}
        if "currency" in typed:
            typed["currency"] = step.currency
        checkout = await self._post(urljoin(page, form.action), typed)
        choice = await self._choose(checkout, step.outcome)
        back = await _page(self.client, choice)
        self.paper.top_up(step)

        async def look_again() -> None:
            # The page that the payer came back to, the form sent twice, the provider's notice coming late.
            await _page(self.client, choice)
            await self.client.post(urljoin(page, form.action), data=typed)
            notice = {"reference": checkout.rsplit("/", 1)[-1]}
            await self.client.post("/api/v1/payments/sandbox/notices", json=notice)

        self._last = look_again
        if back.status_code != 200:
            raise StepFailed(f"the top-up's page answers {back.status_code}")

    async def _choose(self, checkout: str, outcome: str) -> str:
        """Press one of the payment page's buttons; the address that it sends the payer back to."""
        for form in forms((await _page(self.client, checkout)).text):
            for name, value in form.buttons or [("", "")]:
                if outcome in {value, form.fields.get("status"), form.action.rsplit("/", 1)[-1]}:
                    sent = {**form.fields, **({name: value} if name else {})}
                    return await self._post(urljoin(checkout, form.action), sent)
        raise StepFailed(f"the payment page has no button for {outcome!r}")

    async def _post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; the path that the answer redirects to."""
        answer = await self.client.post(path, data=fields)
        if answer.status_code != 303:
            raise StepFailed(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        return urlsplit(answer.headers["location"])._replace(scheme="", netloc="").geturl()

    # The bar, on the staff screen and the reader

    async def _sale(self, step: Sale) -> None:
        till = self.stage.tills[step.venue]
        expected = self.paper.expected(step, online=step.venue not in self.unplugged)
        catalogue = _must(await self.client.get(f"{till.url}/api/catalogue")).json()
        ids = {it["names"]["fr"]: it["id"] for it in catalogue["products"]}
        items = [{"product": ids[name], "quantity": quantity} for name, quantity in step.items.items()]
        answer = await self._till(till, "pay", {"items": items, "currency": step.pay})
        result = await self._tap(till, answer["sale"], step.card)
        ended = result["reason"] or "paid"
        if ended == "paid":
            self.paper.sale(step)
            if step.name is not None:
                self._sales[step.name] = result["sale"]
        if ended != expected:
            raise StepFailed(f"expected {expected}, ended {ended}")

    async def _tap(self, till: Till, sale: str, card: int) -> dict[str, Any]:
        """Hold the card to the reader until the light has changed, then take it away."""
        present = {"field": till.reader, "uid": self._uid(card), "for_s": None}
        _must(await self.client.post(f"{self.stage.tray}/api/present", json=present))

        def ended(screen: dict[str, Any]) -> bool:
            result = screen["result"]
            return screen["phase"] in {"paid", "refused"} and result is not None and result["asked"] == sale

        result: dict[str, Any] = (await self._screen(till, ended, "no light after the tap"))["result"]
        _must(await self.client.post(f"{self.stage.tray}/api/remove", json={"field": till.reader}))
        await self._till(till, "dismiss", {})
        await self._screen(till, lambda screen: screen["phase"] == "ready", "the screen is not ready again")
        return result

    async def _void(self, step: Void) -> None:
        till = self.stage.tills[step.venue]
        if step.sale not in self._sales:
            raise StepFailed(f"no sale was named {step.sale!r}")
        await self._till(till, "void", {"sale": self._sales.pop(step.sale), "reason": step.reason})
        self.paper.void(step.sale)
        if step.venue not in self.unplugged:
            await self._delivered(till)

    async def _till(self, till: Till, command: str, body: dict[str, Any]) -> dict[str, Any]:
        """One command of the staff screen, signing in first where nobody is."""
        answer = await self.client.post(f"{till.url}/api/{command}", json=body)
        if answer.status_code == 409 and answer.json().get("reason") == "not_signed_in":
            pin = self.stage.accounts[till.venue].pin
            _must(await self.client.post(f"{till.url}/api/sign-in", json={"pin": pin}))
            answer = await self.client.post(f"{till.url}/api/{command}", json=body)
        found: dict[str, Any] = _must(answer).json()
        return found

    async def _delivered(self, till: Till) -> None:
        """Wait until the terminal is online and the server has its whole journal."""
        await self._screen(
            till, lambda screen: screen["online"] and screen["waiting"] == 0, "the journal is not delivered"
        )

    async def _screen(self, till: Till, until: Callable[[dict[str, Any]], bool], otherwise: str) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < deadline:
            screen: dict[str, Any] = _must(await self.client.get(f"{till.url}/api/screen")).json()
            if until(screen):
                return screen
            await asyncio.sleep(LOOK_EVERY_S)
        raise StepFailed(otherwise)

    def _uid(self, card: int) -> str:
        return self.stage.cards[card - 1].uid


@asynccontextmanager
async def player(stage: Stage) -> AsyncIterator[Player]:
    """Signed in as the network's administrator, with the paper opened at what everybody holds now."""
    async with httpx.AsyncClient(base_url=stage.server, timeout=PATIENCE_S) as client:
        admin = stage.accounts["admin"]
        opened = await client.post("/api/v1/sessions", json={"login": admin.login, "password": admin.password})
        listed = _must(await client.get("/api/v1/venues")).json()
        ready = Player(
            stage, client, _must(opened).json()["csrf"], Paper(stage.network), {it["slug"]: it["id"] for it in listed}
        )
        for till in stage.tills.values():
            await ready._delivered(till)
        yield ready


def _must(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise StepFailed(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    return answer


async def _page(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return _must(await client.get(path, headers={"Accept": "text/html"}))


def _words(step: Step) -> str:
    match step:
        case TopUp():
            how = f"en espèces à {step.venue}" if step.venue else f"en ligne ({step.outcome})"
            return f"carte {step.card:03d} : recharge de {step.amount} {how}"
        case Shift():
            return f"carte {step.card:03d} : {step.time} de bénévolat à {step.venue} ({step.reason})"
        case Sale():
            items = ", ".join(f"{quantity} × {name}" for name, quantity in step.items.items())
            return f"carte {step.card:03d} : {items} à {step.venue}, en {step.pay}"
        case Void():
            return f"annulation à {step.venue} : {step.sale}"
        case Retry():
            return "la dernière demande, une fois de plus"
        case Unplug():
            return f"{step.venue} perd le réseau"
        case Plug():
            return f"{step.venue} retrouve le réseau"
        case Kill():
            return f"{step.process} est tué et redémarre"
