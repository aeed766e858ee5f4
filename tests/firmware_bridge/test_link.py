"""The link: every message exactly once and in order, through noise, losses, doubles and restarts of either end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge import link, messages
from firmware_bridge.frames import framed
from firmware_bridge.link import BoardEnd, End, LinkFull, TillEnd

KIND = 0x7F
DESCRIBED = (messages.CAN_TRANSCEIVE, 62, "test")


@dataclass
class Line:
    """Both ways between two ends, a millisecond at a time. `noise`: the chance of a byte to be damaged."""

    seed: int = 0
    noise: float = 0.0
    loss: float = 0.0
    doubling: float = 0.0
    now_ms: int = 0
    told_till: list[tuple[int, bytes]] = field(default_factory=list)
    told_board: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.boots = self.tills = 0
        self.start_board()
        self.start_till()

    def start_board(self) -> None:
        self.boots += 1
        self.board = BoardEnd(self.boots.to_bytes(4), DESCRIBED)

    def start_till(self) -> None:
        self.tills += 1
        self.till = TillEnd(self.tills.to_bytes(4))

    def run(self, ms: int) -> None:
        for _ in range(ms):
            self.now_ms += 1
            told = self.board.receive(self._through(self.till), self.now_ms)
            self.told_board += [it for it in told if it[0] == KIND]
            told = self.till.receive(self._through(self.board), self.now_ms)
            self.told_till += [it for it in told if it[0] == KIND]
            if self.till.lost is not None:
                self.start_till()
            if self.board.lonely(self.now_ms):
                self.board.end()

    def _through(self, end: End) -> bytes:
        data = end.outgoing(self.now_ms)
        if data and self.loss and self.dice.random() < self.loss:
            return b""
        if data and self.doubling and self.dice.random() < self.doubling:
            data += data
        if not self.noise:
            return data
        return bytes(self.dice.randrange(256) if self.dice.random() < self.noise else byte for byte in data)

    def meet(self) -> None:
        for _ in range(3000):
            if self.till.session and self.till.session == self.board.session:
                return
            self.run(1)
        raise AssertionError("no session")


def test_a_session_begins_and_both_speak() -> None:
    line = Line()
    line.run(4)
    assert line.till.board == (1, b"\x00\x00\x00\x01", *DESCRIBED)
    line.board.send(KIND, b"card")
    line.till.send(KIND, b"light")
    line.run(4)
    assert (line.told_till, line.told_board) == ([(KIND, b"card")], [(KIND, b"light")])
    assert line.board.settled
    assert line.till.settled
    assert line.board.resent == line.till.resent == 0


@pytest.mark.parametrize(("noise", "size", "within_ms"), [(0.05, 10, 20_000), (0.005, 60, 8_000)])
def test_a_hundred_messages_each_way_arrive_once_at_the_worst_noise_that_is_promised(
    noise: float, size: int, within_ms: int
) -> None:
    line = Line(seed=3, noise=noise)
    line.meet()
    sent = [(KIND, bytes([n]) * size) for n in range(100)]
    for kind, payload in sent:
        for end in (line.board, line.till):
            while True:
                try:
                    end.send(kind, payload)
                    break
                except LinkFull:
                    line.run(1)
                    assert line.now_ms < within_ms
    while not (line.board.settled and line.till.settled):
        line.run(1)
        assert line.now_ms < within_ms
    assert line.told_till == line.told_board == sent
    assert line.tills == 1, "the session held"
    assert line.board.resent > 0


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("board says"), st.integers(1, 4)),
        st.tuples(st.just("till says"), st.integers(1, 4)),
        st.tuples(st.just("run"), st.integers(1, 120)),
        st.tuples(st.just("cable out"), st.sampled_from([10, 900, 3500])),
        st.tuples(st.just("board starts again"), st.just(0)),
        st.tuples(st.just("till starts again"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(
    ACTS,
    st.integers(0, 2**16),
    st.sampled_from([0.0, 0.005, 0.05]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([0.0, 0.2]),
)
def test_nothing_twice_nothing_out_of_order_and_all_of_a_session_that_lasts(
    acts: list[tuple[str, int]], seed: int, noise: float, loss: float, doubling: float
) -> None:
    line = Line(seed, noise, loss, doubling)
    # What each end said in each session it was in.
    said: dict[str, dict[tuple[int, int], list[bytes]]] = {"board": {}, "till": {}}
    count = 0
    for act, much in acts:
        if act in ("board says", "till says"):
            end: End = line.board if act == "board says" else line.till
            for _ in range(much if end.session else 0):
                count += 1
                payload = count.to_bytes(4)
                try:
                    end.send(KIND, payload)
                except LinkFull:
                    continue
                starts = line.boots if end is line.board else line.tills
                said[act.split()[0]].setdefault((starts, end.session), []).append(payload)
        elif act == "cable out":
            loss_before, line.loss = line.loss, 1.0
            line.run(much)
            line.loss = loss_before
        elif act == "board starts again":
            line.start_board()
        elif act == "till starts again":
            line.start_till()
        else:
            line.run(much)
    line.noise = line.loss = line.doubling = 0.0
    line.run(200)
    line.meet()
    line.run(2000)
    for who, told, starts in (("board", line.told_till, line.boots), ("till", line.told_board, line.tills)):
        heard = [payload for _, payload in told]
        assert len(heard) == len(set(heard)), "nothing twice"
        assert heard == sorted(heard), "nothing out of order"
        for session, payloads in said[who].items():
            got = [payload for payload in heard if payload in payloads]
            assert got == payloads[: len(got)], "no gap within a session"
            assert session != (starts, line.board.session) or got == payloads, "all of a session that lasts"
    assert line.board.settled
    assert line.till.settled


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.binary(min_size=1, max_size=200).map(framed)), max_size=20))
def test_any_bytes_into_either_end_raise_nothing_and_end_no_good_session_for_long(pieces: list[bytes]) -> None:
    line = Line()
    line.meet()
    for piece in pieces:
        line.now_ms += 1
        for end in (line.board, line.till):
            end.receive(piece, line.now_ms)
            end.outgoing(line.now_ms)
    line.run(100)
    line.meet()
    line.told_till.clear()
    line.board.send(KIND, b"still here")
    line.run(100)
    assert line.told_till[-1:] == [(KIND, b"still here")]


def test_a_board_that_starts_again_is_noticed_at_once() -> None:
    line = Line()
    line.meet()
    line.start_board()
    line.till.send(KIND, b"to the one before")
    line.run(3)
    assert line.tills == 2, "a new session was begun"
    line.meet()
    line.run(50)
    assert line.told_board == []


def test_a_board_that_falls_silent_is_lost_within_a_second_or_so() -> None:
    line = Line()
    line.meet()
    line.loss = 1.0
    line.run(link.BOARD_SILENT_MS - link.PING_MS - 5)
    assert line.tills == 1
    line.run(link.PING_MS + 10)
    assert line.tills == 2


def test_a_line_on_which_nothing_happens_is_not_lost_for_noise() -> None:
    line = Line(seed=5, noise=0.05)
    line.meet()
    tills = line.tills
    line.run(60_000)
    assert line.tills == tills


def test_a_till_that_was_stopped_for_two_seconds_goes_on_with_its_session() -> None:
    line = Line()
    line.meet()
    line.now_ms += 2000
    line.board.send(KIND, b"card")
    line.run(50)
    assert (line.tills, line.told_till) == (1, [(KIND, b"card")])


def test_a_till_that_is_gone_ends_the_session_on_the_board_and_what_waited_is_forgotten() -> None:
    line = Line()
    line.meet()
    line.board.send(KIND, b"an old tap")
    line.loss = 1.0
    line.run(link.TILL_SILENT_MS + 10)
    assert line.board.session == 0
    line.loss = 0.0
    line.meet()
    line.run(100)
    assert line.told_till == []


def test_a_hello_that_is_said_twice_begins_one_session() -> None:
    board = BoardEnd(b"boot", DESCRIBED)
    till = TillEnd(b"nonc")
    hello = till.outgoing(1)
    assert board.receive(hello, 1) == [(messages.HELLO, b"")]
    session = board.session
    board.send(KIND, b"first")
    assert board.receive(hello, 2) == []
    assert board.session == session
    assert not board.settled
    assert board.receive(TillEnd(b"othe").outgoing(3), 3) == [(messages.HELLO, b"")]
    assert board.session != session
    assert board.settled


def test_ends_without_a_version_in_common_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    till = TillEnd(b"nonc")
    hello = till.outgoing(1)
    monkeypatch.setattr(messages, "VERSION_MIN", 2)
    monkeypatch.setattr(messages, "VERSION_MAX", 2)
    board = BoardEnd(b"boot", DESCRIBED)
    assert board.receive(hello, 1) == []
    till.receive(board.outgoing(1), 1)
    assert till.lost == "the board and the till have no version of the protocol in common"
    assert board.session == 0


def test_a_damaged_frame_is_asked_for_at_once_and_not_after_the_whole_wait() -> None:
    line = Line()
    line.meet()
    line.run(20)
    line.board.send(KIND, b"card")
    frame = bytearray(line.board.outgoing(line.now_ms))
    frame[6] ^= 1
    line.now_ms += 5
    line.till.receive(bytes(frame), line.now_ms)
    line.run(5)
    assert line.told_till == [(KIND, b"card")]


def test_a_payload_that_is_too_long_and_a_queue_that_is_full_are_refused() -> None:
    line = Line()
    line.meet()
    with pytest.raises(ValueError, match="too long"):
        line.board.say(KIND, bytes(link.PAYLOAD_MAX + 1))
    line.loss = 1.0
    for _ in range(link.QUEUE_MAX):
        line.board.send(KIND)
    with pytest.raises(LinkFull):
        line.board.send(KIND)
