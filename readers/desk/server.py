"""What the desk asks the server, as the person who sits at it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import httpx

SECOND_FACTOR: Final = "second-factor-needed"


class Declined(Exception):
    """The server says no: `code` is stable, the message is for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code = status, code


class Unreachable(Exception):
    """No answer that can be trusted."""


class DeskServer:
    """One session. Every call raises Declined or Unreachable."""

    def __init__(self, url: str, ask_code: Callable[[], str]) -> None:
        """`ask_code`: for a code of the person's authenticator, when the server wants one."""
        self._http = httpx.Client(base_url=url.rstrip("/"), timeout=15, trust_env=False)
        self._ask_code = ask_code
        # Cards that are not known yet get the labels of this batch.
        self.batch: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def sign_in(self, login: str, password: str) -> None:
        opened = self._call("POST", "/api/v1/sessions", {"login": login, "password": password})
        self._http.headers["X-CSRF-Token"] = opened["csrf"]

    def sign_out(self) -> None:
        self._call("DELETE", "/api/v1/sessions/current")

    def key_sets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/api/v1/card-key-sets")
        return found

    def make_key_set(self, name: str) -> None:
        self._call("POST", "/api/v1/card-key-sets", {"name": name})

    def keys(self, uid: str, key_set: str, chip: str, label: str | None, *, genuine: bool) -> dict[str, Any]:
        """What is to be written on this card (KeysToWrite of the API)."""
        asked = {"key_set": key_set, "chip": chip, "label": label, "batch": self.batch, "genuine": genuine}
        found: dict[str, Any] = self._call("POST", f"/api/v1/card-keys/{uid}", asked)
        return found

    def address(self, uid: str, label: str | None, *, genuine: bool) -> dict[str, Any]:
        """What is to be written on a card without keys (AddressToWrite of the API)."""
        asked = {"label": label, "batch": self.batch, "genuine": genuine}
        found: dict[str, Any] = self._call("POST", f"/api/v1/card-addresses/{uid}", asked)
        return found

    def batches(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/api/v1/card-batches")
        return found

    def make_batch(self, name: str, prefix: str, first: str, cards: int) -> None:
        asked = {"name": name, "prefix": prefix, "first": first, "cards": cards}
        self._call("POST", "/api/v1/card-batches", asked)

    def work_on(self, batch: str) -> None:
        """From now on, by its name. Declined where there is none."""
        found = next((it["id"] for it in self.batches() if it["name"] == batch), None)
        if found is None:
            raise Declined(404, "not-found", f"there is no batch called {batch}")
        self.batch = found

    def join(self, uid: str) -> str:
        """Give this chip the next label of the batch; which one."""
        joined: dict[str, Any] = self._call("POST", f"/api/v1/card-batches/{self.batch}/cards", {"uid": uid})
        return str(joined["label"])

    def written(self, uid: str, version: int) -> None:
        self._call("PUT", f"/api/v1/card-keys/{uid}", {"version": version})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            return self._once(method, path, body)
        except Declined as error:
            if error.code != SECOND_FACTOR:
                raise
        self._once("POST", "/api/v1/sessions/current/second-factor", {"code": self._ask_code()})
        # The session goes on under another cookie.
        self._http.headers["X-CSRF-Token"] = self._once("GET", "/api/v1/me", None)["csrf"]
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
            if answer.is_success:
                return answer.json() if answer.content else None
            problem = answer.json()
            code = str(problem["type"]).removeprefix("/problems/")
            raise Declined(answer.status_code, code, str(problem.get("detail") or problem["title"]))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise Unreachable(f"{self._http.base_url}: {error!r}") from error
