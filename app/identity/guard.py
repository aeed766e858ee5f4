"""The guard stands before every endpoint: who is asking, and does the table of rights let them in?

    app = FastAPI(dependencies=[Depends(guard)])
    async def show_claims(caller: Caller) -> ...            # the Principal that was let in

A plain Starlette route, which FastAPI's dependencies do not reach, calls `await guard.admit(request, "its_name")`.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from app.identity import second_factor, service
from app.identity.audit import audit
from app.identity.cookie import COOKIE
from app.identity.recorded import recorded_as
from app.identity.rights import GUARDED, RIGHTS, Rights
from app.identity.roles import HOLDER, PUBLIC, Principal, Role
from app.identity.tokens import read_terminal_token
from app.platform import clock
from app.platform.context import context_of
from app.platform.csrf import check_token
from app.platform.errors import Forbidden, NotSignedIn

# Addresses are as long as whoever asks likes; a row of the audit log is not.
ASKED_LENGTH_MAX: Final = 500


class Guard:
    def __init__(self, rights: Rights = RIGHTS) -> None:
        self._rights = rights

    async def __call__(self, request: Request) -> None:
        await self.admit(request, request.scope["route"].name)

    async def admit(self, request: Request, endpoint: str) -> Principal:
        """Lets the caller in and returns them, with only the grants that open this endpoint.

        Raises NotSignedIn or Forbidden; RuntimeError for an endpoint that is missing in the table of rights.
        """
        if endpoint not in self._rights:
            raise RuntimeError(f"{endpoint} is missing in app/identity/rights.py: nobody may use it")
        caller = await _caller(request, self._rights[endpoint])
        if endpoint in GUARDED:
            require_second_factor(request)
        request.state.principal = caller
        action = recorded_as(endpoint, request)
        if action is not None:
            asked = {"asked": request.url.query[:ASKED_LENGTH_MAX]} if request.url.query else {}
            async with context_of(request).engine.begin() as connection:
                await audit(connection, caller.actor, action, request.url.path[:ASKED_LENGTH_MAX], **asked)
        return caller


guard = Guard()


def require_second_factor(request: Request) -> None:
    """For what a person does who signed in: also for an endpoint of several acts, one of which is guarded.

    Raises Forbidden("second-factor-missing", "second-factor-needed").
    """
    session: service.Session = request.state.session
    second_factor.require(session, required=context_of(request).settings.require_second_factor)


async def _caller(request: Request, allowed: frozenset[Role]) -> Principal:
    if Role.PUBLIC in allowed:
        return PUBLIC
    if Role.HOLDER in allowed:
        # The address is the credential, also for staff who are signed in: no cookie is looked at.
        return HOLDER
    bearer = _bearer(request)
    if bearer is not None:
        terminal = _terminal(request, bearer)
        # A terminal has no grants to choose among: it comes in or it does not.
        if Role.TERMINAL not in allowed:
            raise Forbidden
        return terminal
    limited = (await _person(request)).limited_to(allowed)
    if not limited.roles & allowed:
        raise Forbidden
    return limited


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _terminal(request: Request, bearer: str) -> Principal:
    token = read_terminal_token(context_of(request).keys.token, bearer, clock.now_us())
    return Principal(device=token.device, epoch=token.epoch)


async def _person(request: Request) -> Principal:
    session = await service.find_session(context_of(request), request.cookies.get(COOKIE, ""))
    if session is None:
        raise NotSignedIn
    await check_token(request, session.csrf)
    request.state.session = session
    return session.principal


def _admitted(request: Request) -> Principal:
    principal = request.state.principal
    if not isinstance(principal, Principal):
        raise TypeError("the guard did not stand before this endpoint")
    return principal


def _session(request: Request) -> service.Session:
    session = request.state.session
    if not isinstance(session, service.Session):
        raise TypeError("this endpoint is open to others than people who signed in")
    return session


# For the signatures of endpoints. `SignedIn` is for those that only people may use: it has the session's CSRF token.
Caller = Annotated[Principal, Depends(_admitted)]
SignedIn = Annotated[service.Session, Depends(_session)]
