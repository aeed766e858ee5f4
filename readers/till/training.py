"""Practising at the till: to the training and back, so that nothing of either is seen in the other."""

from __future__ import annotations

from uuid import UUID

import structlog

from readers.journal import JournalFailed
from readers.terminal.commands import TillError
from readers.till.last_sales import LastSales
from readers.till.person import Person
from readers.till.practice import PracticeTap
from readers.till.receipts import ReceiptDesk
from readers.till.selling import Selling
from readers.till.tap import Tap

_log = structlog.get_logger(__name__)


class Training:
    """`real` is the tap that sells when nobody practises."""

    def __init__(self, real: Tap, selling: Selling, person: Person, last: LastSales, receipts: ReceiptDesk) -> None:
        self._real = real
        self._practice = PracticeTap.beside(real)
        self._selling = selling
        self._person = person
        self._last = last
        self._receipts = receipts

    @property
    def on(self) -> bool:
        return self._person.training

    async def switch(self, on: bool) -> None:
        """TillError: not_signed_in, no_right, busy, journal_failed."""
        cashier = self._person.signed_in()
        if on and "train" not in self._person.rights:
            raise TillError("no_right")
        if not self._selling.idle:
            raise TillError("busy")
        if on != self.on:
            await self._switch(on, cashier)

    async def end(self, who: UUID) -> None:
        """Who practised has left: the next person sells for real, unless they say otherwise. TillError."""
        if self.on and self._selling.counter.free:
            await self._switch(False, who)

    async def _switch(self, on: bool, cashier: UUID) -> None:
        """What was practised is forgotten on the screen; the journal has it, marked."""
        selling = self._selling
        selling.asking = True
        try:
            await (self._practice.begin(cashier) if on else self._practice.end())
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        finally:
            selling.asking = False
        selling.counter = selling.counter.dismiss()
        selling.tap = self._practice if on else self._real
        self._last.practise(on)
        self._person.training = self._receipts.training = on
        _log.info("training", on=on)
