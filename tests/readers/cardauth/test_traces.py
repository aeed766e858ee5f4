"""Every byte sent and read, held against NXP's published traces: AN12196 rev. 2.0, AN12757, AN13452."""

from __future__ import annotations

import pytest

from app.rules.chips import aes
from readers.cardauth import NotProven, Refused, desfire, ev2, native, ntag424, ultralight
from tests.readers.cardauth.scripted import Script, drawing

ZEROS = bytes(16)
SELECT = ("00A4040C07D276000085010100", "9000")
# AN12196, table 14
AUTH_1 = ("9071000002000000", "A04C124213C186F22399D33AC2A3021591AF")
AUTH_2 = "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00"
PROOF = "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F081206639100"
RND_A = "13C5DB8A5930439FC3DEF9A4C675360F"
RND_B = "B9E2FC789B64BF237CCCAA20EC7E6E48"
ENC, MAC = "1309C877509E5A215007FF0ED19CA564", "4C6626F5E72EA694202139295C7A7FC7"

NDEF = "choose.url.com/ntag424?e={e}&c={c}"
# Table 17: the file padded with zeros to 128 bytes, encrypted.
WRITE = (
    "908D00009F02000000800000421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BFE596C706BC00F2176781D4B0"
    "242642A0FF5A42C461AAF894D9A1284B8C76BCFA658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B407C9D651A3315B273"
    "73772E5DA2367D2064AE054AF996C6F1F669170FA88CE8C4E3A4A7BBBEF0FD971FF532C3A802AF745660F2B4D1D9A8499661EBF300"
)


def session(script: Script, enc: str, mac: str, ti: str, counter: int) -> ev2.Session:
    return ev2.Session(script, bytes.fromhex(enc), bytes.fromhex(mac), bytes.fromhex(ti), counter)


def test_the_first_authentication_and_the_set_up_of_a_file_are_an12196s_tables_14_to_18() -> None:
    file = ntag424.sun_file("https://" + NDEF)
    assert (file.picc_offset, file.mac_offset, len(file.content)) == (0x20, 0x43, 0x53)
    script = Script(
        SELECT,
        AUTH_1,
        (AUTH_2, PROOF),
        (WRITE, "FC222E5F7A5424529100"),
        ("905F0000190261B6D97903566E84C3AE5274467E89EAD799B7C1A0EF7A0400", "57BFF87B1241E93D9100"),
    )
    opened = ntag424.authenticate(script, 0, ZEROS, drawing(RND_A))
    ntag424.write(opened, ntag424.NDEF_FILE, file.content.ljust(128, b"\x00"), mode="full")
    ntag424.set_up_sun(opened, file, meta_key=2, file_key=1)
    assert script.done


def test_the_keys_of_a_session_are_those_of_table_14() -> None:
    keys = ev2.session_keys(ZEROS, bytes.fromhex(RND_A), bytes.fromhex(RND_B))
    assert [key.hex().upper() for key in keys] == [ENC, MAC]


def test_keys_are_changed_as_in_tables_25_and_26() -> None:
    script = Script(
        (
            "90C4000029022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E600",
            "203BB55D1089D5879100",
        ),
        ("90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200", "9100"),
    )
    opened = session(script, "4CF3CB41A22583A61E89B158D252FC53", "5529860B2FC5FB6154B7F28361D30BF9", "7614281A", 2)
    ntag424.change_key(opened, 2, ZEROS, bytes.fromhex("F3847D627727ED3BC9C4CC050489B966"))
    ntag424.change_key_0(opened, bytes.fromhex("5004BF991F408672B1EF00F08F9E8647"))
    assert script.done
    with pytest.raises(ValueError, match="closed"):
        ntag424.key_version(opened, 1)


def test_the_settings_of_a_file_are_read_as_in_table_7() -> None:
    script = Script(
        ("90F5000009026597A457C8CD442C00", "0040EEEE000100D1FE001F00004400004400002000006A00002A474282E7A479869100")
    )
    opened = session(script, ENC, "8248134A386E86EB7FAF54A52E536CB6", "7A21085E", 0)
    settings = ntag424.file_settings(opened, ntag424.NDEF_FILE)
    assert settings.hex().upper() == "0040EEEE000100D1FE001F00004400004400002000006A0000"


