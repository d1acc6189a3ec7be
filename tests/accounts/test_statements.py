"""Any period of an account: the figures, and five formats that all tell them. Each file is read back by a foreign reader."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.metadata import distribution
from io import BytesIO, StringIO
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
from django.db import transaction
from lxml import etree
from ofxtools.Parser import OFXTree

from accounts import services
from accounts.models import Account
from accounts.queries import statements
from accounts.rules.periods import Period
from accounts.rules.statements import as_camt053, as_csv, as_pdf, formats
from accounts.rules.statements.content import Heading, StatementLine
from accounts.rules.statements.formats import Format
from common.money import Money
from identity.models import User
from ledger import queries as ledger_queries
from ledger import services as ledger
from tests.accounts.factories import open_test_account

pytestmark = pytest.mark.django_db
CAMT = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"
NOW = datetime(2026, 4, 2, 10, tzinfo=UTC)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
HOSTILE = '=HYPERLINK("http://evil.example") <b>&amp; ]]> #set text(red) \u0007 O’Neill'


def day(number: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, number, hour, tzinfo=UTC)


def post(account: Account, amount: int, at: datetime, description: str = "Rent", kind: str = "transfer") -> None:
    cash = ledger_queries.internal_account("1000", account.currency)
    pair = (cash, account.ledger_account_id) if amount > 0 else (account.ledger_account_id, cash)
    with transaction.atomic():
        ledger.post_transfer(
            external_ref=uuid4(),
            debit_account_id=pair[0],
            credit_account_id=pair[1],
            amount_minor=abs(amount),
            kind=kind,
            description=description,
            source_kind="test",
            source_id="1",
            booked_at=at,
        )


@pytest.fixture
def moved(alice: User) -> Account:
    """1,000.00 in February; in March 300.00 out, 25.50 in, 0.01 in, 20.00 out at midnight of the 10th; more in April."""
    account = open_test_account(alice, amount="1000.00", now=datetime(2026, 2, 20, tzinfo=UTC))
    post(account, -300_00, day(5), HOSTILE.replace("\u0007", ""))
    post(account, 25_50, day(6), "Deposit: cash", "deposit")
    post(account, 1, day(7), "Correction", "reversal")
    post(account, -20_00, day(10, 0), "-2+3 is a text", "odd_kind")
    post(account, -5_00, datetime(2026, 4, 1, tzinfo=UTC))
    return account


def content(account: Account, form: Format, period: Period = MARCH) -> bytes:
    statement = statements.statement(account, period=period)
    return b"".join(statements.export(statement, form=form, now=NOW).chunks)


def figures(opening: Any, paid_in: Any, paid_out: Any, closing: Any, amounts: list[Any]) -> dict[str, Any]:
    return {
        "opening": Decimal(opening),
        "paid_in": Decimal(paid_in),
        "paid_out": Decimal(paid_out),
        "closing": Decimal(closing),
        "amounts": [Decimal(amount) for amount in amounts],
    }


def from_csv(data: bytes) -> dict[str, Any]:
    rows = list(csv.DictReader(StringIO(data.decode("utf-8-sig"))))
    named = {row["Description"]: row for row in rows if not row["Reference"]}
    amounts = [row["Amount"] for row in rows if row["Reference"]]
    return figures(
        named["Opening balance"]["Balance"],
        named["Paid in"]["Amount"],
        -Decimal(named["Paid out"]["Amount"]),
        named["Closing balance"]["Balance"],
        amounts,
    )


def from_ofx(data: bytes) -> dict[str, Any]:
    tree = OFXTree()
    tree.parse(BytesIO(data))
    statement = tree.convert().statements[0]
    named = {balance.name: balance.value for balance in statement.ballist}
    return figures(
        named["Opening balance"],
        named["Paid in"],
        named["Paid out"],
        statement.ledgerbal.balamt,
        [line.trnamt for line in statement.transactions],
    )


def camt_schema() -> etree.XMLSchema:
    """The public schema, from a package of the tests: it is not ours to commit."""
    return etree.XMLSchema(etree.parse(str(distribution("camt053").locate_file("camt053/xsd/camt.053.001.08.xsd"))))


def signed(element: Any, path: str) -> Decimal:
    found = element.find(path)
    return Decimal(found.text) * (-1 if found.getparent().find(f"{CAMT}CdtDbtInd").text == "DBIT" else 1)


def from_camt(data: bytes) -> dict[str, Any]:
    document = etree.fromstring(data)
    camt_schema().assertValid(document)
    statement = document.find(f".//{CAMT}Stmt")
    balances = {
        balance.find(f".//{CAMT}Cd").text: signed(balance, f"{CAMT}Amt") for balance in statement.findall(f"{CAMT}Bal")
    }
    sums = statement.find(f"{CAMT}TxsSummry")
    amounts = [signed(entry, f"{CAMT}Amt") for entry in statement.findall(f"{CAMT}Ntry")]
    assert int(sums.find(f"{CAMT}TtlNtries/{CAMT}NbOfNtries").text) == len(amounts)
    assert signed(sums, f"{CAMT}TtlNtries/{CAMT}TtlNetNtry/{CAMT}Amt") == sum(amounts)
    return figures(
        balances["OPBD"],
        sums.find(f"{CAMT}TtlCdtNtries/{CAMT}Sum").text,
        sums.find(f"{CAMT}TtlDbtNtries/{CAMT}Sum").text,
        balances["CLBD"],
        amounts,
    )


def text_of_pdf(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    return text.replace("\u00a0", " ").replace("\u2212", "-").replace("\r", "")


def from_pdf(data: bytes) -> dict[str, Any]:
    """The four figures of the summary band, then the amounts as their cells tell them."""
    words = text_of_pdf(data).split("\n")
    band = next(line for line in words if line.count("€") == 4 or line.startswith(("€", "-€")))
    start = words.index(band)
    shown = " ".join(words[start : start + 4]).replace("€", "").replace(",", "").split()
    values = [word for word in shown if word.replace("-", "").replace(".", "").isdigit()][:4]
    amounts = []
    for line in words:
        last = line.replace(",", "").split()[-2:]
        if len(last) == 2 and all(_is_amount(word) for word in last):
            amounts.append(last[0])
    return figures(values[0], values[1], values[2], values[3], amounts)


def _is_amount(word: str) -> bool:
    whole, dot, cents = word.lstrip("+-").partition(".")
    return bool(dot) and whole.isdigit() and len(cents) == 2


def from_page(account: Account, client: Any) -> dict[str, Any]:
    """The figures of the page in the portal."""
    page = client.get(f"/accounts/{account.pk}/statement/?since=2026-03-01&until=2026-03-31")
    assert page.status_code == 200
    rows = etree.HTML(page.content.decode()).xpath
    shown = ["".join(cell.itertext()).strip() for cell in rows('//section[@aria-label="Summary"]//dd[@class="money"]')]
    amounts = ["".join(cell.itertext()) for cell in rows('//td[@data-label="Amount"]')]
    plain = [
        text.replace("€", "").replace(",", "").replace("\u2212", "-").replace("+", "") for text in [*shown, *amounts]
    ]
    return figures(plain[0], plain[1], plain[2], plain[3], plain[4:])


READERS = {Format.CSV: from_csv, Format.OFX: from_ofx, Format.CAMT053: from_camt, Format.PDF: from_pdf}


def expected(account: Account) -> dict[str, Any]:
    """The same figures straight from the ledger."""
    before = datetime(2026, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)
    end = datetime(2026, 4, 1, tzinfo=UTC)
    lines = ledger_queries.lines(account.ledger_account_id, since=before, until=end)
    amounts = [Decimal(line.amount_minor) / 100 for line in lines]
    return figures(
        Decimal(ledger_queries.balance_at(account.ledger_account_id, before)) / 100,
        sum(amount for amount in amounts if amount > 0),
        -sum(amount for amount in amounts if amount < 0),
        Decimal(ledger_queries.balance_at(account.ledger_account_id, end - timedelta(microseconds=1))) / 100,
        amounts,
    )


def test_worked_figures(moved: Account) -> None:
    statement = statements.statement(moved, period=MARCH)
    shown = [(line.amount.plain, line.balance.plain) for line in statement.lines]
    assert shown == [("-300.00", "700.00"), ("25.50", "725.50"), ("0.01", "725.51"), ("-20.00", "705.51")]
    assert (statement.opening.plain, statement.paid_in.plain) == ("1000.00", "25.51")
    assert (statement.paid_out.plain, statement.closing.plain) == ("320.00", "705.51")
    assert statement.last_day == date(2026, 3, 31)


@pytest.mark.parametrize("form", list(READERS))
def test_every_format_tells_the_ledgers_figures(moved: Account, form: Format) -> None:
    assert READERS[form](content(moved, form)) == expected(moved)


def test_the_page_tells_the_same(moved: Account, alice: User, login: Any) -> None:
    assert from_page(moved, login(alice)) == expected(moved)


def test_an_overdrawn_account_reads_the_same_everywhere(moved: Account) -> None:
    post(moved, -1_000_00, datetime(2026, 4, 2, tzinfo=UTC))
    period = Period(date(2026, 4, 2), date(2026, 4, 3))
    wanted = figures("700.51", "0.00", "1000.00", "-299.49", ["-1000.00"])
    assert {form: reader(content(moved, form, period)) for form, reader in READERS.items()} == dict.fromkeys(
        READERS, wanted
    )


@pytest.mark.parametrize("form", list(READERS))
def test_a_quiet_period_opens_and_closes_at_the_same_figure(moved: Account, form: Format) -> None:
    quiet = Period(date(2026, 3, 11), date(2026, 3, 20))
    assert READERS[form](content(moved, form, quiet)) == figures("705.51", "0.00", "0.00", "705.51", [])


def test_a_period_is_half_open(moved: Account) -> None:
    first = statements.statement(moved, period=Period(date(2026, 3, 5), date(2026, 3, 10)))
    second = statements.statement(moved, period=Period(date(2026, 3, 10), date(2026, 3, 11)))
    assert [line.amount.plain for line in first.lines] == ["-300.00", "25.50", "0.01"]
    assert [line.amount.plain for line in second.lines] == ["-20.00"]
    assert second.opening == first.closing


def test_before_the_account_was_opened_there_is_nothing(moved: Account) -> None:
    early = statements.statement(moved, period=Period(date(2025, 1, 1), date(2025, 2, 1)))
    assert (early.opening.plain, early.closing.plain, early.lines) == ("0.00", "0.00", [])


def test_no_cell_of_the_csv_is_a_formula(moved: Account) -> None:
    rows = list(csv.DictReader(StringIO(content(moved, Format.CSV).decode("utf-8-sig"))))
    assert rows[1]["Description"].startswith("'=HYPERLINK")
    assert rows[4]["Description"] == "'-2+3 is a text"
    for row in rows:
        assert not row["Description"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_hostile_text_stays_text_in_xml_and_pdf(moved: Account) -> None:
    wanted = " ".join(HOSTILE.replace("\u0007", "").split())
    document = etree.fromstring(content(moved, Format.CAMT053))
    assert document.find(f".//{CAMT}AddtlNtryInf").text == wanted
    assert "#set text(red)" in text_of_pdf(content(moved, Format.PDF)).replace("\n", " ")
    tree = OFXTree()
    tree.parse(BytesIO(content(moved, Format.OFX)))
    assert tree.convert().statements[0].transactions[0].memo == wanted


def test_references_are_unique_and_never_change(moved: Account) -> None:
    def references() -> list[str]:
        tree = OFXTree()
        tree.parse(BytesIO(content(moved, Format.OFX)))
        return [line.fitid for line in tree.convert().statements[0].transactions]

    first = references()
    assert len(set(first)) == 4
    post(moved, -1_00, datetime(2026, 4, 3, tzinfo=UTC))
    assert references() == first
    entries = etree.fromstring(content(moved, Format.CAMT053)).findall(f".//{CAMT}NtryRef")
    assert [entry.text for entry in entries] == first


def test_the_ofx_header_says_what_it_is(moved: Account) -> None:
    head = content(moved, Format.OFX).decode().split("\n")[:2]
    assert head[0].startswith('<?xml version="1.0" encoding="UTF-8"')
    assert head[1] == '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>'


def test_camt_names_codes_dates_and_sides(moved: Account) -> None:
    document = etree.fromstring(content(moved, Format.CAMT053))
    entry = document.findall(f".//{CAMT}Ntry")[1]
    codes = entry.find(f"{CAMT}BkTxCd/{CAMT}Domn")
    assert [cell.text for cell in codes.iter() if cell.text] == ["PMNT", "RCDT", "DMCT"]
    assert entry.find(f"{CAMT}BkTxCd/{CAMT}Prtry/{CAMT}Cd").text == "deposit"
    assert entry.find(f"{CAMT}BookgDt/{CAMT}DtTm").text.startswith("2026-03-06T12:00:00")
    assert entry.find(f"{CAMT}ValDt/{CAMT}Dt").text == "2026-03-06"
    assert document.findall(f".//{CAMT}RvslInd")[0].getparent() is document.findall(f".//{CAMT}Ntry")[2]
    assert document.find(f".//{CAMT}Acct/{CAMT}Id/{CAMT}Othr/{CAMT}Id").text == moved.number
    assert document.find(f".//{CAMT}Ownr/{CAMT}Nm").text == "Alice Archer"


def test_the_schema_refuses_a_broken_file(moved: Account) -> None:
    broken = content(moved, Format.CAMT053).replace(b"<Sts><Cd>BOOK</Cd></Sts>", b"", 1)
    with pytest.raises(etree.DocumentInvalid):
        camt_schema().assertValid(etree.fromstring(broken))


def test_the_pdf_is_an_archive_with_the_facts_of_the_account(moved: Account) -> None:
    data = content(moved, Format.PDF)
    assert b"pdfaid:part" in data
    assert b'"2"' in data.partition(b"pdfaid:part")[2][:20] or b">2<" in data.partition(b"pdfaid:part")[2][:20]
    text = text_of_pdf(data)
    for fact in ("Alice Archer", moved.grouped_number, "1 Mar 2026 to 31 Mar 2026", "Page 1 of 1", "EUR"):
        assert fact in text
    assert content(moved, Format.PDF) == data


def test_names_of_files_are_harmless(moved: Account) -> None:
    statement = statements.statement(moved, period=MARCH)
    names = [statements.export(statement, form=form, now=NOW).name for form in Format]
    stem = f"statement-{moved.number[-4:]}-20260301-20260331"
    assert names == [f"{stem}.pdf", f"{stem}.csv", f"{stem}.ofx", f"{stem}.xml"]


def test_what_is_posted_meanwhile_does_not_reach_a_statement(moved: Account) -> None:
    april = statements.statement(moved, period=Period(date(2026, 4, 1), date(2026, 5, 1)))
    post(moved, -7_00, datetime(2026, 4, 20, tzinfo=UTC))
    assert [line.amount.plain for line in april.iterate()] == ["-5.00"]
    assert april.closing.plain == "700.51"


def many_lines(count: int) -> tuple[Heading, Iterator[StatementLine]]:
    """A heading and a stream of lines that nobody holds in memory."""
    zero = Money(0, "EUR")
    heading = Heading(
        bank="Bankportal",
        holder="Alice Archer",
        address=(),
        account_number="BP42123456789012",
        product="Current account",
        product_kind="CURRENT",
        currency="EUR",
        since=MARCH.since,
        until=MARCH.until,
        opening=zero,
        paid_in=Money(count, "EUR"),
        paid_out=zero,
        closing=Money(count, "EUR"),
        count_in=count,
        count_out=0,
        number=None,
        created_at=NOW,
    )
    lines = (
        StatementLine(
            entry_id=number,
            seq=number,
            booked_at=day(1),
            value_date=day(1).date(),
            kind="deposit",
            description="Cash",
            amount=Money(1, "EUR"),
            balance=Money(number, "EUR"),
            source_kind="test",
            source_id="1",
        )
        for number in range(1, count + 1)
    )
    return heading, lines


@pytest.mark.parametrize("form", [Format.CSV, Format.OFX, Format.CAMT053])
def test_a_long_statement_takes_no_more_memory_than_a_short_one(form: Format) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        size = sum(len(chunk) for chunk in formats.write(form, *many_lines(count)).chunks)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size > count * 20
        return top

    short, long = peak(2_000), peak(30_000)
    assert long < short * 1.5, (short, long)


def test_a_pdf_has_a_limit_and_says_so() -> None:
    heading, lines = many_lines(as_pdf.LONGEST + 1)
    with pytest.raises(services.StatementTooLong) as caught:
        as_pdf.write(heading, lines)
    assert caught.value.data == {"postings": 2_001, "longest": 2_000}
    assert "2,001" in caught.value.text


def test_a_long_pdf_repeats_the_tables_head_and_counts_its_pages() -> None:
    data = as_pdf.write(*many_lines(120))
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Amount (EUR)" in page


def test_currencies_without_cents_read_right() -> None:
    yen = Money(1_250, "JPY")
    heading, _ = many_lines(0)
    plain = {name: getattr(heading, name) for name in Heading.__slots__}
    heading = Heading(
        **{**plain, "currency": "JPY", "opening": yen, "closing": yen, "paid_in": yen - yen, "paid_out": yen - yen}
    )
    assert b"Opening balance,,JPY,1250," in b"".join(as_csv.write(heading, []))
    assert b'<Amt Ccy="JPY">1250</Amt>' in b"".join(as_camt053.write(heading, []))
