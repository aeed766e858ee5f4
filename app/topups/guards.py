"""The triggers by which the database itself keeps what was taken back: each once, never more than was paid."""

from __future__ import annotations

from app.platform.kept_rows import AppendOnly

_STANDING = (
    "SELECT COALESCE(sum(c.euro_cents), 0) FROM chargeback c WHERE c.topup = NEW.topup AND NOT EXISTS "
    "(SELECT 1 FROM chargeback_end e WHERE e.chargeback = c.id)"
)

GUARDS = AppendOnly(
    {
        "chargeback": "id = NEW.id OR (provider = NEW.provider AND reference = NEW.reference)",
        "chargeback_end": "chargeback = NEW.chargeback",
    },
    "topups_refuse",
    "what was taken back stays",
    {
        "chargeback": (
            f"({_STANDING}) + NEW.euro_cents > "  # noqa: S608 (constants of this file)
            "COALESCE((SELECT t.euro_cents FROM topup t WHERE t.id = NEW.topup AND t.status = 'credited'), 0)",
            "no more is taken back than was paid",
        )
    },
)
