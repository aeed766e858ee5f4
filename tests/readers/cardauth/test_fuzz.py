"""Whatever bytes a card sends, each protocol ends in an answer or a clear error; it never crashes and never hangs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readers.cardauth import CardTrouble, desfire, ev2, native, ntag21x, ntag424, type2, ultralight
from readers.cardauth.encoding_desfire import write_desfire
from readers.cardauth.encoding_ntag21x import write_ntag21x
from readers.cardauth.encoding_ultralight import write_ultralight
from readers.cardauth.isodep import IsoDep
from readers.taps import CardSilent
from tests.readers.cardauth.scripted import saying

KEY = bytes(range(16))

# Anything, and what looks like an answer: the right beginning or end around any bytes.
STATUSES = st.sampled_from([b"\x91\x00", b"\x91\xaf", b"\x91\xae", b"\x91\x90", b"\x90\x00"])
ANSWERS = st.one_of(
    st.binary(max_size=300),
    st.builds(bytes.__add__, st.binary(max_size=60), STATUSES),
    st.builds(bytes.__add__, st.binary(min_size=1, max_size=1), st.binary(max_size=40)),
    st.builds(bytes.__add__, st.sampled_from([8, 16, 32, 56]).map(bytes), STATUSES),
)


def a_session(exchange: Callable[[bytes], bytes]) -> ev2.Session:
    return ev2.Session(exchange, KEY, KEY, bytes(4))


TALKS: dict[str, Callable[[Callable[[bytes], bytes]], object]] = {
    "isodep": lambda card: IsoDep(card).transceive(bytes(100)),
    "ntag424": lambda card: ntag424.authenticate(IsoDep(card).transceive, 0, KEY),
    "ev2": lambda card: ev2.authenticate(card, 0, KEY),
    "uid": lambda card: ntag424.card_uid(a_session(card)),
    "read": lambda card: ntag424.read(a_session(card), 3, 16, mode="full"),
    "read open": lambda card: ntag424.read(a_session(card), 3, 16, mode="plain"),
    "change key": lambda card: ntag424.change_key(a_session(card), 1, KEY, KEY),
    "change key 0": lambda card: ntag424.change_key_0(a_session(card), KEY),
    "key version": lambda card: ntag424.key_version(a_session(card), 1),
    "version": native.get_version,
    "signature": native.read_signature,
    "desfire": lambda card: (desfire.select(card, b"\1\2\3"), desfire.authenticate_aes(card, 0, KEY)),
    "ultralight": lambda card: ultralight.authenticate(card, 0, KEY).read(4),
    "ultralight read": lambda card: ultralight.Session(card, KEY).read(4),
    "ultralight write": lambda card: ultralight.Session(card, KEY).write(4, b"abcd"),
    "ntag21x": lambda card: (ntag21x.model(card), ntag21x.signature(card), ntag21x.taps(card)),
    "pages": lambda card: type2.write_address(card, type2.laid_out("https://example.test/c/abc"), 39),
    "locks": lambda card: type2.lock(card, 40, b"\xff\x0f\x3f", whole=True),
    "address": lambda card: write_ntag21x(card, "NTAG213", "https://example.test/c/abc", lock=True),
    "ultralight keys": lambda card: write_ultralight(card, (KEY, KEY), (KEY, KEY), 1, None, lock=True),
    "desfire keys": lambda card: write_desfire(card, b"CMP", (KEY,) * 5, (KEY,) * 5, 1),
    "type 2": lambda card: (type2.version(card), type2.read(card, 0), ultralight.signature(card)),
    "rights": lambda card: ntag424.rights(a_session(card), 2),
    "password": lambda card: ntag21x.unlock(card, b"1234", b"56"),
}


@pytest.mark.parametrize("talk", TALKS)
@settings(max_examples=60)
@given(st.lists(ANSWERS, min_size=1, max_size=4))
def test_any_bytes_end_in_an_answer_or_a_clear_error(talk: str, answers: list[bytes]) -> None:
    told = ""
    try:
        TALKS[talk](saying(answers))
    except (CardTrouble, CardSilent) as error:
        told = str(error)
        assert told
    assert KEY.hex() not in told.lower()


@pytest.mark.parametrize("talk", ["ntag424", "ev2", "uid", "change key", "desfire", "ultralight", "key version"])
@settings(max_examples=40)
@given(st.lists(ANSWERS, min_size=1, max_size=4))
def test_no_card_that_does_not_know_the_key_is_ever_believed(talk: str, answers: list[bytes]) -> None:
    with pytest.raises((CardTrouble, CardSilent)):
        TALKS[talk](saying(answers))


@given(st.text(max_size=300))
def test_any_address_for_a_chip_is_laid_out_or_refused(address: str) -> None:
    for text in (address, "https://" + address, "https://" + address + "{e}{c}"):
        try:
            file = ntag424.sun_file(text)
        except ValueError:
            continue
        assert file.content[file.picc_offset : file.picc_offset + 32] == b"0" * 32
        assert file.content[file.mac_offset : file.mac_offset + 16] == b"0" * 16


@pytest.mark.parametrize(
    "call",
    [
        lambda card: ntag424.change_key(card, 0, KEY, KEY),
        lambda card: ntag424.change_key(card, 1, KEY, b"short"),
        lambda card: ntag424.change_key_0(card, b"short"),
        lambda card: ntag21x.unlock(card, b"long password", b"56"),
        lambda card: ultralight.Session(card, KEY).write(4, b"too long"),
        lambda card: native.send(card, 0x8D, bytes(256)),
    ],
)
def test_what_no_card_takes_is_refused_before_anything_is_sent(call: Callable[[object], object]) -> None:
    with pytest.raises(ValueError):
        call(None)


@given(st.text(max_size=300))
def test_any_address_for_pages_is_laid_out_or_refused(address: str) -> None:
    for text in (address, "https://" + address):
        try:
            content = type2.laid_out(text)
        except ValueError:
            continue
        assert len(content) % type2.PAGE == 0
        assert content[7 : 7 + len(text) - 8] == text.removeprefix("https://").encode()
