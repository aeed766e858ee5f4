"""Statements as French banks deliver them: camt.053.001.02 and .08, and a table."""

from __future__ import annotations

from collections.abc import Sequence

IBAN = "FR7630006000011234567890189"
HEADS = {"02": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", "08": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}


def entry(
    euros: str,
    side: str,
    *,
    version: str = "02",
    day: str = "2026-11-20",
    party: str = "",
    party_iban: str = "",
    text: str = "",
    end_to_end: str = "NOTPROVIDED",
    bank_reference: str = "",
    status: str = "BOOK",
) -> str:
    """One booked entry with one transaction; `side`: CRDT or DBIT."""
    other = "Dbtr" if side == "CRDT" else "Cdtr"
    name = f"<Nm>{party}</Nm>" if version == "02" else f"<Pty><Nm>{party}</Nm></Pty>"
    mark = f"<Sts>{status}</Sts>" if version == "02" else f"<Sts><Cd>{status}</Cd></Sts>"
    parties = f"<{other}>{name}</{other}>" if party else ""
    if party_iban:
        parties += f"<{other}Acct><Id><IBAN>{party_iban}</IBAN></Id></{other}Acct>"
    return f"""<Ntry><Amt Ccy="EUR">{euros}</Amt><CdtDbtInd>{side}</CdtDbtInd>{mark}
      <BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{bank_reference}</AcctSvcrRef>
      <NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>
        <RltdPties>{parties}</RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def camt053(entries: Sequence[str], opening: str, closing: str, version: str = "02", iban: str = IBAN) -> bytes:
    """Opening and closing balances in euros, both credits."""

    def balance(code: str, euros: str) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="EUR">{euros}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>'
        )

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{HEADS[version]}"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr>
  <Stmt><Id>1</Id><Acct><Id><IBAN>{iban}</IBAN></Id></Acct>
    {balance("OPBD", opening)}{balance("CLBD", closing)}{"".join(entries)}</Stmt></BkToCstmrStmt></Document>""".encode()


BATCH = """<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
  <BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>B7</AcctSvcrRef><NtryDtls>
    <TxDtls><Refs><EndToEndId>RUN1-A</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">10.00</Amt></TxAmt></AmtDtls>
      <RltdPties><Cdtr><Nm>Canal</Nm></Cdtr></RltdPties></TxDtls>
    <TxDtls><Refs><EndToEndId>RUN1-B</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls>
      <RltdPties><Cdtr><Nm>Raffinerie</Nm></Cdtr></RltdPties></TxDtls></NtryDtls></Ntry>"""
