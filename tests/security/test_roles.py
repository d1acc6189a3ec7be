"""Every page of the back office as each role: the one table of permissions decides, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from audit.models import AuditEvent
from fraud import services as fraud
from fraud.models import Case, Rule
from identity.models import User
from identity.permissions import PERMISSIONS, ROLE_PERMISSIONS, STAFF_ROLES, Role
from kyc.models import Application, State
from payments.models import Payment, Status
from tests.accounts.factories import open_test_account
from tests.fraud.conftest import put_in_shadow
from tests.kyc import helpers
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.payments.factories import CHECKED, case_of, give_pin, held_payment, pay
from tests.security import office
from tests.security.test_every_route import ROUTES

Login = Callable[[User], Client]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_process")]

ADMIN = [route for route in ROUTES if route.startswith("admin/")]
WALKED = [
    route
    for route in ADMIN
    if route.removeprefix("admin/") not in office.SITE
    and office.APP_INDEX not in route
    and route not in {"admin/login/", "admin/logout/"}
]
ROLES = sorted(STAFF_ROLES)


@pytest.fixture
def things(alice: User, bob: User) -> office.Things:
    return office.furnish(alice)


def test_every_page_of_the_back_office_has_an_expectation() -> None:
    unknown = []
    for route in WALKED:
        try:
            office.expected_right(route)
        except KeyError:
            unknown.append(route)

    assert unknown == [], "say in tests/security/office.py who may open these"
    assert {f"admin/{page}" for page in office.PAGES} <= set(WALKED), "these pages are gone"
    assert {page.permission for page in office.PAGES.values()} <= set(PERMISSIONS)


def test_the_back_office_shows_tables_of_ours_only() -> None:
    assert {model._meta.app_label for model in admin.site._registry} <= set(office.READ)


def test_the_auditor_holds_every_right_to_look_and_none_to_act() -> None:
    assert {right for right in PERMISSIONS if right.endswith("_view")} == ROLE_PERMISSIONS[Role.AUDITOR]
    assert ROLE_PERMISSIONS[Role.CUSTOMER] == frozenset()


def wanted(route: str, role: Role) -> set[int]:
    """The answers to a GET that fit the table."""
    page = office.PAGES.get(route.removeprefix("admin/"))
    allowed = office.holds(role, office.expected_right(route))
    if page is not None and page.post_only:
        return {405} if allowed else {403, 405}
    if not allowed:
        # The short address of a row only leads to its page, which then refuses.
        return {302, 403} if route.endswith("<path:object_id>/") and page is None else {403}
    leads_on = page.leads_on if page is not None else route.endswith("<path:object_id>/")
    return {302} if leads_on else {200}


@pytest.mark.parametrize("role", ROLES)
def test_each_page_opens_to_whom_the_table_says(role: Role, things: office.Things, login: Login) -> None:
    client = login(office.staff(role))
    wrong = []
    for route in WALKED:
        answer = client.get(things.address(route))
        if answer.status_code not in wanted(route, role):
            wrong.append((route, answer.status_code, wanted(route, role)))

    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_the_site_itself(role: Role, things: office.Things, login: Login) -> None:
    client = login(office.staff(role))
    for page, status in office.SITE.items():
        assert client.get(things.address(f"admin/{page}")).status_code == status, page
    for app, right in office.READ.items():
        expected = 200 if office.holds(role, right) else 404
        assert client.get(f"/admin/{app}/").status_code == expected, app


@pytest.mark.parametrize("role", ROLES)
def test_start_page_and_search_lead_nowhere_that_is_closed(role: Role, things: office.Things, login: Login) -> None:
    client = login(office.staff(role))
    links: set[str] = set()
    for page in ("/admin/", *(f"/admin/search/?s={word}" for word in ("a", "e", "account", "rule", "user"))):
        links |= set(re.findall(r'href="(/admin/[^"#]*)"', client.get(page).content.decode()))

    assert links
    closed = {link: client.get(link).status_code for link in links if "logout" not in link}
    assert {link: status for link, status in closed.items() if status not in {200, 302}} == {}


def form_of(route: str) -> dict[str, Any]:
    page = office.PAGES.get(route.removeprefix("admin/"))
    return {**(page.form or {}), "confirmed": "1"} if page is not None else {**office.REASON, "_save": "Save"}


@pytest.mark.parametrize("role", ROLES)
def test_nobody_does_what_the_table_does_not_give(role: Role, things: office.Things, login: Login) -> None:
    """Forms that would be accepted from somebody else; the auditor's list is the longest, it has every one."""
    client = login(office.staff(role))
    client.get("/admin/")
    before, wrong = office.state_of_the_bank(), []
    for route in WALKED:
        page = office.PAGES.get(route.removeprefix("admin/"))
        found = office.GENERIC.match(route)
        may_edit = found is not None and office.holds(role, office.EDIT.get(f"{found['app']}/{found['model']}"))
        if may_edit or (page is not None and office.holds(role, page.permission) and page.form is not None):
            continue
        answer = client.post(things.address(route), form_of(route))
        # Some lists answer a POST as they answer a GET, and a short address leads on; both change nothing.
        shows = found is not None and (found["rest"] is None or route.endswith(("history/", "<path:object_id>/")))
        fine = {200, 302, 403, 405} if shows or (page is not None and page.form is None) else {403, 405}
        if answer.status_code not in fine:
            wrong.append((route, answer.status_code))

    assert wrong == []
    assert office.differences(before) == []


