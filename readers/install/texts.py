"""The files that make a machine a terminal, as text.

Sources: systemd.exec(5), systemd.service(5), udev(7), sysusers.d(5), the Desktop Application Autostart Specification,
cage's page about starting on boot with systemd, and nfcpy's list of devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kiosk = Literal["desktop", "cage", "none"]

MARK = "# Written by `comptoir terminal install`; `comptoir terminal uninstall` takes it away."

UNIT = Path("etc/systemd/system/comptoir-terminal.service")
KIOSK_UNIT = Path("etc/systemd/system/comptoir-kiosk.service")
ENABLED = Path("etc/systemd/system/multi-user.target.wants/comptoir-terminal.service")
KIOSK_ENABLED = Path("etc/systemd/system/multi-user.target.wants/comptoir-kiosk.service")
WATCHDOG = Path("etc/systemd/system.conf.d/60-comptoir.conf")
USERS = Path("etc/sysusers.d/comptoir-terminal.conf")
UDEV = Path("etc/udev/rules.d/70-comptoir-reader.rules")
MODULES = Path("etc/modprobe.d/comptoir-reader.conf")
AUTOSTART = Path("etc/xdg/autostart/comptoir-kiosk.desktop")
PAM = Path("etc/pam.d/comptoir-kiosk")
SETTINGS = Path("etc/comptoir/terminal.env")
DATA = Path("/var/lib/comptoir-terminal")

# (vendor, product) of the USB readers that nfcpy opens: RC-S380, SCL3711 and other PN533, ACR122U and Arygon.
_USB_READERS = (
    ("054c", "06c1"), ("054c", "06c3"), ("054c", "02e1"), ("054c", "0193"),
    ("04e6", "5591"), ("04e6", "5593"), ("04cc", "0531"), ("04cc", "2533"), ("072f", "2200"),
)  # fmt: skip
# Serial adapters that PN532 boards are sold with: CP210x, CH340, FT232.
_USB_SERIAL = (("10c4", "ea60"), ("1a86", "7523"), ("0403", "6001"))


# What neither service ever needs to do.
HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
UMask=0077
PrivateTmp=yes
ProtectHome=yes
ProtectSystem=strict
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the terminal is to be. `program` is the whole path of the command `comptoir`. `settings`: lines of
    the environment file, which is only ever made and never changed, since it may hold a pairing code."""

    program: str
    kiosk: Kiosk = "none"
    kiosk_port: int = 8001
    browser: str = "chromium"
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A file (`text`), or a link to `link`. `keep`: what stands there already stays as it is."""

    path: Path
    text: str = ""
    link: str | None = None
    mode: int = 0o644
    keep: bool = False


def files(wishes: Wishes) -> list[Target]:
    """Everything that is to stand, relative to the root."""
    found = [
        Target(USERS, _users(wishes)),
        Target(SETTINGS, _settings(wishes), mode=0o600, keep=True),
        Target(UDEV, _udev()),
        Target(MODULES, _modules()),
        Target(WATCHDOG, watchdog(MARK)),
        Target(UNIT, _unit(wishes)),
        Target(ENABLED, link="/" + str(UNIT)),
    ]
    if wishes.kiosk == "desktop":
        found.append(Target(AUTOSTART, _autostart(wishes)))
    if wishes.kiosk == "cage":
        found += [
            Target(PAM, _pam()),
            Target(KIOSK_UNIT, _kiosk_unit(wishes)),
            Target(KIOSK_ENABLED, link="/" + str(KIOSK_UNIT)),
        ]
    return found


def every_path() -> list[Path]:
    """Every file that some install may have written and that an uninstall takes away. Not the settings: they are
    the operator's. Not the data: it may hold sales."""
    return [USERS, UDEV, MODULES, WATCHDOG, ENABLED, UNIT, AUTOSTART, PAM, KIOSK_ENABLED, KIOSK_UNIT]


def _users(wishes: Wishes) -> str:
    lines = [
        MARK,
        f'u comptoir - "Comptoir terminal" {DATA} /usr/sbin/nologin',
        "m comptoir dialout",
        "m comptoir plugdev",
    ]
    if wishes.kiosk == "cage":
        lines += [
            'u comptoir-kiosk - "Comptoir staff screen" /run/comptoir-kiosk /usr/sbin/nologin',
            "m comptoir-kiosk video",
            "m comptoir-kiosk render",
            "m comptoir-kiosk input",
            "m comptoir-kiosk audio",
        ]
    return "\n".join(lines) + "\n"


def _settings(wishes: Wishes) -> str:
    lines = [f"{name}={value}" for name, value in wishes.settings.items() if value]
    return "\n".join(["# Settings of this terminal: docs/raspberry-pi.md names them all.", *lines]) + "\n"


