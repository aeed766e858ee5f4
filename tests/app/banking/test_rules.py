"""Reading what banks write, and finding what it is about."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.banking.rules.camt053 import read_camt053
from app.banking.rules.finding import Announced, Expected, Owing, Proposal, Sent, proposals
from app.banking.rules.lines import Line, NotAStatement, keys
from app.banking.rules.statement_csv import read_csv
from tests.app.banking.samples import BATCH, IBAN, camt053, entry

DAY = date(2026, 11, 20)


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_camt053_statement_is_read_in_both_versions_that_banks_deliver(version: str) -> None:
    content = camt053(
        [
            entry("49.00", "CRDT", version=version, party="STRIPE", text="STRIPE PAYOUT", bank_reference="X1"),
            entry("12.5", "DBIT", version=version, party="Banque", party_iban="FR14", text="FRAIS"),
            entry("5.00", "CRDT", version=version, status="PDNG"),
        ],
        "100.00",
        "136.50",
        version,
    )
    (statement,) = read_camt053(content)
    assert (statement.iban, statement.opening_cents, statement.closing_cents) == (IBAN, 10_000, 13_650)
    assert statement.adds_up
    assert list(statement.lines) == [
        Line(DAY, 4900, "STRIPE", "", "STRIPE PAYOUT", "", "X1"),
        Line(DAY, -1250, "Banque", "FR14", "FRAIS", "", ""),
    ]


def test_a_batch_is_one_line_for_each_of_its_transactions() -> None:
    (statement,) = read_camt053(camt053([BATCH], "100", "70"))
    assert [(it.amount_cents, it.party, it.reference, it.bank_reference) for it in statement.lines] == [
        (-1000, "Canal", "RUN1-A", "B7/1"),
        (-2000, "Raffinerie", "RUN1-B", "B7/2"),
    ]
    assert statement.adds_up


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "has-a-document-type"),
        (b"<Document><Stmt>", "not-xml"),
        (b"<Document/>", "no-statement"),
        (b"<Document><Stmt/></Document>", "no-iban"),
        (camt053([entry("1.005", "CRDT")], "0", "1"), "bad-amount"),
        (camt053([entry("-1.00", "CRDT")], "0", "1"), "bad-amount"),
        (camt053([entry("1.00", "")], "0", "1"), "no-direction"),
        (camt053([entry("1.00", "CRDT", day="20/11/2026")], "0", "1"), "bad-day"),
        (camt053([entry("1.00", "CRDT").replace('"EUR"', '"USD"')], "0", "1"), "not-in-euros"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_reason(content: bytes, problem: str) -> None:
    with pytest.raises(NotAStatement) as refused:
        read_camt053(content)
    assert refused.value.problem == problem


def test_tables_are_read_by_their_headings() -> None:
    french = (
        "Compte ;x\nDate opération;Libellé;Débit;Crédit\n20/11/2026;VIR STRIPE;;1 234,50\n20/11/2026;FRAIS;-12,50;\n"
    )
    assert [(it.day, it.amount_cents, it.text) for it in read_csv(french.encode("cp1252"), IBAN).lines] == [
        (DAY, 123_450, "VIR STRIPE"),
        (DAY, -1250, "FRAIS"),
    ]
    english = (
        'Booking date,Counterparty,Amount,Reference\n2026-11-20,"Canal, Café","1,234.50",K7\n2026-11-20,Bank,-3,\n'
    )
    assert list(read_csv(english.encode(), IBAN).lines) == [
        Line(DAY, 123_450, "Canal, Café", "", "", "K7"),
        Line(DAY, -300, "Bank"),
    ]


@pytest.mark.parametrize(
    ("text", "problem", "where"),
    [
        ("Date;Libellé\n20/11/2026;x\n", "no-columns", ""),
        ("Date;Montant\n20/11/2026;1\r2\n", "bad-amount", "3"),
        ("Date;Montant\n", "no-lines", ""),
        ("Date;Montant\n20/11/2026;x\n", "bad-amount", "2"),
        ("Date;Montant\n20/11/2026;1\n\n31/02/2026;1\n", "bad-day", "4"),
    ],
)
def test_a_table_that_cannot_be_read_says_where(text: str, problem: str, where: str) -> None:
    with pytest.raises(NotAStatement) as refused:
        read_csv(text.encode(), IBAN)
    assert (refused.value.problem, refused.value.where) == (problem, where)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_bytes_break_the_readers(data: st.DataObject) -> None:
    whole = camt053([entry("49.00", "CRDT", party="STRIPE")], "100.00", "149.00")
    table = "Date;Libellé;Débit;Crédit\n20/11/2026;VIR;;1 234,50\n".encode()
    start = data.draw(st.sampled_from([whole, table]))
    place = data.draw(st.integers(0, len(start)))
    content = start[:place] + data.draw(st.binary(max_size=6)) + start[place + data.draw(st.integers(0, 6)) :]
    for read in (lambda: read_camt053(content), lambda: [read_csv(content, IBAN)]):
        try:
            for statement in read():
                assert all(isinstance(it.amount_cents, int) for it in statement.lines)
        except NotAStatement:
            pass


def test_equal_lines_of_one_day_are_told_apart_and_known_again() -> None:
    coffee = Line(DAY, -160, "Café")
    first, second = keys([coffee, coffee])
    assert first != second
    assert keys([Line(DAY, 5, "x"), coffee])[1] == first
    assert keys([Line(DAY, 1, bank_reference="A")]) == keys([Line(DAY, 2, "other words", bank_reference="A")])


CANAL, HANDOVER = "venue:canal", UUID(int=5)
EXPECTED = Expected(
    [Owing(CANAL, "Café du Canal", 5000, "FR14CANAL"), Owing("venue:r", "La Raffinerie", 2000)],
    [Announced(HANDOVER, CANAL, 3000, "K7ADF49")],
    {"stripe": 11_000},
    4000,
    [Sent("RUN1-A", 1000)],
)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (Line(DAY, 3000, text="VIR k7 adf 49"), [Proposal("remittance", CANAL, certain=True, handover=HANDOVER)]),
        (Line(DAY, 2999, text="K7ADF49"), [Proposal("remittance", CANAL, handover=HANDOVER)]),
        (Line(DAY, 10_900, "STRIPE", text="PAYOUT"), [Proposal("payout", "stripe", gross_cents=10_900)]),
        (Line(DAY, 11_001, "STRIPE"), []),
        (Line(DAY, 1500, "X", "FR14CANAL"), [Proposal("remittance", CANAL)]),
        (Line(DAY, 1500, "ASSO LA RAFFINERIE"), [Proposal("remittance", "venue:r")]),
        (Line(DAY, 2001, "ASSO LA RAFFINERIE"), []),
        (Line(DAY, 4000, text="VERSEMENT ESPÈCES"), [Proposal("handover", "")]),
        (Line(DAY, 4001, text="VERSEMENT ESPÈCES"), []),
        (Line(DAY, -1000, reference="RUN1-A"), [Proposal("payment", "RUN1-A", certain=True)]),
        (Line(DAY, -1000, text="VIR RUN1-A"), [Proposal("payment", "RUN1-A")]),
        (Line(DAY, -999, reference="RUN1-A"), []),
        (Line(DAY, 77, "Inconnu"), []),
    ],
)
def test_a_line_is_what_reference_amount_and_name_say(line: Line, found: list[Proposal]) -> None:
    assert proposals(line, EXPECTED) == found
