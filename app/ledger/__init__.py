"""The double-entry ledger: accounts, one-row transfers, operations, and the one pipeline that posts them.

A **transfer** moves a positive amount from one account (debited) to another (credited) of the same book, so nothing
unbalanced can be written. An **operation** is a business event: its transfers post together or not at all. Everything
that moves value calls `app.ledger.service`; nobody else touches these tables.
"""
