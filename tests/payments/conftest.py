from __future__ import annotations

from dataclasses import dataclass

import pytest

from accounts.models import Account
from identity.models import User
from identity.permissions import Role
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
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


@pytest.fixture
def firm(alice: User) -> Account:
    """Alice's business account with 1,000.00."""
    give_pin(alice)
    return open_test_account(alice, "BUS-EUR", "1000.00")


@pytest.fixture
def staff(firm: Account) -> list[Account]:
    """Three people to pay."""
    people = [("Dora Dean", "dora"), ("Emil Eder", "emil"), ("Fred Frost", "fred")]
    return [
        open_test_account(make_user(f"{mail}@example.com", Role.CUSTOMER, name=name), amount="10.00")
        for name, mail in people
    ]
