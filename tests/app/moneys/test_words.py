"""Rules in plain sentences."""

from __future__ import annotations

from app.currencies.policies import defaults
from app.currencies.service import Currency
from app.money import Unit
from app.moneys.words import for_reader, rules
from app.rules.policy import Fee, Growth, Issue, Lapse, Limits, Policy, Redeem, Spending, Transfer
from app.web.i18n import Language, texts_in

RAF = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
TEMPS = Currency("TEMPS", "network", "time", Unit.MINUTE, "Heures", "Hours", "h", None)
KDO = Currency("KDO", "network", "gift", Unit.CENT, "Cadeau", "Gift", "KDO", None)
BAR = Currency("BAR", "network", "mutual", Unit.CENT, "Barter", "Barter", "BAR", None)
VENUES = {"canal": "Café du Canal", "grange": "La Grange"}


def said(of: Currency, policy: Policy, language: Language = "en") -> list[str]:
    found = [it.text for it in rules(of, policy, texts_in(language), VENUES)]
    return [text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ") for text in found]


def test_pegged_money_says_what_it_is_worth_and_who_gets_euros_for_it() -> None:
    fee = Fee(basis_points=350, minimum=750, maximum=500_000, payer="venue")
    policy = Policy(redeem=Redeem(who=("venues",), fee=fee, cadence="monthly"))
    french = said(RAF, policy, "fr")
    assert "Un Rafftou vaut 1,00 €." in french
    assert "Les lieux échangent leurs recettes contre des euros chaque mois." in french
    assert "Frais d’échange : 3,5 %, au moins 7,50 € et au plus 5 000,00 €, payés par le lieu." in french
    assert "Ce qui est sur une carte n’est pas remboursé en euros." in french
    assert "Elle ne se perd jamais." in french


def test_hours_never_speak_of_what_they_would_be_worth() -> None:
    found = said(TEMPS, Policy(issue=Issue(roles=("venue_admin",), per_day=600)))
    assert "Counts hours that volunteers gave. It is never worth euros." in found
    assert "At most 10 h onto one card a day." in found
    assert not [text for text in found if "€" in text or "exchange" in text]


def test_limits_and_places_are_told_in_amounts_and_names() -> None:
    limits = Limits(ceiling=25_000, per_payment=5_000, per_day=8_000, per_week=20_000, per_month=40_000)
    spending = Spending(venues=("canal", "grange"), categories=("Bières", "À manger"), priority=7, round_up="Emmaüs")
    found = said(RAF, Policy(limits=limits, spending=spending))
    assert found[2:] == [
        "A card holds at most €250.00.",
        "One payment takes at most €50.00.",
        "A card pays at most €80.00 a day.",
        "A card pays at most €200.00 in seven days.",
        "A card pays at most €400.00 in thirty days.",
        "Spent at Café du Canal and La Grange only.",
        "Pays for Bières and À manger only.",
        "Its place in the order of payment is 7; the lowest goes first.",
        "A payment can be rounded up for Emmaüs, if the holder wishes.",
        "Venues do not exchange what they took for euros.",
        "What is on a card is not paid back in euros.",
        "It cannot be passed from one card to another.",
        "It never lapses.",
    ]


def test_gifts_say_who_pays_for_them_and_when_they_lapse() -> None:
    lapse = Lapse(expires_after_days=90, beneficiary="network", notice_days=1)
    found = said(KDO, Policy(funding="issuer", lapse=lapse))
    assert "Whoever issued it pays the venue in euros for what is spent there." in found
    assert "What is on a card lapses 90 days after the card last received any." in found
    assert "What lapses goes to the network." in found
    assert "Holders are told 1 day before." in found
    assert "It never lapses." not in found


def test_melting_money_says_how_fast_from_when_and_above_what() -> None:
    lapse = Lapse(demurrage_basis_points=100, demurrage_every_days=30, demurrage_free=2_000, grace_days=60)
    found = said(KDO, Policy(lapse=lapse), "fr")
    assert "Tous les 30 jours, ce qui dépasse 20,00 KDO fond de 1 %." in found
    assert "Rien ne fond pendant les 60 premiers jours." in found


def test_mutual_credit_tells_its_line_its_growth_and_its_commission() -> None:
    policy = Policy(
        limits=Limits(floor=-100_000),
        growth=Growth(basis_points=1_000, maximum=500_000),
        commission=Fee(basis_points=500, in_euros=True),
    )
    found = said(BAR, policy)
    assert "Every member may go down to −1,000.00 BAR." in found
    assert "A member’s credit grows by 10% of what they sold in 30 days, up to 5,000.00 BAR." in found
    assert "A trade costs 5% in euros, paid by the seller." in found


def test_gifts_between_holders_have_their_bounds() -> None:
    found = said(RAF, Policy(transfer=Transfer(allowed=True, per_payment=2_000, per_day=5_000)))
    assert "Holders may give it to each other." in found
    assert "At most €20.00 given at once." in found
    assert "At most €50.00 given a day." in found


def test_holders_and_venues_are_told_what_concerns_them() -> None:
    all_rules = rules(RAF, defaults("pegged"), texts_in("en"), VENUES)
    holder = [it.text for it in for_reader(all_rules, "holder")]
    venue = [it.text for it in for_reader(all_rules, "venue")]
    assert "What is on a card is not paid back in euros." in holder
    assert "What is on a card is not paid back in euros." not in venue
    assert "Venues exchange what they took for euros whenever they ask for it." in venue
    assert "Venues exchange what they took for euros whenever they ask for it." not in holder


def test_the_network_s_own_words_are_said_in_the_reader_s_language() -> None:
    policy = Policy(notes={"fr": "À dépenser avant l’été."})
    assert "À dépenser avant l’été." in said(RAF, policy, "fr")
    assert "À dépenser avant l’été." not in said(RAF, policy, "en")