def test_refusals_of_decisions_are_in_the_trail(things: office.Things, login: Login) -> None:
    auditor = office.staff(Role.AUDITOR)
    client = login(auditor)
    for page in ("kyc/application/<uuid:application_id>/approve/", "fraud/case/<uuid:case_id>/release/"):
        assert client.post(things.address(f"admin/{page}"), office.REASON).status_code == 403

    refused = AuditEvent.objects.filter(action="identity.decision_refused", actor=auditor)
    assert {event.data["permission"] for event in refused} == {"kyc_decide", "fraud_decide"}


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(things: office.Things, login: Login) -> None:
    officer = office.staff(Role.COMPLIANCE)
    client = login(officer)
    assert client.get("/admin/fraud/case/").status_code == 200

    officer.groups.clear()

    assert client.get("/admin/fraud/case/").status_code == 403


# --- Four eyes: whoever made a thing does not approve it, and all the rights in the bank do not help -----------------


@pytest.fixture
def root() -> User:
    return office.superuser()


def refused(answer: Any) -> bool:
    return answer.status_code in {403, 422} and b"Traceback" not in answer.content


def test_nobody_approves_their_own_rule(root: User, login: Login) -> None:
    client, now = login(root), root.date_joined
    live = Rule.objects.filter(state="LIVE").order_by("code")[0]
    mine = fraud.new_version(actor=root, rule_id=live.pk, now=now)
    put_in_shadow(mine, now=now)

    assert refused(client.post(f"/admin/fraud/rule/{mine.pk}/approve/", office.REASON))

    mine.refresh_from_db()
    assert (mine.state, mine.checker) == ("SHADOW", None)


def test_nobody_confirms_their_own_identity(root: User, login: Login) -> None:
    application = helpers.pending(root)
    client = login(root)

    assert refused(client.post(f"/admin/kyc/application/{application.pk}/approve/", office.REASON))
    told = {**office.REASON, "kind": "RETRY", "public_reason": "Because I can."}
    assert refused(client.post(f"/admin/kyc/application/{application.pk}/reject/", told))

    assert Application.objects.get(pk=application.pk).state == State.PENDING


def test_nobody_releases_their_own_payment(root: User, bob: User, login: Login) -> None:
    give_pin(root)
    payment = held_payment(
        root, open_test_account(root, "CUR-EUR", "500.00"), open_test_account(bob, "CUR-EUR", "100.00")
    )
    client, case = login(root), case_of(payment)

    for deed in ("release", "decline"):
        assert refused(client.post(f"/admin/fraud/case/{case.pk}/{deed}/", {**office.REASON, "checks": CHECKED}))

    assert Case.objects.get(pk=case.pk).status == "OPEN"
    assert Payment.objects.get(pk=payment.pk).status == Status.HELD


def test_nobody_reverses_their_own_payment(root: User, bob: User, login: Login) -> None:
    give_pin(root)
    payment = pay(root, open_test_account(root, "CUR-EUR", "500.00"), open_test_account(bob, "CUR-EUR", "100.00"))

    assert refused(login(root).post(f"/admin/payments/payment/{payment.pk}/reverse/", office.REASON))

    assert Payment.objects.get(pk=payment.pk).status == Status.COMPLETED


def test_nobody_freezes_releases_or_closes_their_own_account(root: User, login: Login) -> None:
    account = open_test_account(root, "CUR-EUR", "500.00")
    client = login(root)
    before = office.state_of_the_bank()

    for deed in ("freeze", "close"):
        assert refused(client.post(f"/admin/accounts/account/{account.pk}/{deed}/", office.REASON))

    assert office.differences(before) == []


@pytest.mark.parametrize("deed", office.USER_DEEDS)
def test_nobody_manages_themselves(deed: str, root: User, login: Login) -> None:
    client = login(root)
    before = office.state_of_the_bank()

    told = {**office.REASON, "roles": ["administrator"]}
    assert refused(client.post(f"/admin/identity/user/{root.pk}/{deed}/", told))

    assert office.differences(before) == []
