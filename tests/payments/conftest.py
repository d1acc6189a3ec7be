from __future__ import annotations

from dataclasses import dataclass

import pytest

from accounts.models import Account
from identity.models import User
from tests.accounts.factories import open_test_account
from tests.payments.factories import give_pin


@dataclass
class Bank:
    """Alice has a current and a savings account and a PIN; Bob has a current account."""

    alice: User
    bob: User
    current: Account
    savings: Account
    bobs: Account


@pytest.fixture
def bank(alice: User, bob: User) -> Bank:
    give_pin(alice)
    return Bank(
        alice=alice,
        bob=bob,
        current=open_test_account(alice, "CUR-EUR", "1000.00"),
        savings=open_test_account(alice, "SAV-EUR", "500.00"),
        bobs=open_test_account(bob, "CUR-EUR", "100.00"),
    )
