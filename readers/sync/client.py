"""The server's API as the terminal uses it (version 1)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Literal, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.rules.offline import Refusal
from app.wire import (
    ActReply,
    Batch,
    CodeAsked,
    CodeReply,
    CreditRow,
    DeviceKind,
    JournalRow,
    LogBundle,
    PairingReply,
    PairingRequest,
    Problem,
    RefundRow,
    Sale,
    SaleReply,
    StatusReply,
    StatusReport,
    SyncReply,
    TokenReply,
    TokenRequest,
    TopUpRow,
    VoidRow,
    batch_message,
    logs_message,
    status_message,
    token_message,
)
from readers.journal import Clock
from readers.sync.download import Download
from readers.sync.errors import Rejected, Unreachable
from readers.sync.keys import DeviceKey

M = TypeVar("M", bound=BaseModel)

_BALANCES: TypeAdapter[dict[str, dict[str, int]]] = TypeAdapter(dict[str, dict[str, int]])

# Renewed this long before it expires, so that no tap has to wait for a new one.
TOKEN_RENEW_US = 60 * 1_000_000
# A snapshot of 20,000 cards is about 2 MB; whatever is far larger is not ours.
BODY_BYTES_MAX = 64 * 1024 * 1024
# Times that were told in whole seconds and are no further apart than this may be the same.
_SECONDS_AGREE_US = 2_000_000
# Statuses that say nothing about the request itself.
_NO_VERDICT = {408, 425, 429}
# The device itself may not act: its token, or the device, is refused.
NOT_ALLOWED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}
_NAMES = {
    **{refusal.value: refusal for refusal in Refusal if refusal is not Refusal.FORBIDDEN},
    # Refused for what the server thinks of this terminal: nothing is booked, and it must not decide alone either.
    "quarantined": Refusal.TERMINAL_HALTED,
    "terminal-revoked": Refusal.TERMINAL_HALTED,
}


@dataclass(frozen=True, slots=True)
class Booked:
    """The sale is in the ledger."""

    reply: SaleReply


@dataclass(frozen=True, slots=True)
class Declined:
    """Refused on the merits, or not understood: nothing is booked under this id.

    `balances`: what the cards hold, where the server told: minor units by card (its UID), then by currency.
    """

    reason: Refusal
    balances: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The server may have booked it, refused it or never seen it."""


@dataclass(frozen=True, slots=True)
class Acted:
    """The act is in the ledger."""

    reply: ActReply


Answer = Booked | Declined | NoAnswer
ActAnswer = Acted | Declined | NoAnswer
# A wallet's first recovery code; "there": it has one already; None: nobody said.
CodeAnswer = CodeReply | Literal["there"] | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: httpx.Headers
    body: bytes


