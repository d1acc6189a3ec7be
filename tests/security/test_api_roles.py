"""Every operation of the API as every kind of caller: owner, stranger, another customer, each role, and API keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import Account
from identity import services as identity
from identity.models import ApiClient, User
from identity.permissions import STAFF_ROLES, Role
from kyc.models import Application
from payments import services as payments
from payments.models import Payee, Payment
from tests.accounts.factories import open_test_account
from tests.conftest import PASSWORD
from tests.kyc import files, helpers
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.loans.factories import granted, referred
from tests.payments import bulk
from tests.payments.factories import PIN, give_pin, pay
from tests.security import office

Call = tuple[str, str]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]
API = "api/v1/"

# Open to everybody: what each does is tested where it lives.
OPEN: set[Call] = {
    ("POST", "auth/register"),
    ("POST", "auth/token"),
    ("POST", "auth/token/refresh"),
    ("GET", "products/"),
    ("GET", "loans/products"),
    ("POST", "loans/quote"),
}
# About the caller alone: 2xx for everybody who is logged in, and nothing of anybody else.
SELF: set[Call] = {
    ("GET", "accounts/"),
    ("GET", "loans/"),
    ("GET", "loans/applications"),
    ("GET", "auth/me"),
    ("GET", "bulk-files/"),
    ("GET", "holds/"),
    ("GET", "kyc/applications"),
    ("GET", "limits/"),
    ("GET", "payees/"),
    ("GET", "standing-orders/"),
    ("GET", "transactions/history"),
    ("GET", "users/profile"),
    ("PATCH", "users/profile"),
    ("POST", "users/pin"),
}
# About one thing: it is not there for anybody but its owner.
OWN: set[Call] = {
    ("GET", "accounts/<uuid:account_id>/"),
    ("GET", "accounts/<uuid:account_id>/balance"),
    ("GET", "accounts/<uuid:account_id>/statement"),
    ("GET", "accounts/<uuid:account_id>/closing"),
    ("POST", "accounts/<uuid:account_id>/close"),
    ("POST", "accounts/<uuid:account_id>/reactivate"),
    ("GET", "accounts/<uuid:account_id>/statements/"),
    ("GET", "accounts/<uuid:account_id>/statements/<str:month>"),
    ("POST", "bulk-files/"),
    ("GET", "bulk-files/<uuid:bulk_id>/"),
    ("GET", "bulk-files/<uuid:bulk_id>/rows"),
    ("GET", "bulk-files/<uuid:bulk_id>/result"),
    ("POST", "bulk-files/<uuid:bulk_id>/confirm"),
    ("POST", "bulk-files/<uuid:bulk_id>/cancel"),
    ("GET", "kyc/applications/<uuid:application_id>"),
    ("PATCH", "kyc/applications/<uuid:application_id>"),
    ("GET", "kyc/applications/<uuid:application_id>/documents"),
    ("POST", "kyc/applications/<uuid:application_id>/documents"),
    ("POST", "kyc/applications/<uuid:application_id>/submit"),
    ("GET", "kyc/documents/<uuid:document_id>"),
    ("DELETE", "kyc/documents/<uuid:document_id>"),
    ("GET", "loans/<uuid:loan_id>"),
    ("GET", "loans/<uuid:loan_id>/schedule"),
    ("POST", "loans/<uuid:loan_id>/repayments"),
    ("POST", "loans/<uuid:loan_id>/prepayment-quote"),
    ("GET", "loans/<uuid:loan_id>/payoff-quote"),
    ("GET", "loans/applications/<uuid:loan_application_id>"),
    ("POST", "loans/applications/<uuid:loan_application_id>/accept"),
    ("GET", "payees/<uuid:payee_id>/"),
    ("DELETE", "payees/<uuid:payee_id>/"),
    ("POST", "standing-orders/"),
    ("GET", "standing-orders/<uuid:order_id>/"),
    ("POST", "standing-orders/<uuid:order_id>/skip"),
    ("POST", "standing-orders/<uuid:order_id>/pause"),
    ("POST", "standing-orders/<uuid:order_id>/resume"),
    ("POST", "standing-orders/<uuid:order_id>/cancel"),
    ("GET", "transactions/history/<uuid:payment_id>"),
    ("POST", "transactions/batch"),
    ("POST", "transactions/transfer"),
    ("POST", "transactions/withdraw"),
}
# Each has a test of its own below.
APART: set[Call] = {
    ("POST", "loans/applications"),
    ("POST", "accounts/"),
    ("POST", "auth/logout"),
    # Integrators' own; tests/payments/test_integrator_holds.py tries them as everybody else.
    ("POST", "holds/"),
    ("GET", "holds/<uuid:hold_id>/"),
    ("POST", "holds/<uuid:hold_id>/post"),
    ("POST", "holds/<uuid:hold_id>/void"),
    ("POST", "kyc/applications"),
    ("POST", "payees/"),
    ("PUT", "limits/<str:channel>/"),
    # Staff's own; tests/reconciliation/test_api.py tries them as each role.
    ("GET", "reconciliation/statements/"),
    ("POST", "reconciliation/statements/"),
    ("GET", "reconciliation/lines/"),
    ("POST", "reconciliation/rules"),
    ("POST", "reconciliation/matches/"),
    ("POST", "reconciliation/matches/<uuid:match_id>/undo"),
    ("POST", "transactions/deposit"),
    ("POST", "transactions/history/<uuid:payment_id>/reverse"),
}


def operations() -> set[Call]:
    """Every method of every address under /api/v1/, as the URLconf has them."""

    def walk(entries: list[URLPattern | URLResolver], prefix: str) -> Any:
        for entry in entries:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, route)
            elif route.startswith(API):
                methods = [
                    name for name in ("get", "post", "put", "patch", "delete") if hasattr(entry.callback.cls, name)
                ]
                yield from ((method.upper(), route.removeprefix(API)) for method in methods)

    return set(walk(get_resolver().url_patterns, ""))


def test_every_operation_has_an_expectation() -> None:
    named = OPEN | SELF | OWN | APART
    assert operations() - named == set(), "say in tests/security/test_api_roles.py who may call these"
    assert named - operations() == set(), "these operations are gone"


class World:
    """What belongs to Alice and to Dora, and the bodies that name it."""

    def __init__(self, alice: User, dora: User, bob: User) -> None:
        give_pin(alice)
        self.account: Account = open_test_account(alice, "CUR-EUR", "1000.00")
        self.month = self.account.opened_at.date().replace(day=1)
        accounts.issue_statement(
            account=self.account, month=self.month, now=self.account.opened_at + timedelta(days=40)
        )
        self.bobs: Account = open_test_account(bob, "CUR-EUR", "100.00")
        self.payment: Payment = pay(alice, self.account, self.bobs)
        self.payee = payments.save_payee(
            actor=alice, name="Bob Baker", number=self.bobs.number, iban="", pin=PIN, now=timezone.now()
        )
        now = timezone.now()
        draft = payments.draft_standing_order(
            actor=alice,
            debit_account_id=self.account.pk,
            payee_number=self.bobs.number,
            payee_name="Bob Baker",
            amount="5.00",
            unit="MONTH",
            first_date=now.date(),
            now=now,
        )
        self.order = payments.make_standing_order(draft=draft, pin=PIN, now=now)
        self.firm: Account = open_test_account(alice, "BUS-EUR", "100.00")
        self.file = bulk.checked(self.firm, [bulk.to(self.bobs, "1.00")])
        lender = office.make_user("lender@bank.example", Role.LENDING)
        self.loan = granted(alice, self.account, lender, now=now)
        self.wish = referred(alice, self.account, now=now)
        self.application: Application = helpers.draft(dora)
        self.document = helpers.upload(dora, self.application)
        self.secrets = [str(self.account.pk), self.account.number, str(self.payment.pk), str(self.application.pk)]

    def address(self, route: str) -> str:
        return (
            "/"
            + API
            + route.replace("<uuid:account_id>", str(self.account.pk))
            .replace("<uuid:application_id>", str(self.application.pk))
            .replace("<uuid:document_id>", str(self.document.pk))
            .replace("<uuid:payment_id>", str(self.payment.pk))
            .replace("<uuid:payee_id>", str(self.payee.pk))
            .replace("<uuid:order_id>", str(self.order.pk))
            .replace("<uuid:bulk_id>", str(self.file.pk))
            .replace("<uuid:loan_id>", str(self.loan.pk))
            .replace("<uuid:loan_application_id>", str(self.wish.pk))
            .replace("<uuid:hold_id>", str(uuid4()))
            .replace("<uuid:match_id>", str(uuid4()))
            .replace("<str:channel>", "PORTAL")
            .replace("<str:month>", f"{self.month:%Y-%m}")
        )

    def body(self, call: Call) -> dict[str, Any]:
        money = {"amount": "5.00", "pin": PIN, "debit_account": str(self.account.pk)}
        picture = SimpleUploadedFile("scan.jpg", files.picture(color="#33a"), content_type="image/jpeg")
        bodies: dict[Call, dict[str, Any]] = {
            ("POST", "accounts/<uuid:account_id>/close"): {"pin": PIN, "expected_rest": "1.23"},
            ("POST", "accounts/<uuid:account_id>/reactivate"): {"pin": PIN},
            ("PATCH", "kyc/applications/<uuid:application_id>"): {"city": "Paris"},
            ("POST", "kyc/applications/<uuid:application_id>/documents"): {"kind": "SELFIE", "file": picture},
            ("POST", "standing-orders/"): {
                **money,
                "payee_number": self.bobs.number,
                "payee_name": self.bobs.owner.full_name,
                "unit": "MONTH",
                "first_date": timezone.now().date().isoformat(),
            },
            ("POST", "bulk-files/"): {
                "debit_account": str(self.firm.pk),
                "file": SimpleUploadedFile("wages.csv", bulk.csv_of([bulk.to(self.bobs, "2.00")])),
            },
            ("POST", "bulk-files/<uuid:bulk_id>/confirm"): {"sha256": self.file.sha256, "pin": PIN},
            ("POST", "transactions/batch"): {
                "debit_account": str(self.account.pk),
                "items": [{"payee_number": self.bobs.number, "payee_name": "Bob Baker", "amount": "5.00"}],
                "pin": PIN,
            },
            ("POST", "transactions/transfer"): {
                **money,
                "payee_number": self.bobs.number,
                "payee_name": self.bobs.owner.full_name,
            },
            ("POST", "transactions/withdraw"): {**money, "iban": "DE89370400440532013000"},
            ("POST", "loans/<uuid:loan_id>/repayments"): {"amount": "5.00"},
            ("POST", "loans/<uuid:loan_id>/prepayment-quote"): {"amount": "5.00"},
            ("POST", "loans/applications/<uuid:loan_application_id>/accept"): {"pin": PIN},
            ("PATCH", "users/profile"): {"full_name": "Some Name"},
            ("POST", "users/pin"): {"pin": "8305", "password": PASSWORD},
        }
        return bodies.get(call, {})

    def call(self, client: APIClient, call: Call) -> Any:
        body = self.body(call)
        shape = "multipart" if "file" in body else "json"
        headers = {"Idempotency-Key": str(uuid4())}
        method, route = call
        return getattr(client, method.lower())(self.address(route), body or None, format=shape, headers=headers)


@pytest.fixture
def world(alice: User, bob: User) -> World:
    return World(alice, office.make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean"), bob)


def key_client(*scopes: str) -> APIClient:
    """A client with a real key that has exactly these scopes."""
    issued = identity.create_api_client(
        actor=None, name=f"Key {uuid4().hex[:8]}", scopes=["deposits:write"], now=timezone.now()
    )
    ApiClient.objects.filter(pk=issued.client.pk).update(scopes=list(scopes))
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=issued.key)
    return client


CALLERS = ["bob", "stranger", *sorted(STAFF_ROLES), "key with scope", "key without scope"]


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest, api: Callable[[User], APIClient], world: World) -> APIClient:
    """Everybody who is not the owner; those who are people have a PIN of their own."""
    who = request.param
    if who.startswith("key"):
        return key_client(*(["deposits:write"] if who == "key with scope" else []))
    if who == "bob":
        user = world.bobs.owner
    elif who == "stranger":
        user = office.make_user("charlie@example.com", Role.CUSTOMER)
    else:
        user = office.staff(Role(who))
    give_pin(user)
    return api(user)


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
def test_who_may_pay_into_somebodys_account(caller: APIClient, world: World, request: pytest.FixtureRequest) -> None:
    who = request.node.callspec.params["caller"]
    payments = Payment.objects.count()

    answer = caller.post(
        f"/{API}transactions/deposit",
        {"account_number": world.account.number, "amount": "10.00"},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    assert answer.status_code in DEPOSITS[who], answer.content
    assert Payment.objects.count() - payments == (1 if answer.status_code == 201 else 0)


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_who_may_reverse_somebodys_payment(caller: APIClient, world: World, request: pytest.FixtureRequest) -> None:
    answer = caller.post(
        f"/{API}transactions/history/{world.payment.pk}/reverse",
        {"reason": "For the test"},
        format="json",
        headers={"Idempotency-Key": str(uuid4())},
    )

    allowed = request.node.callspec.params["caller"] == Role.COMPLIANCE
    assert answer.status_code == (200 if allowed else 403), answer.content
    world.payment.refresh_from_db()
    assert world.payment.status == ("REVERSED" if allowed else "COMPLETED")


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_an_account_is_never_opened_with_somebody_elses_money(caller: APIClient, world: World) -> None:
    accounts = Account.objects.count()
    told = {"product": "SAV-EUR", "amount": "50.00", "source": "OWN_ACCOUNT", "source_account": str(world.account.pk)}

    answer = caller.post(f"/{API}accounts/", told, format="json", headers={"Idempotency-Key": str(uuid4())})

    assert answer.status_code in {403, 404, 409, 422}, answer.content
    assert Account.objects.count() == accounts


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_only_customers_apply_for_an_identity_check(
    caller: APIClient, world: World, request: pytest.FixtureRequest
) -> None:
    answer = caller.post(f"/{API}kyc/applications", {}, format="json")

    customers = {"stranger": {200, 201}, "bob": {409}}
    assert answer.status_code in customers.get(request.node.callspec.params["caller"], {403}), answer.content


@pytest.mark.parametrize("caller", CALLERS, indirect=True)
def test_payees_and_limits_are_set_for_oneself_alone(caller: APIClient, world: World) -> None:
    before = list(Payee.objects.values_list("pk", "customer_id"))
    told = {"name": "Alice Archer", "payee_number": world.account.number, "pin": PIN}
    saved = caller.post(f"/{API}payees/", told, format="json")
    lowered = caller.put(
        f"/{API}limits/PORTAL/", {"per_payment": None, "daily": "5.00", "monthly": None, "pin": PIN}, format="json"
    )

    by_key = "HTTP_X_API_KEY" in caller._credentials
    assert saved.status_code in ({403} if by_key else {201, 403}), saved.content
    assert lowered.status_code in ({403} if by_key else {200, 403}), lowered.content
    mine = [row for row in Payee.objects.values_list("pk", "customer_id") if row not in before]
    assert world.account.owner_id not in {owner for _, owner in mine}
    limits = APIClient()
    limits.force_authenticate(world.account.owner)
    assert "5.00" not in {limit["daily"]["own"] for limit in limits.get(f"/{API}limits/").json()["channels"]}


# --- Fields that nobody asked for (V8.2.3) ----------------------------------------------------------------------------

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
