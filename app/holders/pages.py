"""The account's pages: its wallets with their cards, and a card's own way into it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards import visits
from app.cards.addresses import card_behind
from app.cards.limits import limits_of
from app.currencies.policies import policies, policy_at
from app.currencies.service import Currency, currencies
from app.holders import accounts, before_card, passkeys, wallets
from app.holders.accounts import Session
from app.holders.signed_in import SIGN_IN, Holder, HolderNotSignedIn, forget, holder_of
from app.holders.wallets import Wallet
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

# A code has 34 bits beside an address of 128: hopeless anyway.
CLAIMS_PER_CARD = RateLimit("holder-claim-card", "10/hour")
OPENED = RateLimit("holder-wallet", "20/hour")
CLAIMS = RateLimit("holder-claim", "30/hour")

NOT_KEPT = {"Cache-Control": "no-store"}

DONE = {
    "kept": N_("The card is in your account."),
    "released": N_("The card is no longer in your account."),
    "elsewhere": N_("You are signed out everywhere else."),
    "blocked": N_("The card is blocked. Tills with network know it within seconds."),
    "unblocked": N_("The block is lifted: the card pays again."),
    "passkey": N_("The passkey is added: next time, sign in with it."),
    "passkey-removed": N_("The passkey is removed."),
    "opened": N_("The wallet is there: top it up now, and show its code where wristbands are given out."),
    "too-many": N_("You have several wallets without a card already: use one of them."),
    "linked": N_("The card opens that wallet now. Pay with it from here on."),
    "moved": N_("The money is moved."),
    "limited": N_("The limit is changed."),
    "taken": N_("It is on your card."),
    "back": N_("It is yours again."),
    "money-left": N_("Money is left in a wallet that no card opens: move it to a card first. Nothing was deleted."),
    "named": N_("Its name is changed."),
}


@router.get("/me")
async def account_page(request: Request, holder: Holder, done: str = "") -> Response:
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        found = await wallets.wallets_of(connection, ledger_of(request), holder.account, known)
        sessions = await accounts.sessions_of(connection, holder.account)
        keys = await passkeys.passkeys_of(connection, holder.account)
    return render(
        request,
        "holders/me.html",
        headers=NOT_KEPT,
        network_name=network.name,
        session=holder,
        email=holder.email,
        wallets=found,
        shown=lambda it: shown(it, known),
        online_topup=context.settings.payments != "none",
        pegged=any(it.cents_per_unit is not None for it in known.values()),
        sessions=sessions,
        passkeys=keys if passkeys.party_of(context.settings) else None,
        zone=network.settings.zone,
        done=texts.gettext(DONE[done]) if done in DONE else "",
    )


@router.get("/me/wallets/{wallet}")
async def wallet_page(request: Request, holder: Holder, wallet: UUID, done: str = "") -> Response:
    texts = texts_of(request)
    return await _wallet(request, holder, wallet, done=texts.gettext(DONE[done]) if done in DONE else "")


@router.post("/me/wallets/{wallet}/name")
async def name_wallet(
    request: Request, holder: Holder, wallet: UUID, name: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    async with context_of(request).engine.begin() as connection:
        await wallets.rename(connection, holder, wallet, name)
    return RedirectResponse(f"/me/wallets/{wallet}?done=named", 303)


@router.post("/me/wallets/{wallet}/release")
async def release_wallet(request: Request, holder: Holder, wallet: UUID) -> Response:
    found = wallets.one_of(await own_wallets(request, holder), wallet)
    try:
        async with context_of(request).engine.begin() as connection:
            await wallets.release(connection, holder, found)
    except Conflict:
        problem = texts_of(request).gettext("No card opens it: move what is on it to another card first.")
        return await _wallet(request, holder, wallet, problem=problem)
    return RedirectResponse("/me?done=released", 303)


@router.post("/me/wallets")
async def open_wallet(request: Request, holder: Holder, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """For who has no card yet."""
    OPENED.check(request, str(holder.account))
    try:
        async with context_of(request).engine.begin() as connection:
            new = await before_card.open_wallet(connection, holder, wallets.tidy(name))
    except Conflict as error:
        if error.code != "too-many":
            raise
        return RedirectResponse("/me?done=too-many", 303)
    return RedirectResponse(f"/me/wallets/{new.wallet}?done=opened", 303)


@router.post("/me/close")
async def close_account(request: Request, holder: Holder, sure: Annotated[str, Form(max_length=8)] = "") -> Response:
    own = await own_wallets(request, holder)
    if not sure:
        return RedirectResponse("/me", 303)
    try:
        async with context_of(request).engine.begin() as connection:
            await wallets.close_account(connection, holder, own)
    except Conflict:
        return RedirectResponse("/me?done=money-left", 303)
    response = RedirectResponse(SIGN_IN, 303)
    forget(request, response)
    return response


@router.get("/me/cards/{card}")
async def open_own_card(request: Request, holder: Holder, card: UUID) -> Response:
    """To the card's page, which tells its owner everything, also where the network has it wait for a tap."""
    _, found = wallets.card_of(await own_wallets(request, holder), card)
    response = RedirectResponse(f"/c/{found.token}", 303, headers=NOT_KEPT)
    visits.remember(request, response, found, "seen")
    return response


