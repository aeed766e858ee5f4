"""Money as Comptoir counts it: whole numbers of minor units, with their currency. Standard library only."""

from app.money.amount import Amount, CurrencyMismatch
from app.money.rates import RateNotUnderstood, format_rate, parse_rate
from app.money.text import AmountNotUnderstood, Unit, format_amount, parse_amount

__all__ = [
    "Amount",
    "AmountNotUnderstood",
    "CurrencyMismatch",
    "RateNotUnderstood",
    "Unit",
    "format_amount",
    "format_rate",
    "parse_amount",
    "parse_rate",
]
