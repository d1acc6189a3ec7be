"""The back office's pages have no violation that axe finds, light and dark, but for what django-unfold draws alone.

One rule is left out, `landmark-unique`: on lists unfold's scroll bars call the navigation and the table alike
"scrollable content", in JavaScript of its own, and both are reached by headings and by the navigation's own label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from django.db.models import Model

from audit.models import AuditEvent
from fraud.models import Rule
from identity.models import User
from ledger.models import Entry
from tests.accounts.factories import open_test_account
from tests.browser import steps
from tests.browser.addresses import address
from tests.browser.axe import violations
from tests.fraud.reports import drift_reports, reported_model
from tests.kyc import helpers
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.payments.factories import case_of, held_payment, pay

pytestmark = pytest.mark.django_db(transaction=True)
LEFT_OUT = ("landmark-unique",)

OF_COMPLIANCE = [
    "admin:index",
    "admin:kyc_application_changelist",
    "admin:kyc_application_change",
    "admin:kyc_application_approve",
    "admin:kyc_application_reject",
    "admin:fraud_case_changelist",
    "admin:fraud_case_change",
    "admin:fraud_case_together",
    "admin:fraud_modelversion_changelist",
    "admin:fraud_modelversion_change",
    "admin:fraud_driftreport_changelist",
    "admin:fraud_driftreport_change",
    "admin:fraud_case_desk",
    "admin:fraud_case_release",
    "admin:fraud_case_decline",
    "admin:fraud_decision_changelist",
    "admin:fraud_decision_change",
    "admin:fraud_rule_changelist",
    "admin:fraud_rule_change",
    "admin:fraud_rule_new",
    "admin:accounts_account_changelist",
    "admin:accounts_account_change",
    "admin:accounts_account_freeze",
    "admin:payments_payment_changelist",
    "admin:payments_payment_change",
]
OF_A_TELLER = [
    "admin:index",
    "admin:payments_payment_cash_in",
    "admin:payments_payment_cash_out",
    "admin:accounts_account_open_at_counter",
]
OF_AN_ADMINISTRATOR = [
    "admin:index",
    "admin:identity_user_changelist",
    "admin:identity_user_change",
    "admin:identity_user_assign_roles",
    "admin:identity_user_deactivate",
    "admin:identity_apiclient_create",
    "admin:accounts_product_change",
]
OF_AN_AUDITOR = [
    "admin:index",
    "admin:audit_auditevent_changelist",
    "admin:audit_auditevent_change",
    "admin:ledger_entry_changelist",
    "admin:ledger_entry_change",
    "admin:notifications_message_changelist",
]


@pytest.fixture
def things(alice: User, bob: User, charlie: User, in_process: None) -> dict[str, Model]:  # noqa: F811
    """One of each thing that the back office has a page for, by the beginning of the page's name."""
    account, bobs = open_test_account(alice), open_test_account(bob)
    pay(alice, account, bobs, "5.00")
    payment = held_payment(alice, account, bobs)
    steps.relay_messages()
    case = case_of(payment)
    return {
        "kyc_application": helpers.pending(charlie),
        "fraud_case": case,
        "fraud_decision": case.decision,
        "fraud_rule": Rule.objects.get(code="VELOCITY"),
        "fraud_modelversion": reported_model(),
        "fraud_driftreport": drift_reports()[-1],
        "accounts_account": account,
        "accounts_product": account.product,
        "payments_payment": payment,
        "identity_user": alice,
        "audit_auditevent": AuditEvent.objects.filter(action="kyc.submitted")[0],
        "ledger_entry": Entry.objects.all()[0],
    }


def findings(page: Any, names: Iterable[str], things: Mapping[str, Model]) -> list[str]:
    found = []
    for name in names:
        kind = "_".join(name.removeprefix("admin:").split("_")[:2])
        key = things[kind].pk if kind in things else ""
        path = address(name, dict.fromkeys(("object_id", "application_id", "case_id", "rule_id"), key))
        answer = page.goto(path)
        if answer.status != 200 or not page.url.endswith(path):
            found.append(f"{path} answered {answer.status} at {page.url}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{name} ({scheme}): {one}" for one in violations(page, without=LEFT_OUT)]
    return found


def test_pages_of_compliance(new_page: Callable[..., Any], things: dict[str, Model], officer: User) -> None:
    page = new_page()
    steps.sign_in(page, officer)
    assert findings(page, OF_COMPLIANCE, things) == []


def test_pages_of_a_teller(new_page: Callable[..., Any], things: dict[str, Model], teller: User) -> None:
    page = new_page()
    steps.sign_in(page, teller)
    assert findings(page, OF_A_TELLER, things) == []


def test_pages_of_an_administrator(new_page: Callable[..., Any], things: dict[str, Model], administrator: User) -> None:
    page = new_page()
    steps.sign_in(page, administrator)
    assert findings(page, OF_AN_ADMINISTRATOR, things) == []


def test_pages_of_an_auditor(new_page: Callable[..., Any], things: dict[str, Model], auditor: User) -> None:
    page = new_page()
    steps.sign_in(page, auditor)
    assert findings(page, OF_AN_AUDITOR, things) == []
