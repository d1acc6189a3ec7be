"""Reading outside statements: three formats, mapped columns, and files made to hurt, refused fast."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest

from reconciliation.errors import StatementTooLarge, UnreadableStatement
from reconciliation.rules import from_camt053, from_csv, from_ofx
from reconciliation.rules.from_csv import Mapping

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<Ntry><NtryRef>A1</NtryRef><Amt Ccy="EUR">250.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<BookgDt><Dt>2026-03-05</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>E2E-77</EndToEndId></Refs>
<RmtInf><Ustrd>Deposit &amp; more</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">19.99</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><DtTm>2026-03-06T10:00:00Z</DtTm></BookgDt><AddtlNtryInf>Fee</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts>
<BookgDt><Dt>2026-03-07</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""
OFX1 = """OFXHEADER:100
DATA:OFXSGML
VERSION:102

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKTRANLIST>
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260305120000[0:GMT]<TRNAMT>250.00<FITID>F1<NAME>Deposit &amp; more
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260306<TRNAMT>-19,99<FITID>F2<NAME>Fee<MEMO>Fee of March
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"""
OFX2 = """<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?>
<OFX><STMTRS><CURDEF>EUR</CURDEF><BANKTRANLIST>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20260305</DTPOSTED><TRNAMT>250.00</TRNAMT><FITID>F1</FITID>
<NAME>Deposit &amp; more</NAME></STMTTRN></BANKTRANLIST></STMTRS></OFX>"""
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY a{n} "{("&a" + (str(n - 1) if n > 1 else "") + ";") * 10}">' for n in range(1, 10))
    + "]><Document><BkToCstmrStmt>&a9;</BkToCstmrStmt></Document>"
)
XXE = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<Document><BkToCstmrStmt><Stmt><AddtlStmtInf>&x;</AddtlStmtInf></Stmt></BkToCstmrStmt></Document>"
)


def test_reads_camt_of_any_version() -> None:
    deposit, fee = from_camt053.read(CAMT.encode())
    assert (deposit.booked_date, deposit.amount_minor, deposit.currency) == (date(2026, 3, 5), 250_00, "EUR")
    assert (deposit.reference, deposit.description) == ("E2E-77 A1", "Deposit & more")
    assert (fee.amount_minor, fee.booked_date, fee.description) == (-19_99, date(2026, 3, 6), "Fee")


@pytest.mark.parametrize("text", [OFX1, OFX2])
def test_reads_both_kinds_of_ofx(text: str) -> None:
    deposit = from_ofx.read(text.encode(), currency="USD")[0]
    assert (deposit.booked_date, deposit.amount_minor, deposit.currency) == (date(2026, 3, 5), 250_00, "EUR")
    assert (deposit.reference, deposit.description) == ("F1", "Deposit & more")


def test_reads_each_booking_of_ofx_without_closing_tags() -> None:
    assert [(line.amount_minor, line.description) for line in from_ofx.read(OFX1.encode(), currency="EUR")] == [
        (250_00, "Deposit & more"),
        (-19_99, "Fee of March"),
    ]


def test_reads_csv_by_mapped_columns() -> None:
    text = "Buchung;Betrag;Zweck;Ref\r\n05.03.2026;1.250,00;Einzahlung;R-1\r\n06.03.2026;-19,99;Gebühr;\r\n;;Summe;\r\n"
    mapping = Mapping(
        date="Buchung", amount="Betrag", description="Zweck", reference="Ref", date_format="%d.%m.%Y", decimal_mark=","
    )
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        lines = from_csv.read(text.encode(encoding), mapping=mapping, currency="EUR")
        assert [(line.booked_date.day, line.amount_minor, line.description) for line in lines] == [
            (5, 1250_00, "Einzahlung"),
            (6, -19_99, "Gebühr"),
        ]
    assert lines[0].reference == "R-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Date\n2026-01-01",
        "Date,Amount\n2026-02-30,1.00",
        "Date,Amount\n2026-02-01,1.005",
        "Date,Amount\n2026-02-01,1e5",
        "Date,Amount\n2026-02-01,NaN",
        "Date,Amount\n2026-02-01,99999999999999999",
        "Date,Amount\n,5.00",
        'Date,Amount\n"' + "x" * 200_000 + '",1.00',
    ],
)
def test_refuses_csv_that_it_cannot_read(text: str) -> None:
    with pytest.raises(UnreadableStatement):
        from_csv.read(text.encode(), mapping=Mapping(), currency="EUR")


@pytest.mark.parametrize("text", [BOMB, XXE])
def test_refuses_entities_fast_and_fetches_nothing(text: str) -> None:
    started = process_time()
    with pytest.raises(UnreadableStatement):
        from_camt053.read(text.encode())
    with pytest.raises(UnreadableStatement):
        from_ofx.read((text + "<OFX></OFX>").encode(), currency="EUR")
    assert process_time() - started < 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\xfe",
        b"<Document>",
        b"<html></html>",
        b"<Document><BkToCstmrStmt><Stmt><Ntry></Ntry></Stmt></BkToCstmrStmt></Document>",
        CAMT.replace("250.00", "-250.00.1").encode(),
        CAMT.replace("CRDT", "UP").encode(),
        CAMT.replace("2026-03-05", "2026-13-05").encode(),
        CAMT.replace('Ccy="EUR"', 'Ccy="XQZ1"').encode(),
        CAMT.replace("UTF-8", "UTF-77").encode(),
    ],
)
def test_refuses_camt_that_it_cannot_read(data: bytes) -> None:
    from common.errors import Invalid

    with pytest.raises(Invalid):
        from_camt053.read(data)


def test_a_deep_file_and_a_long_one_are_refused() -> None:
    started = process_time()
    with pytest.raises(UnreadableStatement):
        from_camt053.read(b"<a>" * 200_000)
    entry = CAMT[CAMT.index("<Ntry>") : CAMT.index("</Ntry>") + 7]
    many = CAMT.replace(entry, entry * 20_001)
    with pytest.raises(StatementTooLarge):
        from_camt053.read(many.encode())
    rows = "Date,Amount\n" + "2026-01-01,1.00\n" * 20_001
    with pytest.raises(StatementTooLarge):
        from_csv.read(rows.encode(), mapping=Mapping(), currency="EUR")
    assert process_time() - started < 20
