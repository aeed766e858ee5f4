"""An evening's script, as YAML:

    title: a short evening
    steps:
      - top_up: {card: 1, amount: "50,00"}                      # online, through the payment page
      - top_up: {card: 2, amount: "20,00", venue: canal}        # cash at that venue's counter
      - top_up: {card: 3, amount: "10,00", outcome: cancelled}  # or failed: nothing is charged nor credited
      - shift: {card: 1, venue: grange, time: 3 h, reason: Montage de la scène}
      - sale: {venue: raffinerie, card: 1, items: {Demi: 2}, name: first round}
      - sale: {venue: grange, card: 1, items: {Crêpe: 1}, pay: TEMPS}
      - sale: {venue: canal, card: 9, items: {Café: 1}, expect: insufficient-funds}
      - void: {venue: raffinerie, sale: first round, reason: Erreur de saisie}
      - retry: {}                # the last top-up's or shift's request, sent once more
      - unplug: {venue: canal}   # the terminal loses the network
      - plug: {venue: canal}     # and gets it back; the next steps wait until it has delivered its journal
      - kill: {process: server}  # or a venue: SIGKILL, and start again

Cards are numbered from 1. Venues, products (by their French name) and prices are those of network.yaml. `expect` is
"paid" or a reason of refusal; left out, a sale is expected to be paid if the card holds enough and the terminal is
online, and to be paid offline.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.cli.demo.network import unit_of
from app.money import AmountNotUnderstood, parse_amount

Card = Annotated[int, Field(ge=1, le=999)]


class BadScript(ValueError):
    """The script is not one; the text says where."""


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TopUp(_Step):
    card: Card
    amount: str
    currency: str = "RAF"
    venue: str | None = None
    outcome: Literal["paid", "failed", "cancelled"] = "paid"

    @model_validator(mode="after")
    def _cash_is_paid(self) -> Self:
        if self.venue is not None and self.outcome != "paid":
            raise ValueError("cash at the counter is always paid")
        return self


class Shift(_Step):
    card: Card
    venue: str
    time: str
    currency: str = "TEMPS"
    reason: str = "Coup de main"


class Sale(_Step):
    venue: str
    card: Card
    items: Annotated[dict[str, Annotated[int, Field(ge=1, le=99)]], Field(min_length=1)]
    pay: str = "RAF"
    expect: str | None = None
    name: str | None = None


class Void(_Step):
    venue: str
    sale: str
    reason: str = "Erreur de saisie"


class Retry(_Step):
    pass


class Unplug(_Step):
    venue: str


class Plug(_Step):
    venue: str


class Kill(_Step):
    process: str


class _Line(_Step):
    top_up: TopUp | None = None
    shift: Shift | None = None
    sale: Sale | None = None
    void: Void | None = None
    retry: Retry | None = None
    unplug: Unplug | None = None
    plug: Plug | None = None
    kill: Kill | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step says one thing")
        return self

    @property
    def step(self) -> Step:
        step: Step = getattr(self, next(iter(self.model_fields_set)))
        return step


Step = TopUp | Shift | Sale | Void | Retry | Unplug | Plug | Kill


class Script(_Step):
    title: str
    steps: tuple[_Line, ...]

    @property
    def venues(self) -> list[str]:
        """Venues at whose terminals something happens, in the order in which they come."""
        named = [line.step.venue for line in self.steps if isinstance(line.step, Sale | Void | Unplug | Plug)]
        return list(dict.fromkeys(named))

    def problem(self, number: int, network: dict[str, Any]) -> str | None:
        """What is wrong with a step, given those before it."""
        step = self.steps[number].step
        if isinstance(step, Void):
            before = [line.step for line in self.steps[:number]]
            if not any(isinstance(it, Sale) and it.name == step.sale for it in before):
                return f"no sale before it is named {step.sale!r}"
        if isinstance(step, Kill) and step.process not in {"server", *self.venues}:
            return "kill names the server, or a venue at whose terminal something happens"
        return _problem(step, network)


BUILT_IN = Path(__file__).parent / "evening.yaml"


def read_script(path: Path, network: dict[str, Any]) -> Script:
    """Read and check a script against the network. Raises BadScript."""
    try:
        script = Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadScript(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in it['loc'])}: {it['msg']}" for it in error.errors()]
        raise BadScript(f"{path}:\n  " + "\n  ".join(lines)) from error
    for number in range(len(script.steps)):
        if problem := script.problem(number, network):
            raise BadScript(f"{path}: step {number + 1}: {problem}")
    return script


def _hours(network: dict[str, Any], venue: str) -> list[dict[str, Any]]:
    return list(network["venues"][venue].get("hours", {}).values())


def _problem(step: Step, network: dict[str, Any]) -> str | None:
    card = getattr(step, "card", None)
    if card is not None and card > network["cards"]["count"]:
        return f"there are {network['cards']['count']} cards"
    venue = getattr(step, "venue", None)
    if venue is not None and venue not in network["venues"]:
        return f"there is no venue {venue!r}; there are {', '.join(network['venues'])}"
    currency = getattr(step, "currency", None) or getattr(step, "pay", None)
    if currency is not None and currency not in network["currencies"]:
        return f"there is no currency {currency!r}; there are {', '.join(network['currencies'])}"
    if isinstance(step, Sale):
        for name in step.items:
            sold = network["venues"][step.venue]["products"]
            if name not in sold:
                return f"{step.venue} sells no {name!r}; it sells {', '.join(sold)}"
            if step.pay not in sold[name]["prices"]:
                return f"{name!r} has no price in {step.pay}"
            # An evening may be played at any hour, and the paper knows none.
            if any(step.pay in hours["prices"].get(name, ()) for hours in _hours(network, step.venue)):
                return f"{name!r} has another price in {step.pay} at some hours: choose what costs the same all day"
    typed = step.amount if isinstance(step, TopUp) else step.time if isinstance(step, Shift) else None
    if typed is not None and currency is not None:
        try:
            parse_amount(typed, unit_of(network["currencies"][currency]))
        except AmountNotUnderstood:
            return f"{typed!r} is not an amount of {currency}"
    return None