class Server:
    """One connection pool to one server, for one device once it is paired."""

    def __init__(
        self, url: str, key: DeviceKey, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._key = key
        self._clock = clock
        self._token: TokenReply | None = None
        self._renewing = asyncio.Lock()
        self._download = Download()
        self._http = httpx.AsyncClient(
            base_url=url,
            transport=transport,
            timeout=httpx.Timeout(10, connect=3),
            limits=httpx.Limits(max_connections=8, keepalive_expiry=60),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def pair(self, code: str, version: str, kind: DeviceKind = "till") -> PairingReply:
        """Join the venue that made this one-time code. Rejected, Unreachable."""
        request = PairingRequest(code=code, public_key=self._key.public, version=version, kind=kind)
        return _read(await self._call("POST", "/api/v1/terminals/pair", request), PairingReply)

    async def renew_token(self, device: UUID) -> None:
        """Ask for a bearer token if the one at hand ends soon. Rejected: the device may not act any more."""
        async with self._renewing:
            if self._token and self._token.expires_at_us - self._clock.now_us() > TOKEN_RENEW_US:
                return
            before_us = self._clock.offset_us
            try:
                self._token = await self._ask_token(device)
            except Rejected:
                # The refusal's Date header may just have told that our clock is wrong, and with it the request.
                after_us = self._clock.offset_us
                if after_us is None or (before_us is not None and abs(after_us - before_us) < _SECONDS_AGREE_US):
                    raise
                self._token = await self._ask_token(device)

    async def sell(self, sale: Sale, device: UUID, deadline_s: float) -> Answer:
        """Ask the server to book a sale; never raises, never takes longer than the deadline."""
        try:
            async with asyncio.timeout(deadline_s):
                headers = {"Idempotency-Key": str(sale.id)}
                response = await self._post_twice("/api/v1/sales", device, sale, headers)
                reply = _read(response, SaleReply)
        except (TimeoutError, Unreachable):
            return NoAnswer()
        except Rejected as error:
            reason = _NAMES.get(error.problem.name)
            if reason is None and error.problem.status in NOT_ALLOWED:
                # It is the terminal that is refused, not the sale; the next round of synchronisation finds out.
                return NoAnswer()
            return Declined(reason or Refusal.INVALID, _balances(error.problem, sale))
        return Booked(reply) if reply.id == sale.id else NoAnswer()

    async def act(self, row: TopUpRow | RefundRow | CreditRow, device: UUID, deadline_s: float) -> ActAnswer:
        """Ask the server to book an act with a card; never raises, never takes longer than the deadline."""
        headers = {"Idempotency-Key": str(row.id)}
        try:
            async with asyncio.timeout(deadline_s):
                reply = _read(await self._post_twice("/api/v1/terminals/acts", device, row, headers), ActReply)
        except (TimeoutError, Unreachable):
            return NoAnswer()
        except Rejected as error:
            if error.problem.status == httpx.codes.UNAUTHORIZED:
                return NoAnswer()
            # Forbidden is said of the cashier here, not of the terminal.
            own = Refusal.FORBIDDEN if error.problem.name == Refusal.FORBIDDEN else None
            return Declined(own or _NAMES.get(error.problem.name) or Refusal.INVALID)
        return Acted(reply) if reply.id == row.id else NoAnswer()

    async def first_code(self, asked: CodeAsked, device: UUID, deadline_s: float) -> CodeAnswer:
        """Ask for the first recovery code of a card that was just topped up; never raises, never takes longer."""
        try:
            async with asyncio.timeout(deadline_s):
                return _read(await self._post_twice("/api/v1/terminals/recovery-codes", device, asked, {}), CodeReply)
        except (TimeoutError, Unreachable):
            return None
        except Rejected as error:
            return "there" if error.problem.name == "recovery-code-there" else None

    async def undo(self, row: VoidRow, device: UUID) -> ActReply:
        """Ask the server to take an act back. Rejected, Unreachable."""
        headers = {"Idempotency-Key": str(row.id)}
        return _read(await self._post_twice("/api/v1/terminals/voids", device, row, headers), ActReply)

    async def sync(self, device: UUID, epoch: int, rows: tuple[JournalRow, ...], waiting: int) -> SyncReply:
        """Deliver journal rows. Rejected, Unreachable."""
        batch = self._batch(device, epoch, rows, waiting)
        return _read(await self._authorised("POST", "/api/v1/terminals/sync", device, batch), SyncReply)

    async def hand_over(self, device: UUID, epoch: int, rows: tuple[JournalRow, ...], waiting: int) -> SyncReply:
        """Hand rows over for a review, without a token: for a device that may not act. Rejected, Unreachable."""
        batch = self._batch(device, epoch, rows, waiting)
        return _read(await self._call("POST", "/api/v1/terminals/handover", batch), SyncReply)

    def _batch(self, device: UUID, epoch: int, rows: tuple[JournalRow, ...], waiting: int) -> Batch:
        signature = self._key.sign(batch_message(device, epoch, rows[0].sequence, rows[-1].sequence, rows[-1].hash))
        return Batch(
            device=device,
            epoch=epoch,
            rows=rows,
            # By the wall clock: this is how the server notices that it is wrong.
            sent_at_us=self._clock.wall_us(),
            waiting=waiting,
            signature=signature,
        )

    async def snapshot(self, device: UUID, etag: str | None, base: str = "") -> Reply | None:
        """The newest snapshot as it came, or a delta from the content `base`; None: the one with this `etag` is.

        What came of a snapshot before the line broke is kept, and the next call goes on from there. Rejected,
        Unreachable.
        """
        path = "/api/v1/terminals/snapshot?plans=true" + (f"&base={base}" if base else "")
        headers = {"If-None-Match": etag} if etag else {}
        headers |= {"Accept-Encoding": "gzip", **self._download.asking()}
        response = await self._authorised("GET", path, device, None, headers, self._download)
        return None if response.status == httpx.codes.NOT_MODIFIED else response

    async def card_keys(self, device: UUID, etag: str | None) -> Reply | None:
        """The keys of cards, wrapped for this device; None: as before. Rejected, Unreachable."""
        return await self.newer("/api/v1/terminals/card-keys", device, etag)

    async def door(self, device: UUID, etag: str | None) -> Reply | None:
        """The events and tickets at whose door this terminal may stand; None: as before. Rejected, Unreachable."""
        return await self.newer("/api/v1/terminals/door", device, etag)

    async def newer(self, path: str, device: UUID, etag: str | None) -> Reply | None:
        """What is there for this terminal; None: as before. Rejected, Unreachable."""
        headers = {"If-None-Match": etag} if etag else {}
        reply = await self._authorised("GET", path, device, None, headers | {"Accept-Encoding": "gzip"})
        return None if reply.status == httpx.codes.NOT_MODIFIED else reply

    async def door_passages(self, device: UUID, after_us: int) -> Reply:
        """What terminals saw at these doors since then (the server's clock). Rejected, Unreachable."""
        path = f"/api/v1/terminals/door/passages?after_us={after_us}"
        return await self._authorised("GET", path, device, None)

    async def report(self, device: UUID, epoch: int, status: str) -> StatusReply:
        """Tell how this terminal is, without a token: one that may not sell tells it too. Rejected, Unreachable."""
        signature = self._key.sign(status_message(device, epoch, status))
        report = StatusReport(device=device, epoch=epoch, status=status, signature=signature)
        return _read(await self._call("POST", "/api/v1/terminals/status", report), StatusReply)

    async def ask(self, method: str, path: str, device: UUID, body: BaseModel | None, model: type[M]) -> M:
        """A question that only the server can answer. Rejected, Unreachable."""
        return _read(await self._authorised(method, path, device, body), model)

    async def send_logs(self, device: UUID, epoch: int, request: UUID, content: bytes) -> None:
        """The logs that somebody asked for. Rejected, Unreachable."""
        text = base64.b64encode(content).decode()
        signature = self._key.sign(logs_message(device, epoch, request, text))
        bundle = LogBundle(device=device, epoch=epoch, request=request, content=text, signature=signature)
        await self._call("POST", "/api/v1/terminals/logs", bundle)

    async def _ask_token(self, device: UUID) -> TokenReply:
        at_us = self._clock.now_us()
        request = TokenRequest(device=device, at_us=at_us, signature=self._key.sign(token_message(device, at_us)))
        return _read(await self._call("POST", "/api/v1/terminals/token", request), TokenReply)

    async def _post_twice(self, path: str, device: UUID, body: BaseModel, headers: dict[str, str]) -> Reply:
        try:
            return await self._authorised("POST", path, device, body, headers)
        except Unreachable as error:
            # A kept connection that the server closed meanwhile fails at its next use. The id makes asking again safe.
            if not isinstance(error.__cause__, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
                raise
        return await self._authorised("POST", path, device, body, headers)

    async def _authorised(
        self,
        method: str,
        path: str,
        device: UUID,
        body: BaseModel | None,
        headers: dict[str, str] | None = None,
        download: Download | None = None,
    ) -> Reply:
        await self.renew_token(device)
        try:
            return await self._call(method, path, body, {**(headers or {}), **self._bearer()}, download)
        except Rejected as error:
            if error.problem.status != httpx.codes.UNAUTHORIZED:
                raise
        self._token = None
        await self.renew_token(device)
        return await self._call(method, path, body, {**(headers or {}), **self._bearer()}, download)

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.token}"} if self._token else {}

    async def _call(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        headers: dict[str, str] | None = None,
        download: Download | None = None,
    ) -> Reply:
        """One request. Returns 2xx and 304 whole; Rejected for the server's own refusals, Unreachable for the rest."""
        content = body.model_dump_json().encode() if body else None
        sent = {"Content-Type": "application/json", **(headers or {})} if content else headers
        try:
            async with self._http.stream(method, path, content=content, headers=sent) as response:
                if download and response.is_success:
                    reply = Reply(response.status_code, *await download.read(response, BODY_BYTES_MAX))
                else:
                    reply = Reply(response.status_code, response.headers, await _read_body(response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{method} {path}: {error!r}") from error
        self._note_date(reply)
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return reply
        if response.is_client_error and response.status_code not in _NO_VERDICT:
            raise Rejected(_problem(reply))
        raise Unreachable(f"{method} {path}: {response.status_code}")

    def _note_date(self, response: Reply) -> None:
        """Compare clocks by the Date header: to the second, which is enough to see a clock that is minutes off."""
        try:
            server_us = int(parsedate_to_datetime(response.headers["Date"]).timestamp()) * 1_000_000
        except (KeyError, ValueError):
            return
        now_us = self._clock.now_us()
        if abs(server_us - now_us) > _SECONDS_AGREE_US:
            self._clock.note_server_time(server_us)
        elif self._clock.offset_us is None:
            # The same second, of which our own clock knows more.
            self._clock.note_server_time(now_us)


def _balances(problem: Problem, sale: Sale) -> dict[str, dict[str, int]]:
    """What a refusal tells of the cards, as a reply does: `balances` of the sale's own, `other_cards` of others.

    A currency of which a card may spend no more for now is told as none of it: it is not there to be taken.
    """
    extra = problem.model_extra or {}
    if "balances" not in extra:
        return {}
    try:
        found = _BALANCES.validate_python({sale.card: extra["balances"], **extra.get("other_cards", {})})
    except (ValidationError, TypeError):
        # Only a help: a refusal whose help can't be read is a refusal all the same.
        return {}
    if problem.name == Refusal.SPENDING_LIMIT and extra.get("card") in found:
        found[str(extra["card"])][str(extra.get("currency"))] = 0
    return found


async def _read_body(response: httpx.Response) -> bytes:
    """A streamed body, as far as it is of a size that a server of ours would send."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise httpx.DecodingError(f"more than {BODY_BYTES_MAX} bytes", request=response.request)
        chunks.append(chunk)
    return b"".join(chunks)


def _read(response: Reply, model: type[M]) -> M:
    try:
        return model.model_validate_json(response.body)
    except ValidationError as error:
        # A captive portal answers everything with 200 and a page of its own.
        raise Unreachable(f"an answer that is not ours: {error.error_count()} errors") from error


def _problem(response: Reply) -> Problem:
    """The server's own words; whatever else says 4xx on the way (proxies, portals) is not the server."""
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        raise Unreachable(f"{response.status} from somebody else")
    return _read(response, Problem)
