"""Users, API clients, trail and messages in the back office, tried as every role."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from identity import services
from identity.models import ApiClient, TransactionPin, User
from identity.permissions import ROLE_PERMISSIONS, STAFF_ROLES, Role
from tests.conftest import PASSWORD, make_user

pytestmark = pytest.mark.django_db

LISTS = {
    "/admin/identity/user/": "user_view",
    "/admin/identity/apiclient/": "user_view",
    "/admin/audit/auditevent/": "audit_view",
    "/admin/notifications/message/": "notification_view",
    "/admin/notifications/outboxevent/": "notification_view",
}
ACTIONS = ["roles", "unlock-pin", "clear-lockout", "deactivate", "reactivate"]


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
@pytest.mark.parametrize("path", sorted(LISTS))
def test_lists_open_to_the_roles_of_the_table(role: Role, path: str, login: Any) -> None:
    held = LISTS[path] in ROLE_PERMISSIONS[role]
    client = login(make_user(f"{role.value}@bank.example", role))
    assert client.get(path).status_code == (200 if held else 403)


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
@pytest.mark.parametrize("page", ACTIONS)
def test_only_managers_of_users_decide_about_them(role: Role, page: str, alice: User, login: Any) -> None:
    client = login(make_user(f"{role.value}@bank.example", role))
    expected = 200 if "user_manage" in ROLE_PERMISSIONS[role] else 403
    path = f"/admin/identity/user/{alice.pk}/{page}"
    assert client.get(path, follow=True).status_code == expected
    assert User.objects.get(pk=alice.pk).is_active


def test_customers_and_strangers_do_not_get_in(alice: User, login: Any) -> None:
    assert login(alice).get("/admin/identity/user/").status_code in {302, 403}
    assert Client().get("/admin/identity/user/").status_code == 302
    assert "/auth/login/" in Client().get("/admin/login/").headers["Location"]


def decide(client: Client, user: User, page: str, **data: Any) -> Any:
    return client.post(f"/admin/identity/user/{user.pk}/{page}/", {"reason": "Asked by phone", **data}, follow=True)


def test_assigns_roles_with_a_reason(administrator: User, alice: User, login: Any) -> None:
    customer = login(alice)
    response = decide(login(administrator), alice, "roles", roles=["teller"])
    assert "You changed the roles" in response.text
    alice.refresh_from_db()
    assert (alice.is_staff, [group.name for group in alice.groups.all()]) == (True, ["teller"])
    event = AuditEvent.objects.get(action="identity.roles_changed")
    assert (event.actor, event.reason) == (administrator, "Asked by phone")
    assert event.data == {"before": ["customer"], "after": ["teller"]}
    assert customer.get("/security/").status_code == 302, "the old session must not live on"


def test_a_decision_needs_a_reason(administrator: User, alice: User, login: Any) -> None:
    response = decide(login(administrator), alice, "deactivate", reason="")
    assert response.status_code == 422
    alice.refresh_from_db()
    assert alice.is_active


def test_an_administrator_does_not_decide_about_themselves(administrator: User, login: Any) -> None:
    response = decide(login(administrator), administrator, "roles", roles=["compliance"])
    assert response.status_code in {403, 422}
    assert [group.name for group in administrator.groups.all()] == ["administrator"]
    with pytest.raises(services.OwnAccount):
        services.deactivate_user(actor=administrator, user_id=administrator.public_id, reason="x", now=timezone.now())


def test_unlocks_a_pin_and_clears_a_lockout(administrator: User, alice: User, login: Any) -> None:
    services.set_pin(actor=alice, pin="8305", now=timezone.now())
    TransactionPin.objects.update(failed_count=5, locked_at=timezone.now())
    client = login(administrator)
    decide(client, alice, "unlock-pin")
    services.verify_pin(actor=alice, pin="8305", now=timezone.now())
    again = decide(client, alice, "unlock-pin")
    assert (again.status_code, "is not locked" in again.text) == (422, True)
    browser = Client()
    for _ in range(5):
        browser.post("/auth/login/", {"login": alice.email, "password": "wrong"})
    assert browser.post("/auth/login/", {"login": alice.email, "password": PASSWORD}).status_code == 429
    decide(client, alice, "clear-lockout")
    assert Client().post("/auth/login/", {"login": alice.email, "password": PASSWORD}).status_code == 302


def test_deactivates_and_reactivates(administrator: User, alice: User, login: Any) -> None:
    client = login(administrator)
    decide(client, alice, "deactivate")
    assert not User.objects.get(pk=alice.pk).is_active
    decide(client, alice, "reactivate")
    assert User.objects.get(pk=alice.pk).is_active


def test_makes_a_client_and_shows_the_key_once(administrator: User, login: Any) -> None:
    client = login(administrator)
    body = {"name": "Till", "scopes": ["deposits:write"], "reason": "New shop"}
    page = client.post("/admin/identity/apiclient/create/", body, follow=True)
    made = ApiClient.objects.get()
    assert f"shown this once: {made.key_id}." in page.text
    assert "shown this once" not in client.get("/admin/identity/apiclient/").text
    client.post(f"/admin/identity/apiclient/{made.pk}/revoke/", {"reason": "Shop closed"})
    made.refresh_from_db()
    assert not made.is_active


def test_a_refused_decision_is_in_the_trail(auditor: User, alice: User, login: Any) -> None:
    from identity.backoffice import record_refusal

    request = login(auditor).get("/admin/identity/user/").wsgi_request
    record_refusal(request, permission="user_manage", subject=("user", alice.public_id))
    event = AuditEvent.objects.get(action="identity.decision_refused")
    assert (event.actor, event.data["permission"]) == (auditor, "user_manage")


def test_nothing_in_the_back_office_sets_a_password(administrator: User, alice: User, login: Any) -> None:
    client = login(administrator)
    assert "password" not in client.get(f"/admin/identity/user/{alice.pk}/change/").text.lower().replace(
        "password_changed_at", ""
    ).replace("password changed at", "").replace("change password", "").replace("password_change", "")
    assert client.get("/admin/password_change/").headers["Location"] == "/auth/password/change/"


def test_staff_set_up_a_second_factor_first_where_it_is_required(teller: User, login: Any, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    assert login(teller).get("/admin/").headers["Location"] == "/auth/2fa/totp/activate/"


def test_the_user_list_asks_the_database_little(auditor: User, login: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        make_user(f"person{number}@example.com", Role.CUSTOMER)
    client = login(auditor)
    client.get("/admin/identity/user/")
    with django_assert_max_num_queries(16):
        client.get("/admin/identity/user/")