def test_the_true_uid_is_read_as_in_table_28() -> None:
    script = Script(("90510000088E2C155ADDA99BE300", "70756055688505B52A5E26E59E329CD6595F672298EA41B79100"))
    opened = session(script, "2B4D963C014DC36F24F69A50A394F875", "379D32130CE61705DD5FD8C36B95D764", "DF055522", 0)
    assert ntag424.card_uid(opened).hex().upper() == "04958CAA5C5E80"


def test_an_answer_whose_mac_is_wrong_proves_nothing_and_closes_the_session() -> None:
    script = Script(("90510000088E2C155ADDA99BE300", "70756055688505B52A5E26E59E329CD6595F672298EA41B69100"))
    opened = session(script, "2B4D963C014DC36F24F69A50A394F875", "379D32130CE61705DD5FD8C36B95D764", "DF055522", 0)
    with pytest.raises(NotProven, match="MAC"):
        ntag424.card_uid(opened)
    with pytest.raises(ValueError, match="closed"):
        ntag424.card_uid(opened)


def test_a_card_that_does_not_know_the_key_says_so_or_is_found_out() -> None:
    says = Script(AUTH_1, (AUTH_2, "91AE"))
    with pytest.raises(NotProven, match="does not know"):
        ev2.authenticate(says, 0, ZEROS, drawing(RND_A))
    claims = Script(AUTH_1, (AUTH_2, PROOF.replace("3FA6", "3FA7")))
    with pytest.raises(NotProven, match="claims"):
        ev2.authenticate(claims, 0, ZEROS, drawing(RND_A))


def test_a_refusal_carries_the_cards_own_code() -> None:
    with pytest.raises(Refused, match="40") as caught:
        ev2.authenticate(Script(("9071000002070000", "9140")), 7, ZEROS)
    assert caught.value.status == 0x40


def test_desfire_authenticates_by_aes_as_in_an12757_table_20() -> None:
    script = Script(
        ("905A00000301020300", "9100"),
        ("90AA0000010000", "C5537C8EFFFCC7E152C27831AFD383BA91AF"),
        (
            "90AF0000201EF512D957973AED7E6E13991EB0FB431B373EA23400A3AC0B7749CD6FB1C32800",
            "FFC212245F03DB0EA0645A495190952A9100",
        ),
    )
    desfire.select(script, b"\x01\x02\x03")
    key = desfire.authenticate_aes(script, 0, ZEROS, drawing("2347C1557F80707ABDFF86BF9D965CA7"))
    assert key.hex().upper() == "2347C1551EA0353A9D965CA7B52FCA84"


ULTRALIGHT = (
    ("1A00", "AFD5A847B84862FF3874A7F07B8DDF351B"),
    (
        "AFCDF22C5F7A92F0AF0155612B9B236AC7A424BC5238D41AD041B8165B7D99E524",
        "002C743D6B1E128F8076BD197B76012CE8",
    ),
)


def test_an_ultralight_aes_authenticates_as_in_an13452() -> None:
    script = Script(*ULTRALIGHT)
    ultralight.authenticate(script, ultralight.DATA_KEY, ZEROS, drawing("F29B0123F5C00DF612487BBF42468C7E"))
    assert script.done


def test_an_ultralight_aes_that_gives_a_wrong_proof_or_a_nak_is_not_proven() -> None:
    for answer in ("002C743D6B1E128F8076BD197B76012CE9", "00"):
        with pytest.raises(NotProven):
            ultralight.authenticate(
                Script(ULTRALIGHT[0], (ULTRALIGHT[1][0], answer)),
                ultralight.DATA_KEY,
                ZEROS,
                drawing("F29B0123F5C00DF612487BBF42468C7E"),
            )


def test_the_command_mac_of_an_ultralight_aes_is_an13452s() -> None:
    # The second example's nonces; GET_VERSION is the command whose MAC the note gives.
    nonces = bytes.fromhex("42BDF7E08E110F14B6D3323D14F1C2B9"), bytes.fromhex("0D2BBA17011098E9864C8AA5192AF796")
    said = ultralight.Session(Script(), aes.cmac(ZEROS, aes.session_vector(b"\x5a\xa5", *nonces)))
    assert said._next_mac(b"\x60").hex() == "1d5de802d6751670"


def test_a_chips_version_comes_in_three_parts() -> None:
    script = Script(
        ("9060000000", "0404023000110591AF"),
        ("90AF000000", "0404020102110591AF"),
        ("90AF000000", "04958CAA5C5E80CF1142A4654518209100"),
    )
    assert native.get_version(script) == (0x04, 0x30, bytes.fromhex("04958CAA5C5E80"))
