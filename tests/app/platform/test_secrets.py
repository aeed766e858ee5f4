"""Keys: made once, read by nobody else."""

from __future__ import annotations

import base64
import multiprocessing
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.platform.errors import SecretsExposed
from app.platform.secrets import load_keys, load_or_create


def test_a_secret_is_made_once_and_then_read(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    first = load_or_create(path, 32)
    assert len(first) == 32
    assert load_or_create(path, 32) == first


def test_its_file_and_folder_are_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    load_or_create(path, 32)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_but_the_secret_is_left_in_the_folder(tmp_path: Path) -> None:
    load_or_create(tmp_path / "key", 32)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_secret_that_others_can_touch_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_create(path, 32)
    path.chmod(mode)
    with pytest.raises(SecretsExposed, match=f"{mode:04o}.*chmod 600"):
        load_or_create(path, 32)


def test_a_cut_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    load_or_create(path, 32)
    path.write_bytes(b"short")
    with pytest.raises(SecretsExposed, match="5 bytes instead of 32"):
        load_or_create(path, 32)


def _load(path: str, start: multiprocessing.synchronize.Barrier, results: multiprocessing.Queue[bytes]) -> None:
    start.wait()
    results.put(load_or_create(Path(path), 32))


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    start, results = spawning.Barrier(4), spawning.Queue()
    processes = [spawning.Process(target=_load, args=(str(tmp_path / "key"), start, results)) for _ in range(4)]
    for process in processes:
        process.start()
    found = {results.get(timeout=30) for _ in processes}
    for process in processes:
        process.join()
    assert found == {(tmp_path / "key").read_bytes()}


def test_the_server_signs_with_the_key_it_shows(tmp_path: Path) -> None:
    keys = load_keys(tmp_path)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(keys.public_key))
    public.verify(keys.signing.sign(b"snapshot"), b"snapshot")
    assert load_keys(tmp_path).public_key == keys.public_key


def test_keys_do_not_show_in_a_repr(tmp_path: Path) -> None:
    keys = load_keys(tmp_path)
    assert repr(keys) == "ServerKeys()"
