"""`comptoir terminal install`: shown first, written whole, the same again, taken away; units that systemd takes."""

from __future__ import annotations

import configparser
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from nfc.clf.device import usb_device_map

from readers.cli import terminal
from readers.install import Wishes, changes, files, texts, write
from readers.install.kiosk import command, profile_folder, show

ANALYZE = shutil.which("systemd-analyze")
KIOSKS = ("none", "desktop", "cage")


def run(root: Path, *arguments: str, typed: str = "") -> Result:
    more = ["--program", "/opt/comptoir/venv/bin/comptoir"] if arguments[0] == "install" else []
    return CliRunner().invoke(terminal, [arguments[0], "--root", str(root), *more, *arguments[1:]], input=typed)


def tree(root: Path) -> dict[str, str]:
    """Every file and link under `root`, with its text or where it leads."""
    return {
        str(path.relative_to(root)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_nothing_is_written_before_it_was_shown_and_agreed_to(tmp_path: Path) -> None:
    dry = run(tmp_path, "install", "--dry-run")
    assert dry.exit_code == 0
    assert "+++ /etc/systemd/system/comptoir-terminal.service" in dry.output
    assert "+Restart=always" in dry.output
    no = run(tmp_path, "install", typed="n\n")
    assert (no.exit_code, tree(tmp_path)) == (1, {})
    assert "Nothing was changed." in no.output
    yes = run(tmp_path, "install", typed="y\n")
    assert yes.exit_code == 0, yes.output
    assert set(tree(tmp_path)) >= {str(texts.UNIT), str(texts.UDEV), str(texts.ENABLED), str(texts.SETTINGS)}


@pytest.mark.parametrize("kiosk", KIOSKS)
def test_a_second_install_changes_nothing_and_an_uninstall_leaves_only_settings(tmp_path: Path, kiosk: str) -> None:
    assert run(tmp_path, "install", "--yes", "--kiosk", kiosk).exit_code == 0
    before = tree(tmp_path)
    again = run(tmp_path, "install", "--kiosk", kiosk)
    assert (again.exit_code, tree(tmp_path)) == (0, before)
    assert "Nothing to do" in again.output
    assert run(tmp_path, "uninstall", "--yes").exit_code == 0
    assert set(tree(tmp_path)) == {str(texts.SETTINGS)}
    assert "Nothing of ours" in run(tmp_path, "uninstall", "--yes").output


def test_what_differs_is_shown_as_a_diff_and_only_that_is_written(tmp_path: Path) -> None:
    run(tmp_path, "install", "--yes")
    unit = tmp_path / texts.UNIT
    unit.write_text(unit.read_text().replace("RestartSec=2", "RestartSec=99"))
    shown = run(tmp_path, "install", "--dry-run").output
    assert "-RestartSec=99" in shown
    assert "+RestartSec=2" in shown
    assert "comptoir-reader.rules" not in shown
    run(tmp_path, "install", "--yes")
    assert "RestartSec=99" not in unit.read_text()


def test_an_operators_own_file_is_not_taken_away(tmp_path: Path) -> None:
    run(tmp_path, "install", "--yes")
    (tmp_path / texts.UDEV).write_text("# mine now\n")
    run(tmp_path, "uninstall", "--yes")
    assert (tmp_path / texts.UDEV).read_text() == "# mine now\n"


def test_settings_are_made_once_private_and_the_code_is_not_shown(tmp_path: Path) -> None:
    asked = ("--server", "https://comptoir.example", "--reader", "tty:AMA0:pn532", "--pair", "K7QM-3XPA")
    made = run(tmp_path, "install", "--yes", *asked)
    settings = tmp_path / texts.SETTINGS
    assert "COMPTOIR_TERMINAL_PAIR=K7QM-3XPA\n" in settings.read_text()
    assert "K7QM-3XPA" not in made.output
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    run(tmp_path, "install", "--yes", "--pair", "AAAA-BBBB")
    assert "AAAA-BBBB" not in settings.read_text()
    assert run(tmp_path, "install", "--yes", "--server", "a\nCOMPTOIR_X=1").exit_code == 2


def test_a_code_is_put_into_the_settings_and_nothing_else_changes(tmp_path: Path) -> None:
    assert run(tmp_path, "pair", "K7QM-3XPA").exit_code == 1
    run(tmp_path, "install", "--yes", "--server", "https://comptoir.example", "--pair", "AAAA-BBBB")
    settings = tmp_path / texts.SETTINGS
    settings.write_text(settings.read_text() + "COMPTOIR_TERMINAL_DEADLINE_MS=300\n")
    assert run(tmp_path, "pair", "K7QM-3XPA").exit_code == 0
    lines = settings.read_text().splitlines()
    assert [line for line in lines if "PAIR" in line] == ["COMPTOIR_TERMINAL_PAIR=K7QM-3XPA"]
    assert {"COMPTOIR_TERMINAL_SERVER=https://comptoir.example", "COMPTOIR_TERMINAL_DEADLINE_MS=300"} <= set(lines)
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert run(tmp_path, "pair", "A\nB=1").exit_code == 2


def test_an_install_that_was_cut_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = changes(tmp_path, files(Wishes("/bin/comptoir", "cage")))
    write(tmp_path, wanted[:3])
    # What a cut in the middle of a file leaves: the one aside, half written.
    (tmp_path / "etc/systemd/system").mkdir(parents=True, exist_ok=True)
    (tmp_path / "etc/systemd/system/.comptoir-terminal.service.new").write_text("[Un")
    rest = changes(tmp_path, files(Wishes("/bin/comptoir", "cage")))
    assert len(rest) == len(wanted) - 3
    write(tmp_path, rest)
    assert changes(tmp_path, files(Wishes("/bin/comptoir", "cage"))) == []
    assert not [name for name in tree(tmp_path) if name.endswith(".new")]


@pytest.mark.parametrize(
    ("programs", "kiosk", "browser"),
    [
        (["labwc", "chromium"], "desktop", "chromium"),
        (["wayfire", "chromium-browser"], "desktop", "chromium-browser"),
        (["cage", "chromium", "chromium-browser"], "cage", "chromium"),
        ([], "none", ""),
    ],
)
def test_the_staff_screen_is_shown_by_what_is_there(
    tmp_path: Path, programs: list[str], kiosk: str, browser: str
) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    for name in programs:
        (tmp_path / "usr/bin" / name).touch()
    assert f"Staff screen: {kiosk}." in run(tmp_path, "install", "--yes").output
    shown = tree(tmp_path)
    assert (str(texts.AUTOSTART) in shown) == (kiosk == "desktop")
    assert (str(texts.KIOSK_UNIT) in shown) == (kiosk == "cage")
    if browser:
        at = texts.AUTOSTART if kiosk == "desktop" else texts.KIOSK_UNIT
        assert f"terminal kiosk --browser {browser} --port 8001\n" in shown[str(at)]


def test_the_service_promises_what_the_page_says(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(next(it.text for it in files(Wishes("/bin/comptoir")) if it.path == texts.UNIT))
    service, about = unit["Service"], unit["Unit"]
    assert (service["Type"], service["Restart"], service["RestartPreventExitStatus"]) == ("notify", "always", "2")
    assert int(service["WatchdogSec"]) == 30
    assert about["StartLimitIntervalSec"] == "0"
    # Nothing of the network is waited for, and the partition of the journal is.
    assert not any("network" in value for key, value in about.items() if key in {"After", "Wants", "Requires"})
    assert about["RequiresMountsFor"] == str(texts.DATA)
    assert service["ExecStartPre"].endswith(f"terminal check --data {texts.DATA}")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not here; the test above parses the unit")
@pytest.mark.parametrize("kiosk", KIOSKS)
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, kiosk: str) -> None:
    wanted = files(Wishes("/bin/true", kiosk))  # type: ignore[arg-type]
    units = []
    for it in wanted:
        if it.path.suffix == ".service" and not it.link:
            units.append(tmp_path / it.path.name)
            # cage is not on this machine; that it is there is the unit's own affair.
            units[-1].write_text(it.text.replace("/usr/bin/cage", "/bin/true"))
    assert units
    result = subprocess.run([str(ANALYZE), "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    said = [line for line in result.stderr.splitlines() if "comptoir" in line and "pam" not in line]
    assert (result.returncode, said) == (0, []), result.stderr


def test_rules_cover_the_usb_readers_that_nfcpy_opens() -> None:
    rules = next(it.text for it in files(Wishes("/bin/comptoir")) if it.path == texts.UDEV)
    for vendor, product in usb_device_map:
        assert f'ATTR{{idVendor}}=="{vendor:04x}", ATTR{{idProduct}}=="{product:04x}"' in rules
    for line in rules.splitlines():
        assert line.startswith(("#", "SUBSYSTEM==", "KERNEL==")), line


def test_sales_in_memory_only_are_refused_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readers.install.commands.is_volatile", lambda _: True)
    result = CliRunner().invoke(terminal, ["check", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "Nothing was sold" in result.output
    monkeypatch.setattr("readers.install.commands.is_volatile", lambda _: False)
    assert CliRunner().invoke(terminal, ["check", "--data", str(tmp_path)]).exit_code == 0


def test_without_a_server_or_a_reader_the_till_says_which_is_missing() -> None:
    assert "Missing option '--server'" in CliRunner().invoke(terminal, []).output
    assert "Missing option '--reader'" in CliRunner().invoke(terminal, ["--server", "http://x"]).output


def test_the_browser_waits_for_the_till_and_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ready, opened, waits = iter([False, False, True, True]), [], []
    show("chromium", 8001, rounds=2, ready=lambda _: next(ready), run=opened.append, wait=waits.append)
    assert opened == [command("chromium", "http://127.0.0.1:8001", tmp_path / "comptoir-kiosk")] * 2
    assert "--kiosk" in opened[0]
    assert len(waits) == 4
    assert profile_folder({"XDG_RUNTIME_DIR": ""}).is_relative_to("/tmp")
