"""Accounts for the tests of every app above."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts import queries, services
from accounts.models import Account, FeeVersion, Product
from accounts.reference import FIRST_DAY
from accounts.rules.fees import Operation, Tariff
from accounts.services.fees import write_version
from common.money import Money
from identity.models import User
from kyc import queries as kyc
from tests.kyc.factories import approve_kyc


def set_test_fee(product: str, operation: Operation, tariff: Tariff) -> FeeVersion:
    """A fee that holds from long ago and comes before every other."""
    with transaction.atomic():
        return write_version(
            product=Product.objects.get(pk=product),
            operation=operation,
            tariff=tariff,
            valid_from=FIRST_DAY,
            entered_by=None,
            entered_at=timezone.now(),
        )


def open_test_account(
    user: User, product: str = "CUR-EUR", amount: str = "1000.00", now: datetime | None = None
) -> Account:
    """An open account of a customer (whose identity check is approved on the way), funded from the sandbox source."""
    if not kyc.is_approved(user.pk):
        approve_kyc(user)
    terms = queries.get_product(product)
    opened = services.open_account(
        actor=user,
        owner=user,
        product_code=product,
        opening=Money.parse(amount, terms.currency),
        source=services.sandbox(),
        client_id=uuid4(),
        now=now or timezone.now(),
    )
    return opened.account
