"""What holders may say about a sale, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.disputes.rules import Reason, State
from app.web import N_

SAID: Final[Mapping[Reason, str]] = {
    "not_me": N_("It was not me"),
    "amount": N_("The amount is wrong"),
    "not_received": N_("I never got it"),
    "twice": N_("I paid twice"),
}
STATES: Final[Mapping[State, str]] = {
    "open": N_("Waiting for the venue"),
    "taken_back": N_("Taken back"),
    "refused": N_("Refused by the venue"),
}
