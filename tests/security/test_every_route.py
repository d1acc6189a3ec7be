"""Every address of the bank, found in the URLconf itself, tried as nobody, as a stranger and without a token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from fraud.models import Rule
from identity.models import ApiSession, User
from identity.permissions import Role
from notifications.models import Message, OutboxEvent
from payments import services
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.kyc import helpers
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.loans.factories import granted, referred
from tests.payments.bulk import checked, to
from tests.payments.factories import PIN, case_of, give_pin, held_payment

# Open to everybody; whatever is not named here asks who is there.
OPEN = re.compile(
    r"^$|^favicon\.ico$|^auth/|^admin/(login|logout)/$|^api/(schema|docs|redoc)/$|^(livez|readyz|health)$|"
    r"^api/v1/auth/(register|token|token/refresh|logout)$|^api/v1/products/$|^notifications/mailbox/|"
    r"^loans/calculator/$|^api/v1/loans/(products|quote)$"
)
# An address that names one of these shows a thing that a stranger must not see.
PRIVATE = re.compile(
    r"<uuid:(account_id|payment_id|review_id|document_id|application_id|payee_id|order_id|bulk_id|hold_id|api_id|loan_id|loan_application_id)>|<int:browser_id>"
)
BUSINESS_APPS = {"accounts", "payments", "ledger", "kyc", "fraud", "loans", "notifications"}


def walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, route)
        else:
            yield route


ROUTES = sorted(set(walk(get_resolver().url_patterns)))
CLOSED = [route for route in ROUTES if not OPEN.search(route)]


@pytest.fixture
def things(alice: User, request: pytest.FixtureRequest) -> dict[str, str]:
    """One of each thing that an address can name; none of them is Charlie's."""
    request.getfixturevalue("in_process")
    dora = make_user("dora@example.com", Role.CUSTOMER, name="Dora Dean")
    application = helpers.pending(dora)
    give_pin(alice)
    current = open_test_account(alice, "CUR-EUR", "1000.00")
    savings = open_test_account(alice, "SAV-EUR", "500.00")
    bob = make_user("bob@example.com", Role.CUSTOMER, name="Bob Baker")
    payment = held_payment(alice, current, open_test_account(bob, "CUR-EUR", "100.00"))
    now = timezone.now()
    review = services.review_own_transfer(
        actor=alice, debit_account_id=current.pk, credit_account_id=savings.pk, amount="5.00", now=now
    )
    payee = services.save_payee(actor=alice, name="Landlord", iban="DE89370400440532013000", pin=PIN, now=now)
    draft = services.draft_standing_order(
        actor=alice,
        debit_account_id=current.pk,
        credit_account_id=savings.pk,
        amount="5.00",
        first_date=now.date(),
        now=now,
    )
    order = services.make_standing_order(draft=draft, pin=PIN, now=now)
    firm = open_test_account(alice, "BUS-EUR", "100.00")
    file = checked(firm, [to(open_test_account(bob, "CUR-EUR", "10.00"), "1.00")])
    lender = make_user("lender@bank.example", Role.LENDING)
    loan = granted(alice, current, lender, now=now)
    wish = referred(alice, current, now=now)
    event = OutboxEvent.objects.create(user=alice, kind="pin_set", created_at=now, next_attempt_at=now, relayed_at=now)
    message = Message.objects.create(event=event, user=alice, kind="pin_set", title="T", body="B", created_at=now)
    browser = UserSession.objects.create(user=alice, ip="127.0.0.1", session_key="of-alice", user_agent="Firefox")
    return {
        "account_id": str(current.pk),
        "payment_id": str(payment.pk),
        "object_id": str(payment.pk),
        "case_id": str(case_of(payment).pk),
        "rule_id": str(Rule.objects.values_list("pk", flat=True)[0]),
        "transaction_id": str(payment.pk),
        "backtest_id": str(payment.pk),
        "entry_id": str(payment.pk),
        "version_id": str(payment.pk),
        "feature": "is_night",
        "layer": "autoencoder",
        "snooze_id": str(payment.pk),
        "webhook_id": str(payment.pk),
        "credit_id": "1",
        "name": "geo_anomaly_flag",
        "review_id": str(review.pk),
        "payee_id": str(payee.pk),
        "order_id": str(order.pk),
        "bulk_id": str(file.pk),
        "hold_id": str(payment.hold_id),
        "match_id": str(payment.pk),
        "loan_id": str(loan.pk),
        "loan_application_id": str(wish.pk),
        "year": str(now.year),
        "channel": "portal",
        "number": "1",
        "browser_id": str(browser.pk),
        "api_id": str(ApiSession.objects.create(user=alice, created_at=now, expires_at=now + timedelta(hours=1)).pk),
        "message_id": str(message.pk),
        "application_id": str(application.pk),
        "document_id": str(application.documents.all()[0].pk),
        "product_code": "CUR-EUR",
        "page": "1",
        "month": "2026-10",
        "content_type_id": "1",
        "app_label": "payments",
        "url": "no-such-page",
        "key": "MQ:abc",
        "uidb36": "1",
    }


