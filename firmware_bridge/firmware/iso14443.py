"""What both reader chips need of ISO/IEC 14443: the CRC of a card's frames, and smaller frames for a small buffer."""

_CRC_START = 0x6363


def crc_a(data: bytes) -> bytes:
    """CRC_A (ISO/IEC 14443-3, annex B), as it follows a frame."""
    crc = _CRC_START
    for each in data:
        byte = each ^ crc & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return bytes([crc & 0xFF, crc >> 8])


def without_crc(frame: bytes) -> bytes | None:
    """A card's frame that had its CRC at the end; None: it is damaged."""
    if len(frame) < 3 or crc_a(frame[:-2]) != frame[-2:]:
        return None
    return frame[:-2]


def is_rats(frame: bytes) -> bool:
    """The reader's first word in ISO/IEC 14443-4, which says how long frames may be."""
    return len(frame) == 2 and frame[0] == 0xE0


def lowered_rats(frame: bytes, code: int) -> bytes:
    """RATS that lets the card send frames of no more than what `code` stands for (table 1 of ISO/IEC 14443-4)."""
    return bytes([frame[0], min(frame[1] >> 4, code) << 4 | frame[1] & 0x0F])


def lowered_ats(ats: bytes, code: int) -> bytes:
    """The card's answer to it, so that nobody sends longer frames to the card."""
    if len(ats) < 2 or ats[0] != len(ats):
        return ats
    return bytes([ats[0], ats[1] & 0xF0 | min(ats[1] & 0x0F, code)]) + ats[2:]
