"""How the ledger is kept: one posting store per database, and the queries that read it."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import make_url

from app.ledger.store.base import RETRY_AFTER_S, OutcomeUnknown, PostingStore, Rejected
from app.ledger.store.postgres import PostgresStore
from app.ledger.store.sqlite import SqliteStore

__all__ = ["RETRY_AFTER_S", "OutcomeUnknown", "PostgresStore", "PostingStore", "Rejected", "SqliteStore", "open_store"]


def open_store(url: str, key: Ed25519PrivateKey) -> PostingStore:
    """The posting store for a database's address, as SQLAlchemy writes it; `key` signs the seals."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteStore(Path(parsed.database or ""), key)
    return PostgresStore(parsed.set(drivername="postgresql").render_as_string(hide_password=False), key)
