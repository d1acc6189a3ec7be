"""A card gateway of the demo bank: ninety days of an invented bank's payments, and what officers found out about them.

So that a model can be trained on the first day: the frauds among them are labelled by decided cases, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from tqdm import tqdm

from bankportal.demo import frauds
from bankportal.demo.bank import SEED, Books
from bankportal.demo.frauds import Pattern
from common.db import use_case
from common.errors import DomainError
from common.money import Money
from fraud import services as fraud
from fraud.models import Case, CaseStatus
from fraud.rules.features.arithmetic import TYPE_CODES
from fraud.rules.gateway import Gateway, Told
from fraud.subjects import checklist
from identity import services as identity
from identity.models import ApiClient

NAME = "Harbour Cards (demo)"
CUSTOMERS = 40
FRAUDS_OF_EACH_KIND = 8
_TYPES = {code: kind for kind, code in TYPE_CODES.items()}


@dataclass(frozen=True, slots=True)
class _Paid:
    """A payment as the gateway tells it, when it was, and what it was."""

    told: Told
    at: datetime
    pattern: Pattern


def ensure(books: Books, *, end: datetime, quiet: bool) -> None:
    """Have each day's payments checked, and decide some hours later what waits; goes on where an interrupted run stopped."""
    gateway = _gateway(end)
    days = [list(day) for _, day in groupby(_payments(end), key=lambda paid: paid.at.date())]
    for day in tqdm(days, desc="Payments of a card gateway", unit="day", disable=quiet):
        later = min(day[-1].at + timedelta(hours=9), end)
        told = {place: paid.told for place, paid in enumerate(day)}
        answers = fraud.analyze_each(gateway=gateway, told=told, now=later)
        found = {}
        for place, answer in answers.items():
            if isinstance(answer, DomainError):
                raise answer
            found[answer.decision_id] = day[place].pattern
        _decide(books, found, now=later)


def _gateway(end: datetime) -> Gateway:
    known = ApiClient.objects.filter(name=NAME).first()
    if known is None:
        known = identity.create_api_client(
            actor=None, name=NAME, scopes=[ApiClient.Scope.FRAUD_SCORE], now=end - timedelta(days=frauds.DAYS)
        ).client
    return Gateway(known.pk, known.key_id)


def _payments(end: datetime) -> Iterator[_Paid]:
    """The invented payments in the order of time; the last is a day old."""
    bank = frauds.invent(seed=SEED, customers=CUSTOMERS, frauds_each=FRAUDS_OF_EACH_KIND)
    events = bank.events
    last = int(events.at_us[-1])
    for place in range(len(events.at_us)):
        at = end - timedelta(days=1, microseconds=last - int(events.at_us[place]))
        yield _Paid(
            Told(
                transaction_id=f"demo-{place}",
                customer_id=f"card-{events.customer[place]}",
                beneficiary_id=f"payee-{events.payee[place]}",
                amount=Money(int(events.amount_minor[place]), "EUR").plain,
                currency="EUR",
                at=at,
                transfer_type=_TYPES[int(events.type_code[place])],
                ip=_address(int(events.ip[place])),
                country="BR" if events.away[place] else "DE",
                home_country="DE",
                device=f"device-{events.device[place]}",
            ),
            at,
            Pattern(bank.patterns[place]),
        )


def _address(number: int) -> str:
    return f"2001:db8::{number >> 16:x}:{number & 0xFFFF:x}"


def _decide(books: Books, found: dict[UUID, Pattern], *, now: datetime) -> None:
    """What waits among these decisions is decided as it was; the customers have said so meanwhile."""
    with use_case():
        for case in Case.objects.filter(decision__in=found, status=CaseStatus.OPEN).order_by("opened_at", "pk"):
            pattern = found[case.decision_id]
            honest = pattern is Pattern.ORDINARY
            fraud.decide_case(
                actor=books.staff["compliance@demo.example"],
                case_id=case.pk,
                decision="RELEASE" if honest else "DECLINE",
                reason="The cardholder confirmed it." if honest else "The cardholder did not pay this.",
                kind="" if honest else pattern.name,
                now=now,
                checked=[item.code for item in checklist(case.subject_kind, case.outcome)],
            )
