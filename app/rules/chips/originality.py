"""The maker's signature over a chip's UID: ECDSA by NXP, without a hash. It says that NXP made a chip with this UID.

It does not say that this chip is that one: a signature can be copied with its UID onto a chip whose UID may be written.
It stops the cheap copies, whose makers have no signature to put on them.

Keys: AN11350 (NTAG21x), AN11341 (Ultralight EV1), AN12196 7.2 (NTAG 424 DNA), AN13452 (Ultralight AES). Those of
DESFire were recovered from signatures of real chips, two of which stand in the tests.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

from ecdsa import BadDigestError, BadSignatureError, NIST192p, NIST224p, SECP128r1, VerifyingKey

Signed = Literal["ntag21x", "ultralight_ev1", "ultralight_aes", "ntag424", "desfire_ev2", "desfire_ev3"]

_KEYS: Final[dict[Signed, tuple[object, str]]] = {
    "ntag21x": (SECP128r1, "494E1A386D3D3CFE3DC10E5DE68A499B1C202DB5B132393E89ED19FE5BE8BC61"),
    "ultralight_ev1": (SECP128r1, "90933BDCD6E99B4E255E3DA55389A827564E11718E017292FAF23226A96614B8"),
    "ultralight_aes": (
        NIST192p,
        "53BF8C49B7BD9FE3207A91513B9C1D238ECAB07186B772104AB535F7D3AE63CF7C7F3DD0D169DA3E99E43C6399621A86",
    ),
    "ntag424": (
        NIST224p,
        "8A9B380AF2EE1B98DC417FECC263F8449C7625CECE82D9B916C992DA209D68422B81EC20B65A66B5102A61596AF3379200599316A00A1410",
    ),
    "desfire_ev2": (
        NIST224p,
        "B304DC4C615F5326FE9383DDEC9AA892DF3A57FA7FFB3276192BC0EAA252ED45A865E3B093A3D0DCE5BE29E92F1392CE7DE321E3E5C52B3A",
    ),
    "desfire_ev3": (
        NIST224p,
        "1DB46C145D0A36539C6544BD6D9B0AA62FF91EC48CBC6ABAE36E0089A46F0D08C8A715EA40A63313B92E90DDC1730230E0458A33276FB743",
    ),
}


def genuine(chip: Signed, uid: bytes, signature: bytes) -> bool:
    """Whether NXP signed this UID for such a chip. Any bytes may be given; what is no signature is not genuine."""
    return verifies(maker_key(chip), uid, signature)


def verifies(key: VerifyingKey, uid: bytes, signature: bytes) -> bool:
    """As `genuine`, under any key: chips can be given a signature of one's own."""
    try:
        return bool(key.verify_digest(signature, uid))
    except (BadSignatureError, BadDigestError, ValueError):
        return False


@cache
def maker_key(chip: Signed) -> VerifyingKey:
    curve, point = _KEYS[chip]
    return VerifyingKey.from_string(bytes.fromhex(point), curve=curve)
