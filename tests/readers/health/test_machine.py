"""The machine's health, from made-up /proc and /sys of machines that exist: a Pi 4, a Pi with eMMC, and no Pi."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from readers.health import is_volatile, read_machine

# A Raspberry Pi 4 as its kernel tells it.
PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": "MemTotal:        1892416 kB\nMemFree:          103212 kB\nMemAvailable:    1203212 kB\n",
    "proc/self/status": "Name:\tcomptoir\nVmPeak:\t  120000 kB\nVmRSS:\t   84212 kB\n",
    "sys/class/thermal/thermal_zone0/temp": "51121\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n",
    "sys/fs/ext4/mmcblk0p2/errors_count": "3\n",
    "sys/fs/ext4/mmcblk0p3/errors_count": "1\n",
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_pi_tells_what_it_knows(tmp_path: Path) -> None:
    it = read_machine(tmp_path, tree(tmp_path / "root", PI))
    assert it.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert (it.memory_free_mb, it.memory_total_mb, it.agent_mb) == (1232, 1937, 86)
    assert (it.temperature_c, it.power, it.disk_errors, it.card_wear_percent) == (51, "low_before", 4, None)
    assert it.disk_free_mb is not None
    assert not it.read_only


def test_a_machine_that_tells_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    it = read_machine(tmp_path / "gone", tmp_path)
    assert (it.model, it.read_only, it.volatile) == ("", False, False)
    told = {getattr(it, name) for name in it.__slots__ if name not in ("model", "read_only", "volatile")}
    assert told == {None}


@pytest.mark.parametrize(
    ("flags", "power"), [("0", "ok"), ("50005", "low_now"), ("50000", "low_before"), ("80008", "ok"), ("?", None)]
)
def test_power_by_the_firmwares_flags(tmp_path: Path, flags: str, power: str | None) -> None:
    root = tree(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": flags})
    assert read_machine(tmp_path, root).power == power


@pytest.mark.parametrize(("alarm", "power"), [("0", "ok"), ("1", "low_now")])
def test_power_by_the_kernels_alarm_where_the_firmware_has_no_file(tmp_path: Path, alarm: str, power: str) -> None:
    sensors = {"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", "sys/class/hwmon/hwmon1/name": "rpi_volt\n"}
    root = tree(tmp_path, {**sensors, "sys/class/hwmon/hwmon1/in0_lcrit_alarm": alarm})
    assert read_machine(tmp_path, root).power == power


@pytest.mark.parametrize(("life", "wear"), [("0x01 0x02", 20), ("0x0b 0x01", 100), ("0x00 0x00", None), ("new", None)])
def test_wear_of_an_emmc(tmp_path: Path, life: str, wear: int | None) -> None:
    root = tree(tmp_path, {"sys/block/mmcblk0/device/life_time": life})
    assert read_machine(tmp_path, root).card_wear_percent == wear


def test_a_file_system_that_went_read_only_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As ext4 does after an error: the mount stands, and its flag says that it takes no more writing.
    real = os.statvfs(tmp_path)

    class ReadOnly:
        f_bavail, f_frsize, f_blocks = real.f_bavail, real.f_frsize, real.f_blocks
        f_flag = real.f_flag | os.ST_RDONLY

    monkeypatch.setattr("readers.health.machine.os.statvfs", lambda _: ReadOnly)
    assert read_machine(tmp_path, tmp_path).read_only


# As raspi-config's overlay file system mounts a Raspberry Pi, with and without a partition for the journal.
OVERLAY = (
    "20 1 0:20 / / rw,noatime - overlay overlayroot rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay\n"
    "21 20 0:21 / /media/root-rw rw - tmpfs tmpfs-root rw\n"
    "22 20 179:2 / /media/root-ro ro - ext4 /dev/mmcblk0p2 ro\n"
)
PARTITION = "23 20 179:3 / /var/lib/comptoir-terminal rw - ext4 /dev/mmcblk0p3 rw\n"
CONTAINER = "20 1 0:20 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/a,upperdir=/var/lib/docker/b,workdir=/c\n"
MEMORY = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:21 / /var/lib rw - tmpfs tmpfs rw\n"


@pytest.mark.parametrize(
    ("mounts", "volatile"),
    [
        (OVERLAY, True),
        (OVERLAY + PARTITION, False),
        (CONTAINER, False),
        (MEMORY, True),
        ("", False),
        ("nonsense", False),
    ],
)
def test_a_journal_in_memory_is_seen(tmp_path: Path, mounts: str, volatile: bool) -> None:
    root = tree(tmp_path, {"proc/self/mountinfo": mounts})
    assert is_volatile(Path("/var/lib/comptoir-terminal"), root) is volatile
