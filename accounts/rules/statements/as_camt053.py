"""ISO 20022 camt.053.001.08, Bank to Customer Statement: element order and lengths follow the public schema.

Balances and sums stand before the entries, so the file can be written line by line once the heading is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from accounts.rules.statements.content import Heading, StatementLine, encoded
from accounts.rules.statements.xml import element, text
from common.money import Money

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

# The external code list of bank transactions: domain, family, sub-family, by what the ledger calls a posting and by side.
_CODES = {
    ("transfer", "CRDT"): ("PMNT", "RCDT", "BOOK"),
    ("transfer", "DBIT"): ("PMNT", "ICDT", "BOOK"),
    ("own_transfer", "CRDT"): ("PMNT", "RCDT", "BOOK"),
    ("own_transfer", "DBIT"): ("PMNT", "ICDT", "BOOK"),
    ("closing_payout", "CRDT"): ("PMNT", "RCDT", "BOOK"),
    ("closing_payout", "DBIT"): ("ACMT", "ACOP", "CLOS"),
    ("opening_deposit", "CRDT"): ("PMNT", "RCDT", "BOOK"),
    ("opening_deposit", "DBIT"): ("PMNT", "ICDT", "BOOK"),
    ("deposit", "CRDT"): ("PMNT", "RCDT", "DMCT"),
    ("withdrawal", "DBIT"): ("PMNT", "ICDT", "DMCT"),
    ("reversal", "CRDT"): ("PMNT", "ICDT", "RRTN"),
    ("reversal", "DBIT"): ("PMNT", "RCDT", "RRTN"),
    ("fee", "DBIT"): ("ACMT", "MDOP", "CHRG"),
    ("fee", "CRDT"): ("ACMT", "MCOP", "CHRG"),
    ("interest", "CRDT"): ("ACMT", "MCOP", "INTR"),
    ("interest", "DBIT"): ("ACMT", "MDOP", "INTR"),
}
_OTHER = {"CRDT": ("PMNT", "MCOP", "OTHR"), "DBIT": ("PMNT", "MDOP", "OTHR")}


def write(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[bytes]:
    """The file in chunks."""
    return encoded(_parts(heading, lines))


def _parts(heading: Heading, lines: Iterable[StatementLine]) -> Iterator[str]:
    created = _moment(heading.created_at)
    number = f"<ElctrncSeqNb>{heading.number}</ElctrncSeqNb><LglSeqNb>{heading.number}</LglSeqNb>"
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{NAMESPACE}">\n<BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>{heading.reference}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>{heading.reference}</Id>{number if heading.number else ''}<CreDtTm>{created}</CreDtTm>"
        f"<FrToDt><FrDtTm>{_midnight(heading.since)}</FrDtTm><ToDtTm>{_end_of(heading.last_day)}</ToDtTm></FrToDt>\n"
        + _account(heading)
        + _balance("OPBD", heading.opening, heading.since)
        + _balance("CLBD", heading.closing, heading.last_day)
        + _summary(heading)
    )
    for line in lines:
        yield _entry(line)
    yield "</Stmt>\n</BkToCstmrStmt>\n</Document>\n"


def _account(heading: Heading) -> str:
    holder = element("Nm", text(heading.holder, 140))
    address = "".join(element("AdrLine", text(line, 70)) for line in heading.address[:7])
    postal = f"<PstlAdr>{address}</PstlAdr>" if address else ""
    return (
        f"<Acct><Id><Othr><Id>{heading.account_number}</Id><SchmeNm><Cd>BBAN</Cd></SchmeNm></Othr></Id>"
        f"<Ccy>{heading.currency}</Ccy>{element('Nm', text(heading.product, 70))}<Ownr>{holder}{postal}</Ownr>"
        f"<Svcr><FinInstnId>{element('Nm', text(heading.bank, 140))}</FinInstnId></Svcr></Acct>\n"
    )


def _balance(code: str, money: Money, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(money)}{_side(money)}"
        f"<Dt><Dt>{day.isoformat()}</Dt></Dt></Bal>\n"
    )


def _summary(heading: Heading) -> str:
    net = heading.paid_in - heading.paid_out
    gross = heading.paid_in + heading.paid_out
    return (
        f"<TxsSummry><TtlNtries><NbOfNtries>{heading.count}</NbOfNtries><Sum>{gross.plain}</Sum>"
        f"<TtlNetNtry><Amt>{_absolute(net).plain}</Amt>{_side(net)}</TtlNetNtry></TtlNtries>"
        f"<TtlCdtNtries><NbOfNtries>{heading.count_in}</NbOfNtries><Sum>{heading.paid_in.plain}</Sum></TtlCdtNtries>"
        f"<TtlDbtNtries><NbOfNtries>{heading.count_out}</NbOfNtries><Sum>{heading.paid_out.plain}</Sum></TtlDbtNtries>"
        "</TxsSummry>\n"
    )


def _entry(line: StatementLine) -> str:
    side = "DBIT" if line.amount.amount_minor < 0 else "CRDT"
    domain, family, sub = _CODES.get((line.kind, side), _OTHER[side])
    reversal = "<RvslInd>true</RvslInd>" if line.kind == "reversal" else ""
    source = text(line.source_id, 35)
    details = f"<TxDtls><Refs><AcctSvcrRef>{source}</AcctSvcrRef></Refs>{_amount(line.amount)}{_side(line.amount)}"
    remittance = element("Ustrd", text(line.description, 140))
    return (
        f"<Ntry><NtryRef>{line.reference[:35]}</NtryRef>{_amount(line.amount)}{_side(line.amount)}{reversal}"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>{_moment(line.booked_at)}</DtTm></BookgDt>"
        f"<ValDt><Dt>{line.value_date.isoformat()}</Dt></ValDt><AcctSvcrRef>{line.entry_id}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn>"
        f"<Prtry>{element('Cd', text(line.kind, 35))}</Prtry></BkTxCd>"
        f"<NtryDtls>{details}<RmtInf>{remittance}</RmtInf></TxDtls></NtryDtls>"
        f"{element('AddtlNtryInf', text(line.description, 500))}</Ntry>\n"
    )


def _amount(money: Money) -> str:
    return f'<Amt Ccy="{money.currency}">{_absolute(money).plain}</Amt>'


def _side(money: Money) -> str:
    return "<CdtDbtInd>DBIT</CdtDbtInd>" if money.amount_minor < 0 else "<CdtDbtInd>CRDT</CdtDbtInd>"


def _absolute(money: Money) -> Money:
    return -money if money.amount_minor < 0 else money


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _midnight(day: date) -> str:
    return _moment(datetime.combine(day, time.min, tzinfo=UTC))


def _end_of(day: date) -> str:
    return _moment(datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC) - timedelta(milliseconds=1))
