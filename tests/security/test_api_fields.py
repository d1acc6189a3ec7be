"""Fields that nobody asked for change nothing (V8.2.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Account
from identity.models import User
from kyc.models import Application
from payments.models import Payment
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.security.api_world import World
from tests.security.operations import Call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]

SMUGGLED = {
    "balance": "1000000.00",
    "posted": 100000000,
    "status": "COMPLETED",
    "state": "APPROVED",
    "kyc_state": "APPROVED",
    "owner": 1,
    "user": 1,
    "initiated_by": 1,
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "groups": ["administrator"],
    "roles": ["administrator"],
    "email": "other@example.com",
    "public_id": "00000000-0000-4000-8000-000000000000",
    "fee": "0.00",
    "overdraft_minor": 100000000,
    "number": "BP00000000000000",
}


@pytest.mark.parametrize(
    "call",
    [
        ("PATCH", "users/profile"),
        ("PATCH", "kyc/applications/<uuid:application_id>"),
        ("POST", "transactions/transfer"),
    ],
)
def test_fields_that_nobody_asked_for_change_nothing(
    call: Call, world: World, alice: User, api: Callable[[User], APIClient]
) -> None:
    owner = world.application.user if call[1].startswith("kyc/") else alice
    users = list(User.objects.order_by("pk").values("email", "is_staff", "is_superuser", "is_active", "public_id"))
    roles = list(User.groups.through.objects.values_list("user_id", "group_id"))
    account = Account.objects.values("number", "owner_id", "status", "product_id", "ledger_account_id").get(
        pk=world.account.pk
    )

    method, route = call
    answer = getattr(api(owner), method.lower())(
        world.address(route),
        {**world.body(call), **SMUGGLED},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    assert answer.status_code in {200, 201, 400, 422}, answer.content
    assert (
        list(User.objects.order_by("pk").values("email", "is_staff", "is_superuser", "is_active", "public_id")) == users
    )
    assert list(User.groups.through.objects.values_list("user_id", "group_id")) == roles
    assert (
        Account.objects.values("number", "owner_id", "status", "product_id", "ledger_account_id").get(
            pk=world.account.pk
        )
        == account
    )
    assert Application.objects.get(pk=world.application.pk).state == "DRAFT"
    if answer.status_code == 201:
        payment = Payment.objects.get(pk=json.loads(answer.content)["id"])
        assert (payment.initiated_by, payment.amount_minor) == (alice, 500)
