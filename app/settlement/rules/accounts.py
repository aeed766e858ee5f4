"""Bank details as people type them, checked: IBAN (ISO 13616, length by country and mod 97), BIC (ISO 9362), address.

Since 15 November 2026 payment messages carry structured addresses or none (EPC 153-22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

HOLDER_MAX = 70  # Max70Text in the European rulebooks, whatever the schema allows
STREET_MAX, BUILDING_MAX, POSTCODE_MAX, TOWN_MAX = 70, 16, 16, 35


class NotAnAccount(ValueError):
    """`field` is what is not right: holder, iban, bic or town."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Details:
    """`iban` and `bic` without spaces, in capitals. An address has at least `town` and `country` (ISO 3166), or there
    is none and all its parts are empty."""

    holder: str
    iban: str
    bic: str = ""
    street: str = ""
    building: str = ""
    postcode: str = ""
    town: str = ""
    country: str = ""


def checked(typed: Details) -> Details:
    """The details as they are kept. Raises NotAnAccount."""
    found = Details(*(" ".join(getattr(typed, it).split()) for it in Details.__dataclass_fields__))
    if not 0 < len(found.holder) <= HOLDER_MAX or not found.holder.isprintable():
        raise NotAnAccount("holder")
    try:
        # Lists of banks that a library carries grow old: a new bank's customers have accounts too.
        iban = ibans.validate(found.iban, check_country=False)
    except ValidationError as error:
        raise NotAnAccount("iban") from error
    try:
        bic = bics.validate(found.bic) if found.bic else ""
    except ValidationError as error:
        raise NotAnAccount("bic") from error
    country = found.country.upper()
    address = (found.street, found.building, found.postcode, found.town, country)
    most = (STREET_MAX, BUILDING_MAX, POSTCODE_MAX, TOWN_MAX, 2)
    whole = bool(found.town) and len(country) == 2 and country.isascii() and country.isalpha()
    if any(address) and not (whole and all(len(it) <= n for it, n in zip(address, most, strict=True))):
        raise NotAnAccount("town")
    return replace(found, iban=iban, bic=bic, country=country)


def spelled(iban: str) -> str:
    """In groups of four, as it is printed."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