def _unit(wishes: Wishes) -> str:
    return f"""{MARK}
[Unit]
Description=Comptoir terminal
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.service.html
# It waits for nothing from the network: after a power cut it sells offline, within its limits, as soon as it is up.
# It does wait for the partition of its journal, so that it never begins an empty one beside it.
RequiresMountsFor={DATA}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
User=comptoir
Group=comptoir
SupplementaryGroups=dialout plugdev
StateDirectory={DATA.name}
StateDirectoryMode=0700
Environment=COMPTOIR_TERMINAL_DATA={DATA}
EnvironmentFile=/{SETTINGS}
# Sales must not be kept in memory only, as under a read-only root without a partition for the journal.
ExecStartPre={wishes.program} terminal check --data {DATA}
ExecStart={wishes.program} terminal
Restart=always
RestartSec=2
# Status 2: not paired, or the code was not taken. Trying again would not help.
RestartPreventExitStatus=2
# The till says every few seconds that its loop turns and its journal answers; a till that hangs is started anew.
WatchdogSec=30
TimeoutStartSec=60
TimeoutStopSec=10
OOMScoreAdjust=-800
Nice=-5

# Not here, on purpose: DeviceAllow= and what implies it, for a USB reader's driver may be loaded after the start; and
# MemoryDenyWriteExecute=, for libusb calls back into the program through pages that are written first.
{HARDENED}
[Install]
WantedBy=multi-user.target
"""


def _udev() -> str:
    lines = [MARK, "# USB readers belong to the terminal, and do not fall asleep between two cards."]
    lines += [
        f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{vendor}", ATTR{{idProduct}}=="{product}",'
        ' GROUP="plugdev", MODE="0660", ATTR{power/control}="on"'
        for vendor, product in _USB_READERS
    ]
    lines.append("# A PN532 on a serial adapter has the same name in every socket: tty:/dev/comptoir-reader:pn532")
    lines += [
        f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}",'
        ' GROUP="dialout", MODE="0660", SYMLINK+="comptoir-reader"'
        for vendor, product in _USB_SERIAL
    ]
    lines.append("# The Pi's own serial ports.")
    lines.append('KERNEL=="ttyAMA[0-9]*", GROUP="dialout", MODE="0660"')
    return "\n".join(lines) + "\n"


def _modules() -> str:
    return (
        f"{MARK}\n# The kernel's own NFC drivers would hold USB readers before the terminal can open them.\n"
        "blacklist pn533_usb\nblacklist pn533\nblacklist port100\nblacklist nfc\n"
    )


def watchdog(mark: str) -> str:
    return f"""{mark}
# The Pi's hardware watchdog restarts the machine when even systemd hangs. It counts to 15 seconds at most.
[Manager]
RuntimeWatchdogSec=14s
RebootWatchdogSec=2min
"""


def _kiosk_command(wishes: Wishes) -> str:
    return f"{wishes.program} terminal kiosk --browser {wishes.browser} --port {wishes.kiosk_port}"


def _autostart(wishes: Wishes) -> str:
    """Read by every desktop of Raspberry Pi OS: labwc and wayfire through lxsession-xdg-autostart, LXDE by itself."""
    return f"""{MARK}
[Desktop Entry]
Type=Application
Name=Comptoir till
Comment=The staff screen, full screen
Exec={_kiosk_command(wishes)}
Terminal=false
X-GNOME-Autostart-enabled=true
"""


def _pam() -> str:
    lines = ["auth required pam_unix.so nullok", "account required pam_unix.so"]
    lines += ["session required pam_unix.so", "session required pam_systemd.so"]
    return "\n".join([MARK, *lines]) + "\n"


def _kiosk_unit(wishes: Wishes) -> str:
    return f"""{MARK}
[Unit]
Description=Comptoir staff screen
Wants=comptoir-terminal.service dbus.socket systemd-logind.service
After=comptoir-terminal.service systemd-user-sessions.service getty@tty1.service dbus.socket systemd-logind.service
Conflicts=getty@tty1.service
ConditionPathExists=/dev/tty0
StartLimitIntervalSec=0

[Service]
User=comptoir-kiosk
PAMName=comptoir-kiosk
RuntimeDirectory=comptoir-kiosk
TTYPath=/dev/tty1
TTYReset=yes
TTYVHangup=yes
TTYVTDisallocate=yes
StandardInput=tty-fail
StandardOutput=journal
StandardError=journal
UtmpIdentifier=tty1
UtmpMode=user
ExecStart=/usr/bin/cage -s -- {_kiosk_command(wishes)}
Restart=always
RestartSec=2

[Install]
# Raspberry Pi OS Lite never reaches graphical.target.
WantedBy=multi-user.target
"""
