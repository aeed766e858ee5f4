"""PostgreSQL's own programs for dumping and restoring: at PG_HOME, else on the PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from app.platform.errors import BackupError

_CONNECT_TIMEOUT_S = 10

_TABLES = """SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"""
# The type of others' backends is hidden from ordinary users.
_OTHER_CLIENTS = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND pid <> pg_backend_pid() AND coalesce(backend_type, 'client backend') = 'client backend'"""


def dump(url: str, target: Path) -> None:
    """One consistent snapshot of the whole database, taken while it is in use, in pg_dump's custom format."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def restore(url: str, source: Path, scratch: Path) -> None:
    """Puts the dump in the place of everything that is in the database, in one transaction: all of it or nothing."""
    script = scratch / "restore.sql"
    _run(url, "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source))
    script.chmod(0o600)
    _psql(
        url,
        "--single-transaction",
        "--quiet",
        "--output=/dev/null",
        "--command=SET client_min_messages = warning",
        "--command=SET lock_timeout = '10s'",
        "--command=DROP SCHEMA IF EXISTS public CASCADE",
        "--command=CREATE SCHEMA public",
        f"--file={script}",
    )


def is_empty(url: str) -> bool:
    return _psql(url, f"--command={_TABLES}") == "0"


def is_in_use(url: str) -> bool:
    """Whether anybody else is connected to this database."""
    return _psql(url, f"--command={_OTHER_CLIENTS}") != "0"


def revision(url: str) -> str | None:
    """The schema's revision by Alembic's table, if there is one."""
    if _psql(url, "--command=SELECT to_regclass('public.alembic_version') IS NULL") == "t":
        return None
    return _psql(url, "--command=SELECT version_num FROM public.alembic_version") or None


def _psql(url: str, *arguments: str) -> str:
    return _run(url, "psql", "--no-psqlrc", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", *arguments).strip()


def _run(url: str, program: str, *arguments: str) -> str:
    """Raises BackupError with what the program said."""
    command = [_find(program), *arguments]
    done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
        command, env=_environment(url), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip()[-600:] or f"exit status {done.returncode}"
        raise BackupError(f"{program} failed: {said}")
    return done.stdout


def _find(program: str) -> str:
    home = os.environ.get("PG_HOME")
    found = shutil.which(program, path=str(Path(home) / "bin") if home else None)
    if found is None:
        where = f"in {home}/bin" if home else "on the PATH"
        raise BackupError(
            f"{program} is not {where}. Install PostgreSQL's client programs, of the server's version or newer, "
            "or set PG_HOME to the folder that holds bin/."
        )
    return found


def _environment(url: str) -> dict[str, str]:
    """libpq's variables for `url`: on a command line, everybody on the machine could read the password."""
    parts = make_url(url)
    query = {name: value if isinstance(value, str) else value[-1] for name, value in parts.query.items()}
    given = {
        "PGHOST": parts.host or query.get("host"),
        "PGPORT": parts.port or query.get("port"),
        "PGUSER": parts.username or query.get("user"),
        "PGPASSWORD": parts.password or query.get("password"),
        "PGDATABASE": parts.database,
        "PGSSLMODE": query.get("sslmode") or query.get("ssl"),
        "PGCONNECT_TIMEOUT": _CONNECT_TIMEOUT_S,
        "PGAPPNAME": "comptoir",
        # Messages are shown to the operator as they come; the C locale keeps the programs' output readable to us.
        "LC_ALL": "C",
    }
    return {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
