"""Under MicroPython: the same bytes as under CPython, and the same refusals. Argument: a JSON file of the test's."""

import json
import sys

sys.path.insert(0, sys.argv[2])

from firmware_bridge import messages
from firmware_bridge.frames import Deframer, framed
from firmware_bridge.link import BoardEnd, TillEnd

with open(sys.argv[1]) as file:
    given = json.load(file)
for body, frame in given["frames"]:
    assert framed(bytes.fromhex(body)) == bytes.fromhex(frame), body
    assert Deframer().feed(bytes.fromhex(frame)) == [bytes.fromhex(body)], frame
deframer = Deframer()
for noise, bodies in given["noise"]:
    assert [body.hex() for body in deframer.feed(bytes.fromhex(noise))] == bodies, noise
assert deframer.damaged == given["damaged"]
for data, said in given["cards"]:
    try:
        uid, sak, age_ms = messages.read_card(bytes.fromhex(data))
        assert [uid.hex(), sak, age_ms] == said, data
    except messages.BadMessage:
        assert said is None, data
for data, said in given["texts"]:
    try:
        assert messages.read_display(bytes.fromhex(data)) == (said[0], said[1]), data
    except messages.BadMessage:
        assert said is None, data

board, till, told = BoardEnd(b"boot", (1, 62, "\u00e9t\u00e9")), TillEnd(b"nonc"), []
for now_ms in range(1, 200):
    if now_ms % 10 == 5:
        board.send(messages.CARD_SEEN, bytes([now_ms]))
    # Each seventh turn, what the board says is lost.
    said = board.outgoing(now_ms)
    told += [payload[0] for _, payload in till.receive(b"" if now_ms % 7 == 0 else said, now_ms)]
    board.receive(till.outgoing(now_ms), now_ms)
assert told == given["told"], told
print("as expected")
