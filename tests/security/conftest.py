"""The world of the API's tests, and its callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from identity.models import User
from identity.permissions import Role
from tests.payments.factories import give_pin
from tests.security import office
from tests.security.api_world import CALLERS, World, key_client


@pytest.fixture
def some_world(alice: User, bob: User) -> World:
    """Accounts and a payment; the rest when it is asked for."""
    return World(alice, office.make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"), bob)


@pytest.fixture
def world(some_world: World) -> World:
    return some_world.complete()


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest, api: Callable[[User], APIClient], some_world: World) -> APIClient:
    """Everybody who is not the owner; those who are people have a PIN of their own."""
    who = request.param
    if who.startswith("key"):
        return key_client(*(["deposits:write"] if who == "key with scope" else []))
    if who == "bob":
        user = some_world.bobs.owner
    elif who == "stranger":
        user = office.make_user("charlie@example.com", Role.CUSTOMER)
    else:
        user = office.staff(Role(who))
    give_pin(user)
    return api(user)
