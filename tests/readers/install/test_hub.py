"""`comptoir hub install`: a box that starts as a site hub; shown first, the same again, taken away."""

from __future__ import annotations

import configparser
import stat
from pathlib import Path

from click.testing import CliRunner, Result

from readers.cli import hub
from readers.install.hub import DATA, ENABLED, SETTINGS, UNIT, files
from tests.readers.install.test_install import tree


def run(root: Path, *arguments: str, typed: str = "") -> Result:
    more = ["--program", "/opt/comptoir/venv/bin/comptoir"] if arguments[0] == "install" else []
    return CliRunner().invoke(hub, [arguments[0], "--root", str(root), *more, *arguments[1:]], input=typed)


def test_a_box_is_installed_once_it_was_agreed_to_and_taken_away_but_for_its_settings(tmp_path: Path) -> None:
    asked = ("--server", "https://comptoir.example", "--pair", "K7QM-3XPA", "--listen", "192.168.1.5:8765")
    shown = run(tmp_path, "install", *asked, typed="n\n")
    assert (shown.exit_code, tree(tmp_path)) == (1, {})
    assert "+ExecStart=/opt/comptoir/venv/bin/comptoir hub\n" in shown.output
    assert "K7QM-3XPA" not in shown.output
    assert run(tmp_path, "install", "--yes", *asked).exit_code == 0
    standing = tree(tmp_path)
    assert {str(UNIT), str(ENABLED), str(SETTINGS)} <= set(standing)
    assert not [name for name in standing if "terminal" in name or "udev" in name], "a box is no till"
    assert stat.S_IMODE((tmp_path / SETTINGS).stat().st_mode) == 0o600
    assert "COMPTOIR_HUB_LISTEN=192.168.1.5:8765" in standing[str(SETTINGS)]
    assert "Nothing to do" in run(tmp_path, "install", *asked).output
    assert run(tmp_path, "pair", "AAAA-BBBB").exit_code == 0
    assert "COMPTOIR_HUB_PAIR=AAAA-BBBB" in (tmp_path / SETTINGS).read_text()
    assert run(tmp_path, "uninstall", "--yes").exit_code == 0
    assert set(tree(tmp_path)) == {str(SETTINGS)}
    assert "Nothing of ours" in run(tmp_path, "uninstall", "--yes").output


def test_the_service_restarts_waits_for_no_network_and_needs_no_device() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(next(it.text for it in files("/bin/comptoir", {}) if it.path == UNIT))
    service, about = unit["Service"], unit["Unit"]
    assert (service["Type"], service["Restart"], service["RestartPreventExitStatus"]) == ("notify", "always", "2")
    assert (service["PrivateDevices"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "yes", "strict")
    assert service["Environment"] == f"COMPTOIR_HUB_DATA={DATA}"
    assert not any("network" in value for key, value in about.items() if key in {"After", "Wants", "Requires"})


def test_what_keeps_a_box_from_starting_is_said(tmp_path: Path) -> None:
    assert "Missing option '--server'" in CliRunner().invoke(hub, []).output
    wrong = CliRunner().invoke(hub, ["--data", str(tmp_path), "--server", "http://x", "--listen", "here"])
    assert (wrong.exit_code, "as in 192.168.1.10:8765" in wrong.output) == (2, True)
    unpaired = ["--data", str(tmp_path / "box"), "--server", "http://127.0.0.1:9", "--listen", "127.0.0.1:0"]
    started = CliRunner().invoke(hub, unpaired)
    assert (started.exit_code, "not paired yet" in started.output) == (2, True)
