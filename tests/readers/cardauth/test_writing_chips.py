"""Keys and addresses on the other chips, emulated: written, read back, torn at every command, locked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from readers.cardauth import Malformed, NotProven, Refused, ntag424, type2, ultralight
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.encoding_desfire import write_desfire
from readers.cardauth.encoding_ntag21x import write_ntag21x
from readers.cardauth.encoding_ultralight import AgainFirst, write_ultralight
from readers.cardauth.errors import Exchange
from readers.cardauth.isodep import IsoDep
from readers.emulator import Card, Desfire, Ntag213, Ntag215, Ntag216, Ntag424, Torn, UltralightAes
from readers.taps import CardSilent

UID = bytes.fromhex("04a1b2c3d4e580")
APPLICATION = b"CMP"
FIRST, SECOND = (tuple(bytes([of + number] * 16) for number in range(5)) for of in (10, 20))
ZEROS = (bytes(16),) * 5
ADDRESS = "https://comptoir.example/c/abcdefghijklmnopqrstuv"
OTHER = "https://elsewhere.example/c/abcdefghijklmnopqrstuv"
Write = Callable[[Card], None]


def laid_down(card: Card) -> Exchange:
    """A reader that just found it."""
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


def on_desfire(
    card: Card, before: tuple[bytes, ...] = ZEROS, after: tuple[bytes, ...] = FIRST, version: int = 1
) -> None:
    write_desfire(IsoDep(laid_down(card)).transceive, APPLICATION, before, after, version)


def on_ultralight(
    card: Card,
    before: tuple[bytes, ...] = ZEROS,
    after: tuple[bytes, ...] = FIRST,
    version: int = 1,
    address: str | None = ADDRESS,
    *,
    lock: bool = False,
) -> None:
    write_ultralight(laid_down(card), before[:2], after[:2], version, address, lock=lock)


def torn_at_each(made: Callable[[], Card], write: Write, whole: Callable[[Card], bool], *, heard: bool) -> None:
    """Taken away at every command of a writing, and finished when it is laid down again."""
    first = Torn(made(), 10**6)
    write(first)
    assert first.commands > 5
    for at in range(first.commands):
        card = made()
        torn = Torn(card, at, heard=heard)
        with pytest.raises(CardSilent):
            write(torn)
        torn.put_back()
        try:
            write(torn)
        except AgainFirst:
            write(torn)
        assert whole(card), at


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
class TestTorn:
    def test_a_new_desfire(self, heard: bool) -> None:
        torn_at_each(lambda: Desfire(UID), on_desfire, lambda card: card.keys == list(FIRST), heard=heard)  # type: ignore[attr-defined]

    def test_a_desfire_that_has_keys(self, heard: bool) -> None:
        torn_at_each(
            lambda: Desfire(UID, APPLICATION, FIRST),
            lambda card: on_desfire(card, FIRST, SECOND, 2),
            lambda card: card.keys == list(SECOND),  # type: ignore[attr-defined]
            heard=heard,
        )

    def test_a_new_ultralight(self, heard: bool) -> None:
        torn_at_each(lambda: UltralightAes(UID), on_ultralight, lambda card: ours(card, FIRST), heard=heard)

    def test_an_ultralight_that_has_keys(self, heard: bool) -> None:
        def keyed() -> Card:
            card = UltralightAes(UID)
            on_ultralight(card)
            return card

        torn_at_each(
            keyed,
            lambda it: on_ultralight(it, FIRST, SECOND, 2, OTHER),
            lambda it: ours(it, SECOND, OTHER),
            heard=heard,
        )

    def test_an_ultralight_that_is_locked_as_well(self, heard: bool) -> None:
        torn_at_each(
            lambda: UltralightAes(UID),
            lambda card: on_ultralight(card, lock=True),
            lambda card: ours(card, FIRST),
            heard=heard,
        )

    def test_an_ntag213_that_is_locked(self, heard: bool) -> None:
        torn_at_each(
            lambda: Ntag213(UID, "https://old.example/"),
            lambda card: write_ntag21x(laid_down(card), "NTAG213", ADDRESS, lock=True),
            lambda card: type2.holds(laid_down(card), type2.laid_out(ADDRESS)),
            heard=heard,
        )


def ours(card: Card, keys: tuple[bytes, ...], address: str = ADDRESS) -> bool:
    """Whether an Ultralight AES holds these keys and this address, and nobody else may write it."""
    exchange = laid_down(card)
    if not type2.holds(exchange, type2.laid_out(address)):
        return False
    with pytest.raises(Refused):
        type2.write(exchange, type2.FIRST, bytes(4))
    ultralight.authenticate(exchange, ultralight.UID_KEY, keys[1])
    ultralight.authenticate(exchange, ultralight.DATA_KEY, keys[0])
    return True


def test_what_is_on_a_desfire_beside_our_keys_decides() -> None:
    with pytest.raises(Refused, match="a new application with status 9D"):
        on_desfire(Desfire(UID, closed=True))
    other = Desfire(UID, APPLICATION, SECOND)
    with pytest.raises(NotProven):
        on_desfire(other)
    assert other.keys == list(SECOND)


def test_an_ultralight_with_other_keys_is_left_as_it_is() -> None:
    card = UltralightAes(UID, (SECOND[0], SECOND[1]), protected_from=4)
    with pytest.raises(NotProven):
        on_ultralight(card)
    assert card.keys == SECOND[:2]


def test_a_chip_that_learns_its_key_when_it_is_laid_down_again_is_never_closed_before_it_proved_it() -> None:
    card = UltralightAes(UID, slow_keys=True)
    with pytest.raises(AgainFirst):
        on_ultralight(card)
    type2.write(laid_down(card), type2.FIRST, bytes(4))
    on_ultralight(card)
    assert ours(card, FIRST), "also the address that somebody changed while the chip was open"
    with pytest.raises(AgainFirst):
        on_ultralight(card, FIRST, SECOND, 2)
    on_ultralight(card, FIRST, SECOND, 2)
    assert ours(card, SECOND)


def test_what_is_locked_stays_and_new_keys_are_written_all_the_same() -> None:
    card = UltralightAes(UID)
    on_ultralight(card, lock=True)
    on_ultralight(card, FIRST, SECOND, 2, lock=True)
    assert ours(card, SECOND)
    with pytest.raises(Refused, match="to be written"):
        on_ultralight(card, SECOND, FIRST, 3, OTHER)
    dna = Ntag424(UID)
    sun = ADDRESS + "?e={e}&c={c}"
    write_ntag424(IsoDep(laid_down(dna)).transceive, ZEROS, FIRST, 1, sun, lock=True)
    write_ntag424(IsoDep(laid_down(dna)).transceive, FIRST, SECOND, 2, sun, lock=True)
    session = ntag424.authenticate(IsoDep(laid_down(dna)).transceive, 0, SECOND[0])
    with pytest.raises(Refused):
        ntag424.write(session, ntag424.NDEF_FILE, b"\0\0", mode="plain")
    with pytest.raises(Malformed, match="not the one that was written"):
        write_ntag424(IsoDep(laid_down(dna)).transceive, SECOND, SECOND, 2, OTHER + "?e={e}&c={c}")


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_an_ntag424_that_is_torn_while_it_is_locked_is_finished(heard: bool) -> None:
    sun = ADDRESS + "?e={e}&c={c}"

    def write(card: Card) -> None:
        write_ntag424(IsoDep(laid_down(card)).transceive, ZEROS, FIRST, 1, sun, lock=True)

    torn_at_each(lambda: Ntag424(UID), write, lambda card: card.keys == list(FIRST), heard=heard)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("made", "last"), [(Ntag213, 0x27), (Ntag215, 0x81), (Ntag216, 0xE1)])
def test_of_a_locked_ntag21x_no_page_is_ever_written_again(made: type[Ntag213], last: int) -> None:
    card = made(UID)
    model = {0x27: "NTAG213", 0x81: "NTAG215", 0xE1: "NTAG216"}[last]
    write_ntag21x(laid_down(card), model, OTHER, lock=False)  # type: ignore[arg-type]
    write_ntag21x(laid_down(card), model, ADDRESS, lock=True)  # type: ignore[arg-type]
    exchange = laid_down(card)
    for page in (*range(3, last + 1), last + 2, last + 3):
        with pytest.raises(Refused):
            type2.write(exchange, page, b"mine")
    assert type2.holds(exchange, type2.laid_out(ADDRESS))
    write_ntag21x(laid_down(card), model, ADDRESS, lock=True)  # type: ignore[arg-type]
    with pytest.raises(Refused):
        write_ntag21x(laid_down(card), model, OTHER, lock=False)  # type: ignore[arg-type]


def test_an_address_that_does_not_fit_is_refused_before_anything_is_written() -> None:
    card = Ntag213(UID, ADDRESS)
    with pytest.raises(ValueError, match="too long"):
        write_ntag21x(laid_down(card), "NTAG213", ADDRESS + "x" * 150, lock=True)
    assert type2.holds(laid_down(card), type2.laid_out(ADDRESS))
    fresh = UltralightAes(UID)
    with pytest.raises(ValueError, match="too long"):
        on_ultralight(fresh, address=ADDRESS + "x" * 150)
    assert fresh.keys == ZEROS[:2]
