"""Payments for the tests of every app above."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Account
from common.db import database
from fraud import services as fraud
from fraud.models import Case, Decision
from fraud.rules.facts import Facts, Outcome, Reason, Verdict
from identity import services as identity
from identity.models import User
from ledger import queries as ledger
from payments import services
from payments.handlers import CHECKLISTS
from payments.models import Channel, Payment

PIN = "4826"


def give_pin(user: User, pin: str = PIN) -> None:
    identity.set_pin(actor=user, pin=pin, now=timezone.now())


def pay(payer: User, debit: Account, credit: Account, amount: str = "25.00", **overrides: Any) -> Payment:
    """Submit a transfer to somebody else, with the payee's right name unless told otherwise."""
    facts: dict[str, Any] = {
        "actor": payer,
        "debit_account_id": debit.pk,
        "payee_number": credit.number,
        "payee_name": credit.owner.full_name,
        "amount": amount,
        "client_id": uuid4(),
        "channel": Channel.PORTAL,
        "now": timezone.now(),
    }
    return services.submit_transfer(**{**facts, **overrides})


def held_payment(payer: User, debit: Account, credit: Account, amount: str = "25.00", **overrides: Any) -> Payment:
    """A transfer that the checks flagged, with its fraud case."""
    with verdict(Outcome.FLAGGED):
        return pay(payer, debit, credit, amount, **overrides)


# Everything on the checklist of a held payment.
CHECKED = [item.code for item in CHECKLISTS["FLAGGED"]]


def case_of(payment: Payment) -> Case:
    return Case.objects.get(subject_kind="payment", subject_id=payment.pk)


def posted(account: Account) -> int:
    return ledger.balance(account.ledger_account_id).posted


def held(account: Account) -> int:
    return ledger.balance(account.ledger_account_id).held


class verdict:  # noqa: N801 (reads as a context in tests)
    """`with verdict(Outcome.BLOCKED):` every screening inside ends so, recorded as fraud records it."""

    def __init__(self, outcome: Outcome, text: str = "This payment looks unlike you.") -> None:
        self.outcome, self.reasons = outcome, (Reason("TEST_RULE", text),)

    def __enter__(self) -> None:
        self._original = fraud.screen

        def screen(*, facts: Facts) -> Verdict:
            real = self._original(facts=facts)
            if real.outcome is self.outcome:
                return real
            decision = Decision.objects.get(pk=real.decision_id)
            if self.outcome is not Outcome.APPROVED:
                codes = [reason.code for reason in self.reasons]
                fraud.open_case(decision=decision, outcome=self.outcome, codes=codes, score=0.9)
            return Verdict(self.outcome, 0.9, self.reasons, decision.pk)

        fraud.screen = screen

    def __exit__(self, *_: object) -> None:
        fraud.screen = self._original


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def refuse_decisions_of(amount_minor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database refuse the rows of each decision about this amount, as a constraint would."""
    original = fraud.screen

    def refused(*, facts: Facts) -> Verdict:
        answer = original(facts=facts)
        if facts.amount_minor == amount_minor:
            database().later("SELECT 1/0", writes=True)
        return answer

    monkeypatch.setattr(fraud, "screen", refused)
