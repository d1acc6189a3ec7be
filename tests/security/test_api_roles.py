"""Every operation of the API as every kind of caller: owner, stranger, another customer, each role, and API keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from accounts.models import Account
from identity.models import ApiClient, User
from identity.permissions import STAFF_ROLES, Role
from payments.models import Payee, Payment
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.payments.factories import PIN
from tests.security import office
from tests.security.api_world import CALLERS, World, key_client
from tests.security.operations import APART, API, OPEN, OWN, SELF, operations

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]


def test_every_operation_has_an_expectation() -> None:
    named = OPEN | SELF | OWN | APART
    assert operations() - named == set(), "say in tests/security/operations.py who may call these"
    assert named - operations() == set(), "these operations are gone"


def test_other_peoples_things_are_not_there(caller: APIClient, world: World) -> None:
    # Bob may see the payment that he received: he is its other party.
    received = caller.get(f"/{API}transactions/history/{world.payment.pk}").status_code == 200
    before, wrong = office.state_of_the_bank(), []
    for call in sorted(OWN):
        answer = world.call(caller, call)
        is_bobs = received and call[1].startswith("transactions/history/")
        # A key acts within its scopes alone, whatever the thing.
        no_scope = call[0] != "GET" and answer.status_code == 403 and answer.json()["code"] == "scope_missing"
        if answer.status_code != 404 and not is_bobs and not no_scope:
            wrong.append((call, answer.status_code, getattr(answer, "content", b"")[:200]))

    assert wrong == []
    assert [table for table in office.differences(before) if table != "identity_apiclient"] == []


def test_what_is_about_oneself_shows_nothing_of_others(caller: APIClient, world: World) -> None:
    for call in sorted(SELF):
        answer = world.call(caller, call)
        # A key reads only: its user has no name and no PIN to change.
        by_key = "HTTP_X_API_KEY" in caller._credentials and call[0] != "GET"
        assert answer.status_code in ({403} if by_key else {200, 204}), call
        if call[1] != "transactions/history":
            assert not [secret for secret in world.secrets if secret in answer.content.decode()], call


def test_nobody_and_a_dead_key_get_401(world: World, settings: Any) -> None:
    dead = key_client("deposits:write")
    ApiClient.objects.update(is_active=False)
    for client in (APIClient(), dead):
        for call in sorted(OWN | SELF | APART):
            # There are more operations than tries of a key in a minute.
            settings.THROTTLE_SCOPE = uuid4().hex
            answer = world.call(client, call)
            assert answer.status_code == 401, call
            assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_owner_gets_what_the_others_do_not(world: World, alice: User, api: Callable[[User], APIClient]) -> None:
    clients = {"kyc": api(world.application.user)}
    for call in sorted(OWN, reverse=True):
        answer = world.call(clients.get(call[1].split("/")[0], api(alice)), call)
        # The application lacks documents by then; what matters is that it is there.
        assert answer.status_code in {200, 201, 204, 409}, (call, answer.content)


DEPOSITS: dict[str, set[int]] = {
    "bob": {404},
    "stranger": {404},
    **{role.value: {404} for role in STAFF_ROLES},
    Role.TELLER.value: {201},
    "key with scope": {201},
    "key without scope": {403},
}


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_who_may_pay_into_somebodys_account(
    caller: APIClient, some_world: World, request: pytest.FixtureRequest
) -> None:
    who = request.node.callspec.params["caller"]
    payments = Payment.objects.count()

    answer = caller.post(
        f"/{API}transactions/deposit",
        {"account_number": some_world.account.number, "amount": "10.00"},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    assert answer.status_code in DEPOSITS[who], answer.content
    assert Payment.objects.count() - payments == (1 if answer.status_code == 201 else 0)


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_who_may_reverse_somebodys_payment(
    caller: APIClient, some_world: World, request: pytest.FixtureRequest
) -> None:
    answer = caller.post(
        f"/{API}transactions/history/{some_world.payment.pk}/reverse",
        {"reason": "For the test"},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    allowed = request.node.callspec.params["caller"] == Role.COMPLIANCE
    assert answer.status_code == (200 if allowed else 403), answer.content
    some_world.payment.refresh_from_db()
    assert some_world.payment.status == ("REVERSED" if allowed else "COMPLETED")


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_an_account_is_never_opened_with_somebody_elses_money(caller: APIClient, some_world: World) -> None:
    accounts = Account.objects.count()
    told = {
        "product": "SAV-EUR",
        "amount": "50.00",
        "source": "OWN_ACCOUNT",
        "source_account": str(some_world.account.pk),
    }

    answer = caller.post(f"/{API}accounts/", told, format="json", headers={"Idempotency-Key": str(uuid4())})

    assert answer.status_code in {403, 404, 409, 422}, answer.content
    assert Account.objects.count() == accounts


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_only_customers_apply_for_an_identity_check(
    caller: APIClient, some_world: World, request: pytest.FixtureRequest
) -> None:
    answer = caller.post(f"/{API}kyc/applications", {}, format="json")

    customers = {"stranger": {200, 201}, "bob": {409}}
    assert answer.status_code in customers.get(request.node.callspec.params["caller"], {403}), answer.content


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_payees_and_limits_are_set_for_oneself_alone(caller: APIClient, some_world: World) -> None:
    before = list(Payee.objects.values_list("pk", "customer_id"))
    told = {"name": "Alice Archer", "payee_number": some_world.account.number, "pin": PIN}
    saved = caller.post(f"/{API}payees/", told, format="json")
    lowered = caller.put(
        f"/{API}limits/PORTAL/", {"per_payment": None, "daily": "5.00", "monthly": None, "pin": PIN}, format="json"
    )

    by_key = "HTTP_X_API_KEY" in caller._credentials
    assert saved.status_code in ({403} if by_key else {201, 403}), saved.content
    assert lowered.status_code in ({403} if by_key else {200, 403}), lowered.content
    mine = [row for row in Payee.objects.values_list("pk", "customer_id") if row not in before]
    assert some_world.account.owner_id not in {owner for _, owner in mine}
    limits = APIClient()
    limits.force_authenticate(some_world.account.owner)
    assert "5.00" not in {limit["daily"]["own"] for limit in limits.get(f"/{API}limits/").json()["channels"]}
