"""The outage of the rules' tests, with a chip: each sale through its protocol, and the card pulled away at any command,
before the chip hears it, before its answer, or in the middle of a write."""

from __future__ import annotations

from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from app.rules.chips.allowance import SLOT_BYTES
from app.rules.chips.keyring import CardKey
from readers.cardauth.allowance import carry
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.errors import Exchange
from readers.cardauth.isodep import IsoDep
from readers.emulator import Card, Ntag424, Torn
from readers.taps import CardSilent
from tests.app.rules.test_carried import KEY, TILLS, Outage

KEYS = (bytes(16), KEY, bytes(16), bytes(16), bytes(16))
TILL_KEY = CardKey("ntag424", KEY, 1)
# To wake it, to choose the application, two to prove it, to read and to write.
COMMANDS = 6


class OutageOfAChip(Outage):
    def __init__(self) -> None:
        super().__init__()
        self.chip = Ntag424(bytes.fromhex("04a1b2c3d4e580"))
        write_ntag424(IsoDep(exchange_with(self.chip)).transceive, (bytes(16),) * 5, KEYS, 1, None)

    @rule(
        number=TILLS,
        amount=st.sampled_from((5, 20, 30)),
        at=st.none() | st.integers(0, COMMANDS - 1),
        heard=st.booleans(),
        tear_at=st.none() | st.integers(0, SLOT_BYTES),
        between=st.integers(0, 1),
    )
    def sell(  # type: ignore[override]
        self, number: int, amount: int, at: int | None, heard: bool, tear_at: int | None, between: int
    ) -> None:
        torn = Torn(self.chip, COMMANDS if at is None else at, heard=heard)
        self.chip.tear_at = tear_at
        try:
            after = carry(TILL_KEY, exchange_with(torn), partial(self.decided, number, amount, between))
        except CardSilent:
            self.tills[number].rows.append(0)
        else:
            if after is not None:
                self.tills[number].rows.append(amount)
        self.chip.tear_at = None


def exchange_with(card: Card) -> Exchange:
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


def test_tills_without_network_and_a_card_that_is_pulled_away_risk_together_what_one_may() -> None:
    run_state_machine_as_test(OutageOfAChip, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
