"""How much a line loses: pings that may be lost, then messages that may not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import quantiles

from firmware_bridge import messages
from firmware_bridge.host import Session

_ANSWER_S = 0.25


@dataclass(frozen=True, slots=True)
class Loss:
    """`lost`: pings or their answers, each 16 bytes of payload. `damaged`: frames that came damaged. `resent`: messages
    that were sent again, of `pings` more that had to arrive. Times from ping to answer."""

    pings: int
    lost: int
    damaged: int
    resent: int
    round_trip_p50_ms: float
    round_trip_p95_ms: float


def measure_loss(session: Session, pings: int) -> Loss:
    """Raises OSError and BoardLost, also where a message that must arrive does not."""
    took_ms: list[float] = []
    for number in range(pings):
        payload = number.to_bytes(4) + bytes(range(12))
        sent = time.monotonic()
        session.ping(payload)
        while (told := session.next(max(0.0, sent + _ANSWER_S - time.monotonic()))) is not None:
            if told == (messages.PONG, payload):
                took_ms.append((time.monotonic() - sent) * 1000)
                break
    resent = session.resent
    for _ in range(pings):
        # A light that is off stays off.
        session.send(messages.LED, messages.led(0, 0, 0))
        session.flush(_ANSWER_S * 20)
    spread = quantiles(took_ms, n=20) if len(took_ms) > 1 else [0.0] * 19
    return Loss(pings, pings - len(took_ms), session.damaged, session.resent - resent, spread[9], spread[18])
