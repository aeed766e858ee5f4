"""The house: every table of the first version, and the ledger's guards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.ledger import guards
from app.platform import revision as revision_triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


HEAD = ("id", "operation_seq", "transfer_id", "seal_id", "seal_digest", "booked_at_us")
GENESIS = bytes(32)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at_us"), "audit", ["at_us"], unique=False)
    op.create_table(
        "book",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('currency', 'reserve', 'operating')", name=op.f("ck_book_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_book")),
        sa.UniqueConstraint("id", "kind", name=op.f("uq_book_id_kind")),
        sa.UniqueConstraint("issuer", "kind", "currency", name=op.f("uq_book_issuer_kind_currency")),
    )
    op.create_table(
        "currency",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("cents_per_unit", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'pegged' AND cents_per_unit > 0) OR (kind <> 'pegged' AND cents_per_unit IS NULL)",
            name=op.f("ck_currency_peg"),
        ),
        sa.CheckConstraint("(kind = 'time') = (unit = 'minute')", name=op.f("ck_currency_time_in_minutes")),
        sa.CheckConstraint("kind IN ('pegged', 'time')", name=op.f("ck_currency_kind_known")),
        sa.CheckConstraint("unit IN ('cent', 'minute', 'point')", name=op.f("ck_currency_unit_known")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_currency")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("placed_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_hold_amount_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_account"), "hold", ["account"], unique=False)
    op.create_index(op.f("ix_hold_expires_at_us"), "hold", ["expires_at_us"], unique=False)
    op.create_table(
        "hold_end",
        sa.Column("hold", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(reason = 'captured') = (operation IS NOT NULL)", name=op.f("ck_hold_end_captured_by")),
        sa.CheckConstraint("reason IN ('captured', 'released', 'expired')", name=op.f("ck_hold_end_reason_known")),
        sa.PrimaryKeyConstraint("hold", name=op.f("pk_hold_end")),
    )
    op.create_table(
        "intake",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("device", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=True),
        sa.Column("received_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake")),
    )
    op.create_index("ix_intake_event", "intake", ["event"], unique=False)
    op.create_index("ix_intake_position", "intake", ["device", "epoch", "sequence"], unique=False)
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("operation_seq", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger(), nullable=False),
        sa.Column("seal_id", sa.BigInteger(), nullable=False),
        sa.Column("seal_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "network",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_network_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network")),
    )
    op.create_table(
        "operation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.Column("terminal", sa.Uuid(), nullable=True),
        sa.Column("occurred_at_us", sa.BigInteger(), nullable=False),
        sa.Column("booked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.Column("first_transfer", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.SmallInteger(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("transfers > 0", name=op.f("ck_operation_moves_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        sa.UniqueConstraint("seq", name=op.f("uq_operation_seq")),
    )
    op.create_index(
        "ix_operation_reverses",
        "operation",
        ["reverses"],
        unique=False,
        postgresql_where=sa.text("reverses IS NOT NULL"),
        sqlite_where=sa.text("reverses IS NOT NULL"),
    )
    op.create_index("ix_operation_terminal", "operation", ["terminal", "seq"], unique=False)
    op.create_index("ix_operation_venue_day", "operation", ["venue", "business_day", "seq"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_revision_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
    )
    op.create_table(
        "sales_exception",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_at_us", sa.BigInteger(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_exception")),
        sa.UniqueConstraint("event", "kind", name=op.f("uq_sales_exception_event_kind")),
    )
    op.create_index(op.f("ix_sales_exception_venue"), "sales_exception", ["venue"], unique=False)
    op.create_table(
        "sandbox_payment",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'paid', 'failed', 'cancelled')", name=op.f("ck_sandbox_payment_status_known")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_sandbox_payment")),
    )
    op.create_table(
        "seal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("first_operation", sa.BigInteger(), nullable=False),
        sa.Column("last_operation", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("sealed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("first_operation <= last_operation", name=op.f("ck_seal_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("operation_seq", sa.BigInteger(), nullable=False),
        sa.Column("debit_account", sa.BigInteger(), nullable=False),
        sa.Column("credit_account", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("debit_after", sa.BigInteger(), nullable=False),
        sa.Column("credit_after", sa.BigInteger(), nullable=False),
        sa.Column("reverses", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfer_amount_positive")),
        sa.CheckConstraint("debit_account <> credit_account", name=op.f("ck_transfer_two_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_credit", "transfer", ["credit_account", "id"], unique=False)
    op.create_index("ix_transfer_debit", "transfer", ["debit_account", "id"], unique=False)
    op.create_index(
        "ix_transfer_reverses",
        "transfer",
        ["reverses"],
        unique=False,
        postgresql_where=sa.text("reverses IS NOT NULL"),
        sqlite_where=sa.text("reverses IS NOT NULL"),
    )
    op.create_table(
        "venue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("cut_off", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue")),
        sa.UniqueConstraint("slug", name=op.f("uq_venue_slug")),
    )
    op.create_table(
        "wallet",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("book_kind", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("normal", sa.SmallInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling", sa.BigInteger(), nullable=True),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_transfer", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("peg", sa.Integer(), nullable=True),
        sa.Column("peg_weight", sa.BigInteger(), nullable=True),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(book_kind = 'currency' AND kind IN ('claim', 'deposit', 'fund', 'issuance', 'overdraft', 'suspense', 'wallet')) OR (book_kind = 'reserve' AND kind IN ('bank', 'clearing', 'due_from', 'liability', 'payable')) OR (book_kind = 'operating' AND kind IN ('bank', 'breakage_income', 'capital', 'due_from_reserve', 'due_to_reserve', 'fee_income', 'losses', 'membership_income', 'payable', 'promotion', 'provider_fees', 'receivable', 'vat'))",
            name=op.f("ck_account_kind_of_book"),
        ),
        sa.CheckConstraint("(peg IS NULL) = (peg_weight IS NULL)", name=op.f("ck_account_peg_whole")),
        sa.CheckConstraint("ceiling IS NULL OR balance <= ceiling", name=op.f("ck_account_ceiling")),
        sa.CheckConstraint("floor IS NULL OR balance - held >= floor", name=op.f("ck_account_floor")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_account_held")),
        sa.CheckConstraint("normal IN (-1, 1)", name=op.f("ck_account_normal_side")),
        sa.ForeignKeyConstraint(["book", "book_kind"], ["book.id", "book.kind"], name="fk_account_book"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("book", "kind", "owner", name=op.f("uq_account_book_kind_owner")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index("ix_account_owner", "account", ["owner"], unique=False)
    op.create_index(
        "ix_account_peg",
        "account",
        ["peg"],
        unique=False,
        postgresql_where=sa.text("peg IS NOT NULL"),
        sqlite_where=sa.text("peg IS NOT NULL"),
    )
    op.create_table(
        "card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("assurance", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("assurance IN ('A', 'B', 'C')", name=op.f("ck_card_assurance_known")),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_card_status_known")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_card_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("token", name=op.f("uq_card_token")),
        sa.UniqueConstraint("uid", name=op.f("uq_card_uid")),
    )
    op.create_index(op.f("ix_card_wallet"), "card", ["wallet"], unique=False)
    op.create_table(
        "person_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(role = 'network_admin') = (venue IS NULL)", name=op.f("ck_person_role_scope")),
        sa.CheckConstraint(
            "role IN ('network_admin', 'venue_admin', 'cashier')", name=op.f("ck_person_role_role_known")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_role_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_role")),
        sa.UniqueConstraint("person", "role", "venue", name=op.f("uq_person_role_person_role_venue")),
    )
    op.create_index(op.f("ix_person_role_person"), "person_role", ["person"], unique=False)
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_product_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index(op.f("ix_product_venue"), "product", ["venue"], unique=False)
    op.create_table(
        "session",
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_session_person")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_person"), "session", ["person"], unique=False)
    op.create_table(
        "terminal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("skew_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'quarantined', 'revoked')", name=op.f("ck_terminal_status_known")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_terminal_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal")),
    )
    op.create_index(op.f("ix_terminal_venue"), "terminal", ["venue"], unique=False)
    op.create_table(
        "venue_currency",
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_venue_currency_currency")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_venue_currency_venue")),
        sa.PrimaryKeyConstraint("venue", "currency", name=op.f("pk_venue_currency")),
    )
    op.create_table(
        "journal_mark",
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_journal_mark_terminal")),
        sa.PrimaryKeyConstraint("terminal", "epoch", name=op.f("pk_journal_mark")),
    )
    op.create_table(
        "pairing_code",
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_pairing_code_terminal")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_pairing_code_venue")),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_pairing_code")),
    )
    op.create_table(
        "price",
        sa.Column("product", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_price_not_negative")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_price_currency")),
        sa.ForeignKeyConstraint(["product"], ["product.id"], name=op.f("fk_price_product")),
        sa.PrimaryKeyConstraint("product", "currency", name=op.f("pk_price")),
    )
    op.create_table(
        "topup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'credited', 'failed', 'cancelled')", name=op.f("ck_topup_status_known")
        ),
        sa.CheckConstraint("amount > 0 AND euro_cents > 0", name=op.f("ck_topup_positive")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_topup_card")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_topup_currency")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_topup_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topup")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_topup_provider_reference")),
    )
    op.create_index(op.f("ix_topup_wallet"), "topup", ["wallet"], unique=False)
    op.execute("INSERT INTO revision (id, value) VALUES (1, 1)")
    op.bulk_insert(
        sa.table("ledger_head", *(sa.column(name) for name in HEAD)),
        [{**dict.fromkeys(HEAD, 0), "id": 1, "seal_digest": GENESIS}],
    )
    guards.install(op.get_bind())
    revision_triggers.install(op.get_bind())
