"""The table of rights and the whole application know the same endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from app.identity.rights import ambiguous_routes, holder_routes_without_token, stale_entries, unlisted_routes
from app.main import create_app
from app.platform.settings import Settings


@pytest.fixture
def everything(tmp_path: Path) -> FastAPI:
    return create_app(Settings(data=tmp_path, payments="sandbox", mail="sandbox"))


def test_every_endpoint_is_in_the_table_under_a_name_of_its_own(everything: FastAPI) -> None:
    assert unlisted_routes(everything) == []
    assert ambiguous_routes(everything) == []


def test_what_holders_may_do_is_behind_a_card_s_address(everything: FastAPI) -> None:
    assert holder_routes_without_token(everything) == []


def test_the_table_names_nothing_that_is_not_there(everything: FastAPI) -> None:
    assert stale_entries(everything) == []


def test_the_sandbox_is_there_only_where_it_is_asked_for(tmp_path: Path) -> None:
    only_there = [
        "dispute_sandbox_payment",
        "finish_sandbox_payment",
        "sandbox_mailbox",
        "sandbox_message",
        "sandbox_page",
    ]
    assert stale_entries(create_app(Settings(data=tmp_path))) == only_there
