"""What speaks against rules or a currency that somebody typed, as sentences of the pages.

The English of app.rules.policy_check names the members of a policy, as programs write them; people see questions.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.rules.policy_check import Problem
from app.web import N_, Texts

SAID: Mapping[str, str] = {
    "negative": N_("This cannot be below zero."),
    "above-everything": N_("A rate cannot be above 100 %%."),
    "no-period": N_("This must be at least one day."),
    "floor-above-zero": N_("A new card is empty, so it cannot have to hold something."),
    "ceiling-below-floor": N_("A card could hold less than it may be down."),
    "bound-above-next": N_("This is above the bound of a longer time, so it can never be reached."),
    "payment-above-ceiling": N_("One payment may take more than a card can ever hold."),
    "issue-above-ceiling": N_("More may be issued at once than a card can ever hold."),
    "bonus-outside-pegged": N_("Only money that is topped up for euros earns a gift with it."),
    "bonus-in-nothing": N_("Say in which gift currency it is."),
    "bonus-incomplete": N_("A gift needs the top-up from which it is given, and an amount."),
    "transfer-not-allowed": N_("Gifts between holders have bounds but are not allowed."),
    "minimum-above-maximum": N_("The least is above the most."),
    "fee-for-nothing": N_("There is a fee for exchanging it, but nobody may exchange it."),
    "wrong-payer": N_("Who pays this fee takes no part in it."),
    "unknown-venue": N_("A venue that is named here is not in the network."),
    "empty-category": N_("A category needs a name."),
    "round-up-without-euros": N_("Only money at par with the euro can be rounded up."),
    "round-up-for-nobody": N_("Rounding up needs somebody whom it is for."),
    "floor-outside-mutual": N_("Only members of a mutual currency have credit."),
    "growth-outside-mutual": N_("Only the credit of a mutual currency grows."),
    "issue-in-mutual": N_("Nobody issues a mutual currency: all balances sum to zero."),
    "growth-below-start": N_("Credit would have to grow down: the most is below what members have from the start."),
    "funding-outside-gift": N_("Only gifts are funded when they are spent."),
    "not-convertible": N_("Hours, points and mutual credit are never exchanged for euros."),
    "fee-in-euros": N_("What is never worth euros bears no fee in euros."),
    "gift-refunded": N_("A gift is not paid back to its holder."),
    "gift-without-funds": N_("Venues cannot exchange gifts for euros that nobody pays."),
    "refund-to-nobody": N_("There are terms for refunds, but holders get no euros for it."),
    "no-day": N_("Write a day like 2027-01-31."),
    "closes-before-opening": N_("Refunds would end before they begin."),
    "reminder-of-nothing": N_("Holders are reminded of a last day, and there is none."),
    "fee-above-minimum": N_("The smallest refund would be eaten up by its fee."),
    "no-legal-ground": N_("Money at par with the euro lapses only if its legal ground is written here."),
    "mutual-lapse": N_("What lapses in a mutual currency goes to the common fund, so that balances sum to zero."),
    "no-notice": N_("Nothing lapses without telling its holder before."),
    "notice-too-long": N_("Holders would have to be told before they received it."),
}

ISSUER = N_("This venue is not in the network.")
WORTH = N_("A whole number of euros, from 1 to 100.")

# By the field of app.currencies.service.check.
OF_CURRENCY: Mapping[str, str] = {
    "code": N_("Two to eight capital letters, and not EUR."),
    "kind": N_("This kind of money is not known."),
    "name_fr": N_("One to sixty characters."),
    "name_en": N_("One to sixty characters."),
    "symbol": N_("One to eight characters."),
    "issuer": ISSUER,
    "cents_per_unit": WORTH,
}


def sentence(problem: Problem, texts: Texts) -> str:
    """In English where a new rule has no sentence of its own yet."""
    return texts.gettext(SAID[problem.code]) if problem.code in SAID else problem.text