@router.post("/me/cards/{card}/block")
async def block_from_account(request: Request, holder: Holder, card: UUID) -> Response:
    wallet, found = wallets.card_of(await own_wallets(request, holder), card)
    async with context_of(request).engine.begin() as connection:
        await wallets.block(connection, holder, found)
    return RedirectResponse(f"/me/wallets/{wallet.id}?done=blocked", 303)


@router.post("/me/cards/{card}/unblock")
async def unblock_from_account(request: Request, holder: Holder, card: UUID) -> Response:
    wallet, found = wallets.card_of(await own_wallets(request, holder), card)
    async with context_of(request).engine.begin() as connection:
        await wallets.unblock(connection, holder, found)
    return RedirectResponse(f"/me/wallets/{wallet.id}?done=unblocked", 303)


@router.get("/c/{token}/keep")
async def keep_card_page(request: Request, token: str) -> Response:
    return await _keep(request, token, await holder_of(request))


@router.post("/c/{token}/keep")
async def keep_card(
    request: Request,
    token: str,
    code: Annotated[str, Form(max_length=100)] = "",
    into: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """The card's address, and a code that only who has the card can read, or the card itself at the phone. `into`: one
    of the account's wallets that waits for a card, which a card that nobody has used is to open."""
    holder, card = await holder_of(request), await card_behind(request, token)
    if holder is None:
        raise HolderNotSignedIn
    CLAIMS.check(request, client_address(request))
    CLAIMS_PER_CARD.check(request, str(card.id))
    context, texts = context_of(request), texts_of(request)
    tapped = visits.visit_of(request, card) == "proven"
    try:
        if not tapped:
            wallets.prove(context.keys.token, card, code)
        waiting = before_card.waiting(await own_wallets(request, holder)) if into else []
        place = next((it.open_card for it in waiting if str(it.id) == into), None)
        async with context.engine.begin() as connection:
            if place is not None:
                await before_card.give_chip(connection, holder.actor, place, card.uid)
            else:
                await wallets.claim(connection, holder, card, "tap" if tapped else "code")
    except Invalid:
        problem = texts.gettext("This is not the code of this card. There is no 0, 1, I, L or O in it.")
        return await _keep(request, token, holder, problem, code)
    except Forbidden:
        return await _keep(request, token, holder, texts.gettext("This card is blocked: go to a counter with it."))
    except Conflict as error:
        if error.code == "card-in-use":
            used = texts.gettext("This card was used already, or is in an account: keep it by itself, then move money.")
            return await _keep(request, token, holder, used, code)
        taken = texts.gettext("This card is in another account. Is it yours? Go to a counter with it.")
        return await _keep(request, token, holder, taken)
    return RedirectResponse("/me?done=kept" if place is None else "/me?done=linked", 303)


async def _keep(request: Request, token: str, holder: Session | None, problem: str = "", typed: str = "") -> Response:
    card, context = await card_behind(request, token), context_of(request)
    async with context.reader.connect() as connection:
        network = await the_network(connection)
        owner = await wallets.account_of(connection, card.wallet) if holder else None
    places = before_card.waiting(await own_wallets(request, holder)) if holder else []
    if holder is not None and owner == holder.account:
        return RedirectResponse("/me", 303)
    return render(
        request,
        "holders/keep.html",
        status_code=422 if problem else 200,
        headers=NOT_KEPT,
        network_name=network.name,
        home=f"/c/{token}",
        label=card.label,
        session=holder,
        mailing=context.settings.mail != "none",
        proven=visits.visit_of(request, card) == "proven",
        problem=problem,
        typed=typed,
        places=places,
        card=token,
        passkeys=passkeys.party_of(context.settings) is not None,
    )


async def own_wallets(request: Request, holder: Session) -> list[Wallet]:
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
        return await wallets.wallets_of(connection, ledger_of(request), holder.account, known)


async def _wallet(request: Request, holder: Session, wallet: UUID, *, done: str = "", problem: str = "") -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        all_ = await wallets.wallets_of(connection, ledger_of(request), holder.account, known)
        found = wallets.one_of(all_, wallet)
        rules = await policies(connection)
        per_day = (await limits_of(connection, [wallet])).get(wallet, {})
        lifts = {
            it.id
            for it in found.cards
            if it.status != "active" and await wallets.blocked_here(connection, holder.account, it.id)
        }
    return render(
        request,
        "holders/wallet.html",
        status_code=409 if problem else 200,
        headers=NOT_KEPT,
        network_name=network.name,
        session=holder,
        it=found,
        others=len(all_) > 1,
        sends=any(policy_at(of, now_us()).policy.transfer.allowed for of in rules.values()),
        online_topup=context_of(request).settings.payments != "none",
        held=shown(found, known),
        lifts=lifts,
        limits=[known[code].text(most, texts_of(request).language) for code, most in per_day.items()],
        done=done,
        problem=problem,
    )


def shown(it: Wallet, known: dict[str, Currency]) -> list[tuple[Currency, Any]]:
    """What it holds; of what it does not hold, only the network's first currency is told."""
    first = next(iter(known), None)
    return [(of, it.held[code]) for code, of in known.items() if it.held[code] or code == first]
