"""The triggers by which the database itself keeps what cards open: a card that ended stays so, what stands in for it
opens the same wallet, and a wallet is left only while nothing ever was on it.

A card that nobody has used yet may be made to open somebody else's wallet. Its own is then deleted, which foreign keys
refuse to whatever else belongs to it; accounts name their owner by text, so here they are held to it in the same way.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly, missing_of

ENDS: Final = AppendOnly(
    {"card_end": "card = NEW.card"},
    "card_end_refuse",
    "a card that ended stays so",
    {
        "card_end": (
            "(SELECT c.status FROM card c WHERE c.id = NEW.card) <> 'blocked' OR (NEW.replaced_by IS NOT NULL AND "
            "(SELECT c.wallet FROM card c WHERE c.id = NEW.replaced_by) <> "
            "(SELECT c.wallet FROM card c WHERE c.id = NEW.card))",
            "a card ends blocked, and what stands in for it opens the same wallet",
        )
    },
)

BLANKS: Final = AppendOnly(
    {
        "card_batch": "id = NEW.id OR name = NEW.name",
        "card_blank": "token = NEW.token OR label = NEW.label OR (batch = NEW.batch AND number = NEW.number)",
    },
    "card_blank_refuse",
    "what is printed stays",
)

_ENDED = "a card that ended stays so"
_USED = "a wallet that was used is not left"
_GONE = "there is no such wallet"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def _sqlite_owner(id_: str) -> str:
    """The owner of a wallet's accounts, as text; SQLite keeps ids as 32 digits."""
    cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return "'wallet:' || " + " || '-' || ".join(f"substr({id_}, {at}, {length})" for at, length in cuts)


def _used(owner: str) -> str:
    return f"EXISTS (SELECT 1 FROM account a WHERE a.owner = {owner})"  # noqa: S608


_WALLET_USED, _OWN_USED = _used("'wallet:' || OLD.wallet"), _used("'wallet:' || OLD.id")
_IS_ENDED = "EXISTS (SELECT 1 FROM card_end e WHERE e.card = OLD.id)"
_REOPENED = f"NEW.status <> OLD.status AND {_IS_ENDED}"

_LIKE_A_WALLET = "'wallet:________-____-____-____-____________'"
_SQLITE_WALLET = "EXISTS (SELECT 1 FROM wallet w WHERE w.id = replace(substr(NEW.owner, 8), '-', ''))"
_SQLITE: Final = {
    ("card", "guard_card_ended"): f"BEFORE UPDATE ON card WHEN {_REOPENED} BEGIN SELECT RAISE(ABORT, '{_ENDED}'); END",
    ("card", "guard_card_wallet"): (
        f"BEFORE UPDATE ON card WHEN NEW.wallet <> OLD.wallet AND {_used(_sqlite_owner('OLD.wallet'))} "
        f"BEGIN SELECT RAISE(ABORT, '{_USED}'); END"
    ),
    ("wallet", "guard_wallet_used"): (
        f"BEFORE DELETE ON wallet WHEN {_used(_sqlite_owner('OLD.id'))} BEGIN SELECT RAISE(ABORT, '{_USED}'); END"
    ),
    ("account", "guard_account_wallet"): (
        f"BEFORE INSERT ON account WHEN NEW.owner LIKE {_LIKE_A_WALLET} AND NOT {_SQLITE_WALLET} "
        f"BEGIN SELECT RAISE(ABORT, '{_GONE}'); END"
    ),
}

# A foreign key's own lock, taken by hand: who opens an account and who deletes its wallet wait for each other.
_POSTGRES_BODIES: Final = {
    "card_kept": (
        f"IF {_REOPENED} THEN RAISE EXCEPTION '{_ENDED}' USING ERRCODE = 'check_violation'; END IF; "
        f"IF NEW.wallet <> OLD.wallet AND {_WALLET_USED} THEN "
        f"RAISE EXCEPTION '{_USED}' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; "
    ),
    "wallet_kept": (
        f"IF {_OWN_USED} THEN RAISE EXCEPTION '{_USED}' USING ERRCODE = 'check_violation'; END IF; RETURN OLD; "
    ),
    "account_wallet": (
        f"IF NEW.owner ~ '^wallet:{_UUID}$' THEN "
        "PERFORM 1 FROM wallet w WHERE w.id = substr(NEW.owner, 8)::uuid FOR KEY SHARE; "
        f"IF NOT FOUND THEN RAISE EXCEPTION '{_GONE}' USING ERRCODE = 'check_violation'; END IF; END IF; RETURN NEW; "
    ),
}
_POSTGRES: Final = {
    ("card", "guard_card"): "BEFORE UPDATE ON card FOR EACH ROW EXECUTE FUNCTION card_kept()",
    ("wallet", "guard_wallet"): "BEFORE DELETE ON wallet FOR EACH ROW EXECUTE FUNCTION wallet_kept()",
    ("account", "guard_wallet"): (
        "BEFORE INSERT ON account FOR EACH ROW WHEN (NEW.kind IN ('wallet', 'overdraft')) "
        "EXECUTE FUNCTION account_wallet()"
    ),
}


def install(connection: sa.Connection) -> None:
    """Put every guard in place; again after a migration that rebuilds one of the tables."""
    ENDS.install(connection)
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        for name, body in _POSTGRES_BODIES.items():
            connection.exec_driver_sql(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
            )
    for (table, name), text in _guards(connection).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return ENDS.missing(connection) + BLANKS.missing(connection) + missing_of(connection, _guards(connection))


def _guards(connection: sa.Connection) -> dict[tuple[str, str], str]:
    return _POSTGRES if connection.dialect.name == "postgresql" else _SQLITE
