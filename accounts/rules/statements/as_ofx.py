"""Open Financial Exchange 2.1.1 (XML): one bank statement response, as finance programs import it.

The opening balance and the sums have no element of their own; they are in BALLIST, which the specification keeps for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time

from accounts.rules.statements.content import Heading, StatementLine, encoded
from accounts.rules.statements.xml import element, text

# The specification: BANKID has at most 9 characters, ACCTID 22, NAME 32, MEMO 255, FITID 255.
BANK_ID = "BANKPORTL"
_ACCOUNT_TYPES = {"SAVINGS": "SAVINGS"}
_TYPES = {
    "deposit": "DEP",
    "opening_deposit": "DEP",
    "transfer": "XFER",
    "own_transfer": "XFER",
    "closing_payout": "XFER",
    "fee": "FEE",
    "interest": "INT",
}


def write(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[bytes]:
    """The file in chunks."""
    return encoded(_parts(heading, lines))


def _parts(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[str]:
    created = _moment(heading.created_at)
    status = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
    yield (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
        f"<OFX>\n<SIGNONMSGSRSV1><SONRS>{status}<DTSERVER>{created}</DTSERVER><LANGUAGE>ENG</LANGUAGE>"
        f"<FI><ORG>{text(heading.bank, 32)}</ORG></FI></SONRS></SIGNONMSGSRSV1>\n"
        f"<BANKMSGSRSV1><STMTTRNRS><TRNUID>{heading.reference}</TRNUID>{status}\n"
        f"<STMTRS><CURDEF>{heading.currency}</CURDEF>"
        f"<BANKACCTFROM><BANKID>{BANK_ID}</BANKID><ACCTID>{heading.account_number}</ACCTID>"
        f"<ACCTTYPE>{_ACCOUNT_TYPES.get(heading.product_kind, 'CHECKING')}</ACCTTYPE></BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{_midnight(heading.since)}</DTSTART><DTEND>{_midnight(heading.until)}</DTEND>\n"
    )
    for line in lines:
        yield _transaction(line)
    closing = f"<BALAMT>{heading.closing.plain}</BALAMT><DTASOF>{_midnight(heading.until)}</DTASOF>"
    yield (
        f"</BANKTRANLIST>\n<LEDGERBAL>{closing}</LEDGERBAL>\n<BALLIST>"
        + _balance("Opening balance", heading.opening.plain, heading.since)
        + _balance("Paid in", heading.paid_in.plain, heading.until)
        + _balance("Paid out", heading.paid_out.plain, heading.until)
        + "</BALLIST>\n</STMTRS></STMTTRNRS></BANKMSGSRSV1>\n</OFX>\n"
    )


def _transaction(line: StatementLine) -> str:
    kind = _TYPES.get(line.kind, "CREDIT" if line.amount.amount_minor > 0 else "DEBIT")
    description = text(line.description, 255)
    return (
        f"<STMTTRN><TRNTYPE>{kind}</TRNTYPE><DTPOSTED>{_moment(line.booked_at)}</DTPOSTED>"
        f"<DTAVAIL>{_midnight(line.value_date)}</DTAVAIL><TRNAMT>{line.amount.plain}</TRNAMT>"
        f"<FITID>{line.reference}</FITID>{element('NAME', text(line.description, 32))}"
        f"{element('MEMO', description)}</STMTTRN>\n"
    )


def _balance(name: str, amount: str, day: date) -> str:
    return (
        f"<BAL><NAME>{name}</NAME><DESC>{name}</DESC><BALTYPE>DOLLAR</BALTYPE><VALUE>{amount}</VALUE>"
        f"<DTASOF>{_midnight(day)}</DTASOF></BAL>"
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H%M%S}.{at.microsecond // 1000:03d}[0:GMT]"


def _midnight(day: date) -> str:
    return _moment(datetime.combine(day, time.min, tzinfo=UTC))
