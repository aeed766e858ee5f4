"""Backups of real databases: taken while they are used, checked before they are used, restored whole or not at all."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.identity.audit import audit
from app.platform import postgres_tools
from app.platform.archive import read_archive
from app.platform.backup import make_backup, restore_backup
from app.platform.backup_commands import backup, restore
from app.platform.database import create_engine
from app.platform.errors import BackupError
from app.platform.secrets import load_keys, load_or_create
from app.platform.settings import Settings
from app.platform.throwaway_postgres import installation

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _our_postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_HOME", str(installation()))


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url)


@pytest.fixture
async def elsewhere(settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    """Another machine: an empty data folder, and an empty database of the same kind."""
    if settings.sqlalchemy_url.startswith("sqlite"):
        yield Settings(data=tmp_path / "elsewhere")
        return
    address = settings.sqlalchemy_url.replace("+asyncpg", "")
    admin = await asyncpg.connect(address)
    name = f"{sa.make_url(address).database}_elsewhere"
    await admin.execute(f"CREATE DATABASE {name}")
    url = address.replace(str(sa.make_url(address).database), name)
    yield Settings(data=tmp_path / "elsewhere", database_url=url)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def write_audit(settings: Settings, *subjects: str) -> None:
    engine = create_engine(settings.sqlalchemy_url)
    async with engine.begin() as connection:
        for subject in subjects:
            await audit(connection, "test", "test", subject)
    await engine.dispose()


async def subjects(settings: Settings) -> set[str]:
    engine = create_engine(settings.sqlalchemy_url)
    async with engine.connect() as connection:
        found = set((await connection.execute(sa.text("SELECT subject FROM audit"))).scalars())
    await engine.dispose()
    return found


async def test_what_was_backed_up_comes_back_elsewhere(settings: Settings, elsewhere: Settings) -> None:
    keys = load_keys(settings.data)
    await write_audit(settings, "première", "seconde")
    restored = restore_backup(elsewhere, make_backup(settings))
    assert await subjects(elsewhere) == {"première", "seconde"}
    assert load_keys(elsewhere.data).public_key == keys.public_key
    assert load_keys(elsewhere.data).token == keys.token
    assert restored.kept is None


async def test_a_restored_database_can_be_backed_up_and_restored_again(settings: Settings, elsewhere: Settings) -> None:
    await write_audit(settings, "kept")
    restore_backup(elsewhere, make_backup(settings))
    await write_audit(elsewhere, "later")
    restore_backup(elsewhere, make_backup(elsewhere), force=True)
    assert await subjects(elsewhere) == {"kept", "later"}


async def test_the_triggers_that_guard_the_ledger_come_back_too(settings: Settings, elsewhere: Settings) -> None:
    async def triggers(of: Settings) -> set[str]:
        sqlite = of.sqlalchemy_url.startswith("sqlite")
        names = "name FROM sqlite_master WHERE type = 'trigger'" if sqlite else "tgname FROM pg_trigger"
        engine = create_engine(of.sqlalchemy_url)
        async with engine.connect() as connection:
            found = set((await connection.execute(sa.text(f"SELECT {names}"))).scalars())
        await engine.dispose()
        return {name for name in found if not name.startswith("RI_")}

    restore_backup(elsewhere, make_backup(settings))
    assert await triggers(elsewhere) == await triggers(settings) != set()


async def test_a_backup_is_one_file_for_its_user_alone(settings: Settings) -> None:
    load_keys(settings.data)
    path = make_backup(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    manifest = read_archive(path, None)
    assert set(manifest.members) >= {"secrets/signing-key", "secrets/token-key"}
    assert manifest.revision


async def test_a_backup_taken_while_the_server_writes_is_one_moment_of_it(
    settings: Settings, elsewhere: Settings
) -> None:
    """Pairs are written in one transaction: a backup never holds half of one."""
    stop = asyncio.Event()

    async def write() -> int:
        written = 0
        while not stop.is_set():
            await write_audit(settings, f"{written} left", f"{written} right")
            written += 1
        return written

    writing = asyncio.create_task(write())
    await asyncio.sleep(0)
    path = await asyncio.to_thread(make_backup, settings)
    stop.set()
    assert await writing > 0
    restore_backup(elsewhere, path)
    found = await subjects(elsewhere)
    assert {name.split()[0] for name in found if "left" in name} == {
        name.split()[0] for name in found if "right" in name
    }


async def test_restore_leaves_what_is_there_alone_unless_forced(settings: Settings) -> None:
    load_keys(settings.data)
    path = make_backup(settings)
    await write_audit(settings, "after the backup")
    with pytest.raises(BackupError, match=r"something already.*--force"):
        restore_backup(settings, path)
    assert await subjects(settings) == {"after the backup"}


async def test_forced_restore_replaces_everything_and_keeps_what_was_there(settings: Settings) -> None:
    before = load_keys(settings.data)
    path = make_backup(settings)
    await write_audit(settings, "after the backup")
    (settings.data / "secrets" / "token-key").write_bytes(b"n" * 32)
    restored = restore_backup(settings, path, force=True)
    assert await subjects(settings) == set()
    assert load_keys(settings.data).token == before.token
    assert restored.kept is not None
    kept = {str(entry.relative_to(restored.kept)) for entry in restored.kept.rglob("*") if entry.is_file()}
    assert (restored.kept / "secrets" / "token-key").read_bytes() == b"n" * 32
    if settings.sqlalchemy_url.startswith("sqlite"):
        old = Settings(data=restored.kept, database_url=f"sqlite:///{restored.kept}/comptoir.sqlite3")
        assert await subjects(old) == {"after the backup"}
    else:
        assert "database.pgdump" in kept


async def test_secrets_alone_are_something_already(settings: Settings, elsewhere: Settings) -> None:
    path = make_backup(settings)
    load_or_create(elsewhere.data / "secrets" / "token-key", 32)
    with pytest.raises(BackupError, match="secrets in"):
        restore_backup(elsewhere, path)


async def test_restore_refuses_while_the_server_runs(settings: Settings) -> None:
    path = make_backup(settings)
    engine = create_engine(settings.sqlalchemy_url)
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))
        with pytest.raises(BackupError, match="stop the server first"):
            restore_backup(settings, path, force=True)
    await engine.dispose()
    assert list(settings.data.glob("before-restore-*")) == []


async def test_a_backup_goes_back_only_into_the_kind_of_database_it_came_from(
    settings: Settings, tmp_path: Path
) -> None:
    path = make_backup(settings)
    sqlite = settings.sqlalchemy_url.startswith("sqlite")
    other = Settings(data=tmp_path / "other", database_url="postgresql://x@127.0.0.1:1/x" if sqlite else None)
    with pytest.raises(BackupError, match="kind of database"):
        restore_backup(other, path)


class TestArchives:
    """On SQLite alone: the archive is the same."""

    @pytest.fixture
    def settings(self, tmp_path: Path, sqlite_template: Path) -> Settings:
        (tmp_path / "data").mkdir()
        settings = Settings(data=tmp_path / "data")
        settings.sqlite_path.write_bytes(sqlite_template.read_bytes())
        load_keys(settings.data)
        return settings

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Settings:
        return Settings(data=tmp_path / "fresh")

    def rewritten(self, path: Path, change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> Path:
        target = path.with_name("changed.tar.gz")
        with tarfile.open(path) as source, tarfile.open(target, "w:gz") as tar:
            for entry in source:
                file = source.extractfile(entry)
                assert file is not None
                for name, content in change(entry.name, file.read()):
                    made = tarfile.TarInfo(name)
                    made.size = len(content)
                    tar.addfile(made, io.BytesIO(content))
        return target

    def refuse(self, fresh: Settings, path: Path, words: str) -> None:
        with pytest.raises(BackupError, match=words):
            restore_backup(fresh, path)
        left = list(fresh.data.rglob("*")) if fresh.data.exists() else []
        assert left == []

    def test_a_changed_member_is_noticed_before_anything_is_touched(self, settings: Settings, fresh: Settings) -> None:
        def change(name: str, content: bytes) -> list[tuple[str, bytes]]:
            return [(name, content[:-1] + b"!" if name == "secrets/token-key" else content)]

        self.refuse(fresh, self.rewritten(make_backup(settings), change), "damaged: secrets/token-key")

    def test_a_missing_member_is_noticed(self, settings: Settings, fresh: Settings) -> None:
        def change(name: str, content: bytes) -> list[tuple[str, bytes]]:
            return [] if name == "secrets/token-key" else [(name, content)]

        self.refuse(fresh, self.rewritten(make_backup(settings), change), "not whole: secrets/token-key")

    @pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "secrets/extra", "secrets/token-key"])
    def test_a_member_that_the_manifest_does_not_name_once_is_refused(
        self, settings: Settings, fresh: Settings, name: str
    ) -> None:
        def change(member: str, content: bytes) -> list[tuple[str, bytes]]:
            return [(member, content), (name, content)] if member == "secrets/token-key" else [(member, content)]

        self.refuse(fresh, self.rewritten(make_backup(settings), change), "does not name once")

    @pytest.mark.parametrize("name", ["../escaped", "secrets/../escaped", "secrets/.hidden", "other.txt"])
    def test_a_manifest_that_names_other_places_is_refused(
        self, settings: Settings, fresh: Settings, name: str
    ) -> None:
        def change(member: str, content: bytes) -> list[tuple[str, bytes]]:
            if member != "manifest.json":
                return [(member, content)]
            manifest = json.loads(content)
            manifest["members"][name] = {"sha256": "0" * 64, "size_bytes": 0}
            return [(member, json.dumps(manifest).encode())]

        self.refuse(fresh, self.rewritten(make_backup(settings), change), "no backup has")

    def test_a_backup_of_a_newer_version_is_refused(self, settings: Settings, fresh: Settings) -> None:
        def change(member: str, content: bytes) -> list[tuple[str, bytes]]:
            if member != "manifest.json":
                return [(member, content)]
            return [(member, json.dumps(json.loads(content) | {"revision": "9999", "version": "9.9"}).encode())]

        self.refuse(fresh, self.rewritten(make_backup(settings), change), "Comptoir 9.9.*does not know")

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
    def test_a_cut_archive_is_refused(self, settings: Settings, fresh: Settings, share: float) -> None:
        path = make_backup(settings)
        content = path.read_bytes()
        cut = path.with_name("cut.tar.gz")
        cut.write_bytes(content[: int(len(content) * share)])
        self.refuse(fresh, cut, "cannot be read|not a backup|not whole|damaged")

    def test_a_flipped_bit_anywhere_is_noticed_or_changes_nothing(self, settings: Settings, tmp_path: Path) -> None:
        path = make_backup(settings)
        content = path.read_bytes()
        read_archive(path, tmp_path / "whole")
        whole = {file.name: file.read_bytes() for file in (tmp_path / "whole").rglob("*") if file.is_file()}
        bad, noticed = path.with_name("bad.tar.gz"), 0
        for number, position in enumerate(range(0, len(content), len(content) // 40)):
            bad.write_bytes(content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :])
            into = tmp_path / str(number)
            try:
                read_archive(bad, into)
            except BackupError:
                noticed += 1
            else:
                assert {file.name: file.read_bytes() for file in into.rglob("*") if file.is_file()} == whole
        assert noticed > 35

    @pytest.mark.parametrize(
        "content", [b"", b"not an archive", gzip.compress(b"neither")], ids=["empty", "text", "gzip"]
    )
    def test_another_file_is_refused(self, fresh: Settings, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "file"
        path.write_bytes(content)
        self.refuse(fresh, path, "cannot be read|not a backup")

    def test_a_damaged_database_is_not_backed_up_as_if_it_were_sound(self, settings: Settings) -> None:
        with settings.sqlite_path.open("r+b") as file:
            file.seek(4096 * 2)
            file.write(b"\xff" * 4096)
        with pytest.raises(BackupError, match=r"damaged|could not be copied"):
            make_backup(settings)
        assert list((settings.data / "backups").iterdir()) == []

    def test_a_damaged_database_can_be_replaced_and_its_log_does_not_touch_the_new_one(
        self, settings: Settings
    ) -> None:
        path = make_backup(settings)
        settings.sqlite_path.write_bytes(b"this was a database once" * 1000)
        wal = settings.sqlite_path.with_name("comptoir.sqlite3-wal")
        wal.write_bytes(b"and this its log")
        restored = restore_backup(settings, path, force=True)
        assert not wal.exists()
        assert restored.kept is not None
        assert (restored.kept / wal.name).read_bytes() == b"and this its log"
        with sqlite3.connect(settings.sqlite_path) as connection:
            assert connection.execute("SELECT count(*) FROM audit").fetchone() == (0,)
        connection.close()

    def test_without_a_database_there_is_nothing_to_back_up(self, fresh: Settings) -> None:
        with pytest.raises(BackupError, match="no database at"):
            make_backup(fresh)

    def test_two_backups_in_one_second_do_not_overwrite_each_other(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.platform.clock.now_us", lambda: 1_763_770_000_000_000)
        path = make_backup(settings)
        assert path.name == "comptoir-backup-20251122T000640Z.tar.gz"
        first = path.read_bytes()
        with pytest.raises(BackupError, match="there already"):
            make_backup(settings)
        assert path.read_bytes() == first

    def test_the_commands_say_what_they_did(self, settings: Settings, fresh: Settings, tmp_path: Path) -> None:
        runner = CliRunner()
        made = runner.invoke(
            backup,
            ["--output", str(tmp_path / "out")],
            env={"COMPTOIR_DATA": str(settings.data)},
            catch_exceptions=False,
        )
        path = made.output.strip()
        assert made.exit_code == 0
        assert Path(path).parent == tmp_path / "out"
        environment = {"COMPTOIR_DATA": str(fresh.data)}
        done = runner.invoke(restore, [path], env=environment, catch_exceptions=False)
        assert (done.exit_code, "Restored" in done.output) == (0, True)
        again = runner.invoke(restore, [path], env=environment)
        assert again.exit_code == 1
        assert "Error: There is something already" in again.output
        forced = runner.invoke(restore, [path, "--force"], env=environment, catch_exceptions=False)
        assert "What was there before is in" in forced.output


class TestPostgresPrograms:
    def test_missing_programs_are_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PG_HOME", str(tmp_path))
        with pytest.raises(BackupError, match=r"psql is not in .*/bin\. Install PostgreSQL's client programs"):
            postgres_tools.is_empty("postgresql://x@127.0.0.1:1/x")

    def test_what_they_say_is_passed_on(self) -> None:
        with pytest.raises(BackupError, match=r"psql failed: .*refused"):
            postgres_tools.is_empty("postgresql+asyncpg://x@127.0.0.1:1/x")

    def test_the_password_is_not_on_the_command_line(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        spy = tmp_path / "bin" / "psql"
        spy.parent.mkdir()
        spy.write_text(
            '#!/bin/sh\necho "$PGHOST $PGPORT $PGUSER $PGPASSWORD $PGDATABASE $PGSSLMODE" >&2\necho "$@" >&2\nexit 1\n'
        )
        spy.chmod(0o700)
        monkeypatch.setenv("PG_HOME", str(tmp_path))
        with pytest.raises(BackupError) as error:
            postgres_tools.is_empty("postgresql+asyncpg://marie:s%40cret@db.example:6000/till?ssl=require")
        variables, arguments = str(error.value).split("\n", 1)
        assert variables == "psql failed: db.example 6000 marie s@cret till require"
        assert "s@cret" not in arguments

    def test_the_socket_s_folder_is_the_host(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        with pytest.raises(BackupError, match="/nonexistent"):
            postgres_tools.is_empty("postgresql://x@/x?host=/nonexistent")


class TestPostgresAlone:
    """SQLite's file is replaced in one step; here a transaction must do it."""

    @pytest.fixture
    def database_kind(self) -> str:
        return "postgresql"

    async def test_a_failed_restore_changes_nothing(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await write_audit(settings, "still here")
        broken = tmp_path / "script.sql"
        broken.write_text("CREATE TABLE public.half (id int); SELECT no_such_function();")
        spy = tmp_path / "bin"
        spy.mkdir()
        (spy / "psql").symlink_to(installation() / "bin" / "psql")
        (spy / "pg_restore").write_text(
            f'#!/bin/sh\nfor a in "$@"; do case $a in --file=*) cp {broken} "${{a#--file=}}";; esac; done\n'
        )
        (spy / "pg_restore").chmod(0o700)
        monkeypatch.setenv("PG_HOME", str(tmp_path))
        with pytest.raises(BackupError, match="no_such_function"):
            postgres_tools.restore(settings.sqlalchemy_url, broken, tmp_path)
        assert await subjects(settings) == {"still here"}
