"""Sessions for programs: the same cookie as the pages', with JSON around it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.identity import people, second_factor, service
from app.identity.cookie import COOKIE, clear_session_cookie, set_session_cookie
from app.identity.guard import SignedIn
from app.identity.sign_in_limits import PER_ADDRESS, PER_LOGIN
from app.platform.context import context_of

router = APIRouter(prefix="/api/v1", tags=["identity"])

Login = Annotated[str, Field(max_length=64, examples=["marie"])]
Password = Annotated[str, Field(max_length=256, examples=["un vélo sous la pluie"])]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Credentials(_Body):
    login: Login
    password: Password


class PasswordChange(_Body):
    current: Password
    new: Password


class Code(_Body):
    """Of the authenticator, or a recovery code."""

    code: Annotated[str, Field(max_length=40, examples=["287082"])]


class OpenedSession(BaseModel):
    """`csrf` goes into the header X-CSRF-Token of every later request that is not a GET."""

    person: UUID
    name: str
    csrf: str


class GrantShown(BaseModel):
    """`venue` is null for a role in the whole network."""

    role: str
    venue: UUID | None


class Me(BaseModel):
    person: UUID
    name: str
    login: str
    grants: list[GrantShown]
    csrf: str


class SessionShown(BaseModel):
    """`id` names the session, to end it; it cannot be used to sign in. Times are microseconds since the epoch."""

    id: str
    created_at_us: int
    seen_at_us: int
    user_agent: str
    current: bool


@router.post("/sessions", status_code=201, dependencies=[Depends(PER_ADDRESS)], summary="Sign in")
async def open_session(request: Request, response: Response, credentials: Credentials) -> OpenedSession:
    """Sets the cookie `comptoir_session`. 401 `wrong-credentials` whatever is wrong; 429 after too many tries."""
    PER_LOGIN.check(request, people.normal_login(credentials.login))
    opened = await service.sign_in(
        context_of(request),
        credentials.login,
        credentials.password,
        request.headers.get("user-agent", ""),
        request.cookies.get(COOKIE, ""),
    )
    set_session_cookie(request, response, opened.token)
    return OpenedSession(person=opened.person, name=opened.name, csrf=opened.csrf)


@router.get("/sessions", summary="My open sessions")
async def list_sessions(request: Request, session: SignedIn) -> list[SessionShown]:
    found = await service.list_sessions(context_of(request), session.person)
    return [
        SessionShown(
            id=one.id,
            created_at_us=one.created_at_us,
            seen_at_us=one.seen_at_us,
            user_agent=one.user_agent,
            current=one.id == session.id,
        )
        for one in found
    ]


@router.delete("/sessions/current", status_code=204, summary="Sign out")
async def close_session(request: Request, response: Response, session: SignedIn) -> None:
    await service.sign_out(context_of(request), session)
    clear_session_cookie(request, response)


@router.delete("/sessions/{session_id}", status_code=204, summary="End another of my sessions")
async def revoke_session(request: Request, session_id: str, session: SignedIn) -> None:
    await service.revoke_session(context_of(request), session, session_id)


@router.post("/sessions/current/second-factor", status_code=204, summary="Give a code of my authenticator")
async def prove_session(request: Request, response: Response, body: Code, session: SignedIn) -> None:
    """For twelve hours this session may do what is answered 403 `second-factor-needed` without; it goes on under a new
    cookie. It is set up on the page /second-factor. 422 `second-factor-wrong`; 429 after too many wrong codes."""
    second_factor.PER_PERSON.check(request, str(session.person))
    renewed = await second_factor.confirm(context_of(request), session, body.code)
    set_session_cookie(request, response, renewed.token)


@router.get("/me", summary="Who I am and what I may do")
async def show_me(session: SignedIn) -> Me:
    grants = sorted(session.grants, key=lambda grant: (grant.role, str(grant.venue)))
    return Me(
        person=session.person,
        name=session.name,
        login=session.login,
        grants=[GrantShown(role=grant.role, venue=grant.venue) for grant in grants],
        csrf=session.csrf,
    )


@router.post("/me/password", status_code=204, summary="Change my password")
async def change_password(request: Request, change: PasswordChange, session: SignedIn) -> None:
    """Ends all my other sessions."""
    PER_LOGIN.check(request, session.login)
    await service.change_password(context_of(request), session, change.current, change.new)
