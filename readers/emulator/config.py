"""What is on the card tray: cards, and the readers they can be laid on.

The file is JSON:

    {"host": "127.0.0.1", "port": 8090,
     "fields": [{"name": "La Raffinerie - bar", "udp_port": 0}],
     "cards": [{"label": "Awa", "uid": "04a1b2c3d4e580", "note": "40,00 €", "url": "http://..."}]}

`port` and `udp_port` 0 take any free port. `note` and `url` may be left out.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from readers.emulator.cards import UID_SIZES


def tidy_uid(text: str) -> str:
    """A UID in lower-case hex without spaces, colons or dashes; its form alone is changed."""
    return text.translate(str.maketrans("", "", " :-")).lower()


def _known_uid(text: str) -> str:
    uid = tidy_uid(text)
    try:
        size = len(bytes.fromhex(uid))
    except ValueError:
        raise ValueError("a UID is written in hexadecimal") from None
    if size not in UID_SIZES:
        raise ValueError(f"a UID has 4, 7 or 10 bytes, not {size}")
    return uid


Port = Annotated[int, Field(ge=0, le=65535)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class TrayCard(_Model):
    """One card on the tray; `url` is the holder's page that its chip and its QR code lead to."""

    label: Annotated[str, Field(min_length=1)]
    uid_hex: Annotated[str, AfterValidator(_known_uid), Field(validation_alias=AliasChoices("uid_hex", "uid"))]
    note: str = ""
    url: str | None = None


class TrayField(_Model):
    """One reader, by the name its terminal shows."""

    name: Annotated[str, Field(min_length=1)]
    udp_port: Port = 0


class TrayConfig(_Model):
    """The whole tray and where it listens."""

    host: str = "127.0.0.1"
    port: Port = 0
    fields: Annotated[tuple[TrayField, ...], Field(min_length=1)]
    cards: tuple[TrayCard, ...] = ()

    @model_validator(mode="after")
    def _no_doubles(self) -> Self:
        names = Counter([field.name for field in self.fields])
        uids = Counter([card.uid_hex for card in self.cards])
        doubles = [key for key, times in (names + uids).items() if times > 1]
        if doubles:
            raise ValueError(f"named twice: {', '.join(doubles)}")
        return self

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the JSON file. Raises OSError, or pydantic's ValidationError which says what is wrong where."""
        return cls.model_validate_json(path.read_bytes())
