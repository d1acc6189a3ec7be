"""The review, the PIN and the one confirmation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.rules.fees import Operation, flat
from identity import services as identity
from payments import queries, services
from payments.models import Payment, Review
from tests.accounts.factories import set_test_fee
from tests.payments.conftest import Bank
from tests.payments.factories import PIN, posted

pytestmark = pytest.mark.django_db(transaction=True)


def review(bank: Bank, **overrides: Any) -> Review:
    facts: dict[str, Any] = {
        "actor": bank.alice,
        "debit_account_id": bank.current.pk,
        "payee_number": bank.bobs.number,
        "payee_name": "Bob Baker",
        "amount": "40.00",
        "now": timezone.now(),
    }
    return services.review_transfer(**{**facts, **overrides})


def confirm(bank: Bank, made: Review, **overrides: Any) -> Payment:
    facts: dict[str, Any] = {"actor": bank.alice, "review_id": made.pk, "pin": PIN, "now": timezone.now()}
    return services.confirm_transfer(**{**facts, **overrides})


def test_shows_what_will_happen_and_moves_nothing(bank: Bank) -> None:
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    shown = queries.get_review_for(actor=bank.alice, review_id=review(bank, payee_name="Bob Bakker").pk)
    assert (shown.amount.plain, shown.fee.plain, shown.balance_after.plain) == ("40.00", "1.50", "958.50")
    assert (shown.name_check, shown.name_hint) == ("CLOSE", "B. B.")
    assert posted(bank.current) == 100_000


def test_a_confirmed_review_is_one_payment(bank: Bank) -> None:
    made = review(bank)
    first = confirm(bank, made)
    assert confirm(bank, made).pk == first.pk
    assert posted(bank.current) == 96_000
    assert Payment.objects.count() == 1


def test_a_used_review_is_refused_later(bank: Bank) -> None:
    made, now = review(bank), timezone.now()
    first = confirm(bank, made, now=now)
    with pytest.raises(services.ReviewUsed) as refusal:
        confirm(bank, made, now=now + timedelta(seconds=11))
    assert refusal.value.data == {"payment_id": str(first.pk)}
    assert Payment.objects.count() == 1


def test_an_expired_review_is_refused(bank: Bank) -> None:
    made = review(bank)
    with pytest.raises(services.ReviewExpired):
        confirm(bank, made, now=made.expires_at)
    assert not Payment.objects.exists()


def test_a_review_of_somebody_else_does_not_exist(bank: Bank, bob: Any) -> None:
    identity.set_pin(actor=bob, pin="7391", now=timezone.now())
    made = review(bank)
    for review_id in (made.pk, uuid4()):
        with pytest.raises(services.ReviewNotFound):
            services.confirm_transfer(actor=bob, review_id=review_id, pin="7391", now=timezone.now())
    assert not Payment.objects.exists()


def test_a_wrong_pin_counts_and_uses_nothing_up(bank: Bank) -> None:
    made = review(bank)
    with pytest.raises(identity.WrongPin) as refusal:
        confirm(bank, made, pin="9173")
    assert refusal.value.data == {"attempts_left": 4}
    assert confirm(bank, made).amount_minor == 4_000


def test_a_fee_that_changed_since_asks_for_a_new_review(bank: Bank) -> None:
    made = review(bank)
    set_test_fee("CUR-EUR", Operation.TRANSFER, flat(150))
    with pytest.raises(services.ReviewOutdated):
        confirm(bank, made)
    assert (posted(bank.current), Payment.objects.count()) == (100_000, 0)


def test_reviews_that_are_long_over_are_deleted(bank: Bank) -> None:
    made = review(bank)
    assert services.purge_reviews(now=made.expires_at + timedelta(hours=23)) == 0
    assert services.purge_reviews(now=made.expires_at + timedelta(hours=25)) == 1
