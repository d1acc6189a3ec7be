"""Filling a small demo bank: cut short, gone on with, and run again."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account
from audit.models import AuditEvent
from bankportal.demo import bank, bookkeeping, gateway, staff
from bankportal.demo.history import Movement, movements
from bankportal.demo.people import people
from fraud.models import Case, CaseStatus, Decision, Label
from fraud.rules.learning import boosting
from identity.models import User
from kyc.models import Application, Document, State
from ledger import services as ledger
from ledger.models import Entry
from notifications.models import OutboxEvent
from payments.models import Kind, Payment, Status

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = (User, Application, Document, Account, Payment, Decision, Case, AuditEvent, OutboxEvent)


@pytest.fixture(autouse=True)
def small_bank(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.SANDBOX, settings.DEMO_PASSWORD = True, "a demo password for a test"
    monkeypatch.setattr(bank, "CUSTOMERS", 22)
    monkeypatch.setattr(bank, "PENDING", 2)
    monkeypatch.setattr(gateway, "CUSTOMERS", 12)
    monkeypatch.setattr(gateway, "FRAUDS_OF_EACH_KIND", 1)


def seed() -> str:
    printed = io.StringIO()
    call_command("seed_demo", quiet=True, stdout=printed)
    return printed.getvalue()


def counts() -> dict[str, int]:
    return {table.__name__: table.objects.count() for table in TABLES}


def cut_short_after(monkeypatch: pytest.MonkeyPatch, postings: int) -> None:
    left = iter(range(postings))
    post = ledger.post_transfer

    def post_or_die(**facts: Any) -> ledger.PostedEntry:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return post(**facts)

    monkeypatch.setattr(ledger, "post_transfer", post_or_die)


def test_goes_on_after_an_interruption_and_changes_nothing_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bookkeeping, "CHUNK", 100)
        cut_short_after(patch, 600)
        with pytest.raises(KeyboardInterrupt):
            seed()
    booked = Entry.objects.filter(source_kind="payment").count()
    assert booked > 100, "more than one chunk"
    assert Payment.objects.exclude(entry_id=None).count() == booked, "a chunk is booked whole or not at all"
    assert not bank.is_seeded()

    logins = seed()

    assert bank.is_seeded()
    assert "LOGIN\tadministrator\tadmin@demo.example\tback office" in logins
    # Prints what differs and ends with an error when anything does.
    call_command("verify_ledger", stdout=io.StringIO(), stderr=io.StringIO())
    assert Application.objects.filter(state=State.PENDING).count() == 2
    assert set(Payment.objects.values_list("status", flat=True)) == {Status.COMPLETED, Status.HELD, Status.REFUSED}
    screened = Payment.objects.filter(kind__in=[Kind.TRANSFER, Kind.OWN_TRANSFER])
    decided = Decision.objects.filter(subject_kind="payment")
    assert set(screened.values_list("decision_id", "pk")) == set(decided.values_list("pk", "subject_id"))
    told = AuditEvent.objects.filter(subject_kind="payment").values_list("subject_id", flat=True)
    assert set(told) == {str(pk) for pk in Payment.objects.values_list("pk", flat=True)}
    settled = Payment.objects.filter(status=Status.COMPLETED)
    assert not settled.filter(entry_id=None).exists()

    before = counts()
    assert seed() == logins
    assert counts() == before


def test_what_officers_decided_about_the_gateway_is_enough_to_train_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    end = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = staff.ensure_staff(password="a demo password for a test", now=end)
    books = bank.Books([], {}, made, {}, {})
    gateway.ensure(books, end=end, quiet=True)

    decisions = Decision.objects.order_by("at")
    first, last = decisions[0].at, decisions.reverse()[0].at
    late = last - (last - first) * boosting.VALIDATION_SHARE
    labels = Label.objects.filter(is_fraud=True)
    for part in (labels.filter(decision__at__lt=late), labels.filter(decision__at__gte=late)):
        assert part.count() >= boosting.FEWEST_FRAUDS
    assert {"MULE", "CARD_TESTING", "SMURFING"} <= set(labels.values_list("kind", flat=True))
    assert Label.objects.filter(is_fraud=False).count() >= boosting.FEWEST_FRAUDS
    assert not Case.objects.filter(status=CaseStatus.OPEN).exists()

    before = counts(), Label.objects.count()
    gateway.ensure(books, end=end, quiet=True)
    assert (counts(), Label.objects.count()) == before


def test_the_same_seed_plans_the_same_ninety_days() -> None:
    persons = people(count=12, seed=bank.SEED)
    assert people(count=12, seed=bank.SEED) == persons

    def plan(seed: int) -> list[Movement]:
        end = datetime(2026, 3, 1, 12, tzinfo=UTC)
        return movements(persons=persons, openings=[90_000] * 12, savers={0, 2}, end=end, seed=seed)

    assert plan(bank.SEED) == plan(bank.SEED)
    assert plan(bank.SEED) != plan(bank.SEED + 1)