def address(route: str, things: dict[str, str]) -> str:
    """The route with a value for each parameter; a parameter that `things` lacks is a KeyError: add it there."""
    filled = re.sub(r"\(\?P<(\w+)>(?:\[[^\]]*\]\+?|[^)])*\)", lambda found: things[found[1]], route)
    filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: things[found[1]], filled)
    return "/" + filled.replace("^", "").replace("$", "")


def quiet(client: Client) -> Client:
    client.raise_request_exception = False
    return client


# Calls of the fraud API are written down, reading ones too.
WRITTEN = """
    SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables
     WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND split_part(relname, '_', 1) = ANY(%(apps)s)
       AND relname <> 'fraud_apicall' ORDER BY relname"""


def asks_to_log_in(answer: Any) -> bool:
    return answer.status_code == 302 and "/login/" in answer.headers["Location"]


def counts() -> dict[str, int]:
    models = [model for model in apps.get_models() if model._meta.app_label in BUSINESS_APPS and model._meta.managed]
    # Calls of the fraud API are written down, reading ones too.
    return {
        model._meta.label: model._default_manager.count() for model in models if model._meta.label != "fraud.ApiCall"
    }


def test_the_walk_finds_the_whole_bank() -> None:
    assert {"overview/", "admin/", "api/v1/transactions/transfer", "auth/login/"} <= set(ROUTES)


def test_nobody_opens_a_closed_route(things: dict[str, str], db: None) -> None:
    client = quiet(Client())
    wrong = []
    for route in CLOSED:
        answer = client.get(address(route, things))
        if not (asks_to_log_in(answer) or answer.status_code in {401, 403, 404, 405}):
            wrong.append((route, answer.status_code))

    assert wrong == []


def test_a_stranger_sees_nothing_of_others(
    things: dict[str, str], charlie: User, login: Callable[[User], Client]
) -> None:
    client = quiet(login(charlie))
    wrong = []
    for route in CLOSED:
        answer = client.get(address(route, things))
        hidden = asks_to_log_in(answer) or answer.status_code in {403, 404, 405}
        closed = route.startswith("admin/") or PRIVATE.search(route)
        if answer.status_code >= 500 or (closed and not hidden):
            wrong.append((route, answer.status_code))

    assert wrong == []


def test_a_stranger_changes_nothing_of_others(
    things: dict[str, str], charlie: User, login: Callable[[User], Client]
) -> None:
    client = quiet(login(charlie))
    wrong, before = [], counts()
    for route in CLOSED:
        if route.startswith("admin/") or PRIVATE.search(route):
            answer = client.post(address(route, things))
            if not (asks_to_log_in(answer) or answer.status_code in {400, 403, 404, 405, 415, 422}):
                wrong.append((route, answer.status_code))

    assert wrong == []
    assert counts() == before


def test_no_browser_post_goes_without_its_token(things: dict[str, str], charlie: User) -> None:
    client = quiet(Client(enforce_csrf_checks=True))
    client.force_login(charlie, backend="django.contrib.auth.backends.ModelBackend")
    wrong = []
    for route in ROUTES:
        # These take no cookie as a credential, or have nothing to post to.
        if not (route.startswith("api/") and OPEN.search(route)):
            answer = client.post(address(route, things))
            if answer.status_code != 403:
                wrong.append((route, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PROPFIND"])
def test_methods_that_nobody_offers_are_refused(
    method: str, things: dict[str, str], charlie: User, login: Callable[[User], Client]
) -> None:
    client = quiet(login(charlie))
    wrong = []
    for route in CLOSED:
        if not route.startswith("admin/"):
            answer = client.generic(method, address(route, things))
            if answer.status_code not in {403, 404, 405}:
                wrong.append((route, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT"])
@pytest.mark.parametrize("page", ["/api/docs/", "/api/redoc/"])
def test_pages_of_the_api_only_show(page: str, method: str, db: None) -> None:
    assert quiet(Client()).generic(method, page).status_code == 405


def written() -> list[tuple[object, ...]]:
    """Rows written in this transaction, by table, whether they are still there or not."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN, {"apps": sorted(BUSINESS_APPS)})
        return cursor.fetchall()


def test_reading_writes_nothing(things: dict[str, str], alice: User, login: Callable[[User], Client]) -> None:
    client = quiet(login(alice))
    assert written() != [], "what this looks at would be empty whatever a page does"
    wrong = []
    for route in ROUTES:
        for method in ("GET", "HEAD", "OPTIONS"):
            before = written()
            answer = client.generic(method, address(route, things))
            if answer.status_code >= 500 or (after := written()) != before:
                wrong.append((method, route, answer.status_code, set(after) - set(before)))

    assert wrong == []
