"""A PN532 on a microcontroller's SPI or I2C (NXP UM0701-02, 6.2.4 and 6.2.5), byte by byte."""

from __future__ import annotations

from readers.emulator.pn532_chip import ACK, Pn532Chip, framed, next_frame

I2C_ADDRESS = 0x24


class _Wired(Pn532Chip):
    """What the chip has to say next, and what it has heard. `dead`: it does nothing any more."""

    def __init__(self, rf_ms: float = 0.0) -> None:
        super().__init__(rf_ms)
        self.dead = False
        self._says: list[bytes] = []

    def _heard(self, data: bytes) -> None:
        frame = next_frame(data)
        if frame is None or self.dead:
            return
        # A new command takes the place of an answer that nobody fetched.
        self._says = [ACK, framed(self.execute(frame[1]))] if frame[1] else []

    @property
    def _ready(self) -> bool:
        return bool(self._says) and not self.dead

    def _fetched(self, size: int) -> bytes:
        said = self._says.pop(0) if self._ready else b""
        return said[:size] + bytes(size - len(said[:size]))


class Pn532OnSpi(_Wired):
    """`transfer` is one selection of the chip; bytes run lowest bit first, and so come turned round."""

    def transfer(self, out: bytes) -> bytes:
        turned = bytes(_turned(byte) for byte in out)
        match turned[0]:
            case 1:
                self._heard(turned[1:])
                answer = bytes(len(out))
            case 2:
                answer = b"\x00" + bytes([self._ready]) * (len(out) - 1)
            case 3:
                answer = b"\x00" + self._fetched(len(out) - 1)
            case _:
                answer = bytes(len(out))
        return bytes(_turned(byte) for byte in answer)


class Pn532OnI2c(_Wired):
    """Raises OSError where the chip does not take its address."""

    def write(self, address: int, data: bytes) -> None:
        self._take(address)
        self._heard(data)

    def read(self, address: int, size: int) -> bytes:
        self._take(address)
        if size == 1 or not self._ready:
            return bytes([self._ready]) + bytes(size - 1)
        return b"\x01" + self._fetched(size - 1)

    def _take(self, address: int) -> None:
        if address != I2C_ADDRESS or self.dead:
            raise OSError("nobody acknowledges")


def _turned(byte: int) -> int:
    return int(f"{byte:08b}"[::-1], 2)
