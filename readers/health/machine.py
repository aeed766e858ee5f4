"""Reads the machine's health from /proc and /sys. What a machine does not tell is None, never a guess.

Sources: statvfs (room, and ST_RDONLY after ext4's errors=remount-ro), /sys/fs/ext4/*/errors_count (kernel,
ABI/testing/sysfs-fs-ext4), /sys/block/mmcblk*/device/life_time (eMMC's DEVICE_LIFE_TIME_EST in steps of ten per cent;
SD cards have no such register), the firmware's get_throttled (Raspberry Pi documentation, "vcgencmd": bit 0 is
under-voltage now, bit 16 since the start).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path("/")
_MEGABYTE = 1_000_000
_LOW_NOW, _LOW_BEFORE = 1 << 0, 1 << 16
# JEDEC eMMC 5.0: 1 is 0 to 10 % used, 10 is 90 to 100 %, 11 is beyond; 0 is not told.
_LIFE_STEP_PERCENT = 10
_LIFE_STEPS_MAX = 11


@dataclass(frozen=True, slots=True)
class Machine:
    """Sizes in megabytes (10^6 bytes). `volatile`: what is written here is in memory only."""

    model: str
    read_only: bool
    volatile: bool
    disk_free_mb: int | None
    disk_total_mb: int | None
    disk_errors: int | None
    card_wear_percent: int | None
    memory_free_mb: int | None
    memory_total_mb: int | None
    agent_mb: int | None
    temperature_c: int | None
    power: Literal["ok", "low_now", "low_before"] | None


def read_machine(data: Path, root: Path = ROOT) -> Machine:
    """The machine that the folder `data` is on. `root` is where /proc and /sys are: tests have their own."""
    free, total, read_only = _disk(data)
    memory = _memory(root)
    return Machine(
        model=_text(root / "proc/device-tree/model").rstrip("\0").strip()[:80],
        read_only=read_only,
        volatile=is_volatile(data, root),
        disk_free_mb=free,
        disk_total_mb=total,
        disk_errors=_disk_errors(root),
        card_wear_percent=_wear(root),
        memory_free_mb=memory.get("MemAvailable"),
        memory_total_mb=memory.get("MemTotal"),
        agent_mb=_own_memory(root),
        temperature_c=_temperature(root),
        power=_power(root),
    )


def is_volatile(folder: Path, root: Path = ROOT) -> bool:
    """Whether a power cut loses what is written to `folder`: a file system in memory, or an overlay on top of one, as
    a read-only root has. What can't be told is not volatile."""
    mounts = _mounts(root)
    kind, options = _mount_of(os.path.realpath(folder), mounts)
    if kind == "overlay":
        upper = next((it.removeprefix("upperdir=") for it in options if it.startswith("upperdir=")), "")
        # A container's upper folder is out of sight, below the root that is seen from within.
        kind, _ = _mount_of(upper, {at: it for at, it in mounts.items() if at != "/"}) if upper else ("", [])
    return kind in {"tmpfs", "ramfs"}


def _mounts(root: Path) -> dict[str, tuple[str, list[str]]]:
    """(kind of file system, its options) by where it is mounted; see proc_pid_mountinfo(5)."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in _text(root / "proc/self/mountinfo").splitlines():
        place, _, more = line.partition(" - ")
        fields, about = place.split(), more.split()
        if len(fields) > 4 and len(about) > 2:
            found[fields[4].replace("\\040", " ")] = about[0], about[2].split(",")
    return found


def _mount_of(folder: str, mounts: dict[str, tuple[str, list[str]]]) -> tuple[str, list[str]]:
    at = max((it for it in mounts if f"{folder}/".startswith(it.rstrip("/") + "/")), key=len, default="")
    return mounts.get(at, ("", []))


def _text(path: Path) -> str:
    """A file's text, empty where there is none or it can't be read: /sys has files that only answer at times."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(_text(path).strip(), base)
    except ValueError:
        return None


def _disk(data: Path) -> tuple[int | None, int | None, bool]:
    try:
        it = os.statvfs(data)
    except OSError:
        return None, None, False
    return (
        it.f_bavail * it.f_frsize // _MEGABYTE,
        it.f_blocks * it.f_frsize // _MEGABYTE,
        bool(it.f_flag & os.ST_RDONLY),
    )


def _disk_errors(root: Path) -> int | None:
    counts = [_number(path) for path in sorted(root.glob("sys/fs/ext4/*/errors_count"))]
    told = [count for count in counts if count is not None]
    return sum(told) if told else None


def _wear(root: Path) -> int | None:
    """The more used of a chip's two kinds of cells, of the most used chip."""
    steps: list[int] = []
    for path in root.glob("sys/block/mmcblk*/device/life_time"):
        try:
            steps += [int(step, 16) for step in _text(path).split()]
        except ValueError:
            continue
    used = max((step for step in steps if 0 < step <= _LIFE_STEPS_MAX), default=None)
    return None if used is None else min(100, used * _LIFE_STEP_PERCENT)


def _memory(root: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        if name in {"MemAvailable", "MemTotal"} and (parts := value.split()) and parts[0].isdigit():
            found[name] = int(parts[0]) * 1024 // _MEGABYTE
    return found


def _own_memory(root: Path) -> int | None:
    for line in _text(root / "proc/self/status").splitlines():
        name, _, value = line.partition(":")
        if name == "VmRSS" and (parts := value.split()) and parts[0].isdigit():
            return int(parts[0]) * 1024 // _MEGABYTE
    return None


def _temperature(root: Path) -> int | None:
    """The processor's, in degrees: the first thermal zone on every Raspberry Pi."""
    milli = _number(root / "sys/class/thermal/thermal_zone0/temp")
    return milli // 1000 if milli is not None and -100_000 <= milli <= 250_000 else None


def _power(root: Path) -> Literal["ok", "low_now", "low_before"] | None:
    flags = _number(root / "sys/devices/platform/soc/soc:firmware/get_throttled", 16)
    if flags is None:
        return _power_alarm(root)
    if flags & _LOW_NOW:
        return "low_now"
    return "low_before" if flags & _LOW_BEFORE else "ok"


def _power_alarm(root: Path) -> Literal["ok", "low_now"] | None:
    """What kernels without that file have instead: the driver raspberrypi-hwmon."""
    for name in root.glob("sys/class/hwmon/hwmon*/name"):
        if _text(name).strip() == "rpi_volt":
            alarm = _number(name.with_name("in0_lcrit_alarm"))
            return None if alarm is None else "low_now" if alarm else "ok"
    return None
