"""Somebody changes their own password, and whoever else was signed in with the old one is out."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.identity.service import sign_in
from app.identity.tables import audit
from app.platform.errors import NotSignedIn
from tests.support.network import PASSWORD, Network
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/sessions/password"
NEW = "un tandem dans la neige"


@pytest.fixture
def database_kind() -> str:
    """The statements are those of tests/app/identity/test_service.py, which runs on both."""
    return "sqlite"


async def test_the_old_one_is_asked_for_and_other_sessions_end(network: Network) -> None:
    lucas = await network.person("lucas")
    other = await sign_in(network.context, "lucas", PASSWORD)
    assert HERE in (await look(lucas, "/admin/sessions")).text
    form = form_to(await look(lucas, HERE), HERE)
    for typed, said in (
        ({"current": "guessed it?", "new": NEW, "again": NEW}, "Ce n’est pas votre mot de passe."),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "!"}, "Les deux ne sont pas identiques."),
        ({"current": PASSWORD, "new": "court", "again": "court"}, "au moins 10 caractères"),
        ({}, "au moins 10 caractères"),
    ):
        refused = await send(lucas, form, **typed)
        assert refused.status_code == 422
        assert said in words(refused)
        assert not [it for it in typed.values() if f'value="{it}"' in refused.text], "no password is shown again"
    assert (await sign_in(network.context, "lucas", PASSWORD)).token

    target = led_to(await send(lucas, form, current=PASSWORD, new=NEW, again=NEW))
    page = await look(lucas, target)
    assert "Votre mot de passe est changé" in words(page)
    assert page.text.count("/admin/sessions/end") == 0, "this session alone is left"
    with pytest.raises(NotSignedIn):
        await sign_in(network.context, "lucas", PASSWORD)
    assert (await sign_in(network.context, "lucas", NEW)).token != other.token
    async with network.context.reader.connect() as connection:
        noted = (await connection.execute(sa.select(audit).where(audit.c.action == "person.change_password"))).all()
    assert len(noted) == 1
    assert not [it for it in (PASSWORD, NEW) if it in repr(noted)]


async def test_guesses_at_it_are_limited(network: Network) -> None:
    lucas = await network.person("lucas")
    form = form_to(await look(lucas, HERE), HERE)
    answers = [await send(lucas, form, current=f"guess number {it}", new=NEW, again=NEW) for it in range(7)]
    assert [it.status_code for it in answers][-1] == 429
    assert sum(it.status_code == 422 for it in answers) <= 5
