"""Holds of integrators: reserved, then posted in full or in part, voided, or expired; once, and by their own key alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services as accounts
from audit.models import AuditEvent
from identity import services as identity
from identity.models import User
from ledger.models import HoldEvent
from notifications.models import OutboxEvent
from payments import services
from payments.models import IntegratorHold, Limit, Payment
from tests.payments.conftest import Bank
from tests.payments.factories import held, posted

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/holds/"


def integrator(*scopes: str) -> APIClient:
    issued = identity.create_api_client(
        actor=None, name=f"Shop {uuid4().hex[:8]}", scopes=list(scopes or ["holds:write"]), now=timezone.now()
    )
    client = APIClient()
    client.credentials(HTTP_X_API_KEY=issued.key)
    return client


def post(client: APIClient, address: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    return client.post(address, body or {}, format="json", headers={"Idempotency-Key": key or str(uuid4())})


def place(client: APIClient, bank: Bank, amount: str = "120.00", key: str = "", **more: Any) -> Any:
    return post(client, ADDRESS, {"account_number": bank.current.number, "amount": amount, **more}, key)


def test_a_hold_reserves_and_is_posted_in_part(bank: Bank) -> None:
    shop, key = integrator(), str(uuid4())
    made = place(shop, bank, key=key, description="Hotel")
    assert (made.status_code, made.json()["status"]) == (201, "ACTIVE")
    assert (posted(bank.current), held(bank.current)) == (1000_00, 120_00)
    assert place(shop, bank, key=key, description="Hotel").content == made.content
    address = f"{ADDRESS}{made.json()['id']}/"
    assert post(shop, f"{address}post", {"amount": "120.01"}).json()["code"] == "hold_exceeded"
    done = post(shop, f"{address}post", {"amount": "95.00"}, key := str(uuid4()))
    assert (done.status_code, done.json()["status"], done.json()["posted_amount"]) == (200, "POSTED", "95.00")
    assert post(shop, f"{address}post", {"amount": "95.00"}, key).content == done.content
    assert (posted(bank.current), held(bank.current)) == (905_00, 0)
    for deed in ("post", "void"):
        assert post(shop, address + deed).json()["code"] == "hold_over"
    payment = Payment.objects.get(pk=done.json()["payment"])
    assert (payment.kind, payment.source, payment.amount_minor) == ("WITHDRAWAL", "INTEGRATOR", 95_00)
    assert payment.payee_name.startswith("Shop ")
    told = OutboxEvent.objects.filter(user=bank.alice, kind__startswith="hold_").order_by("created_at")
    assert [event.kind for event in told] == ["hold_placed", "hold_posted"]
    actions = AuditEvent.objects.filter(subject_kind="integrator_hold").order_by("pk")
    assert [event.action for event in actions] == ["hold.placed", "hold.posted"]
    assert shop.get(address).json() == done.json()


def test_a_hold_is_posted_in_full_or_voided(bank: Bank) -> None:
    shop = integrator()
    full, gone = (f"{ADDRESS}{place(shop, bank).json()['id']}/" for _ in range(2))
    assert post(shop, f"{full}post").json()["posted_amount"] == "120.00"
    assert post(shop, f"{gone}void").json()["status"] == "VOIDED"
    assert (posted(bank.current), held(bank.current)) == (880_00, 0)
    assert [each["status"] for each in shop.get(ADDRESS).json()["results"]] == ["VOIDED", "POSTED"]


def test_an_expired_hold_gives_the_money_back_and_cannot_be_posted(bank: Bank) -> None:
    shop = integrator()
    hold = IntegratorHold.objects.get(pk=place(shop, bank, hours=1).json()["id"])
    client = services.Integrator(hold.api_client.user, hold.api_client_id, {"holds:write"})
    with pytest.raises(services.HoldOver), transaction.atomic():
        services.post_hold_within(integrator=client, hold_id=hold.pk, now=hold.expires_at)
    assert services.expire_integrator_holds(now=hold.expires_at - timedelta(seconds=1)) == 0
    assert services.expire_integrator_holds(now=hold.expires_at) == 1
    assert services.expire_integrator_holds(now=hold.expires_at) == 0
    hold.refresh_from_db()
    assert (hold.status, held(bank.current)) == ("EXPIRED", 0)


def test_only_a_key_with_the_scope_may_handle_holds(bank: Bank, api: Callable[..., Any], teller: User) -> None:
    hold = place(integrator(), bank).json()["id"]
    for caller in (integrator("deposits:write"), api(bank.alice), api(teller)):
        for address in (ADDRESS, f"{ADDRESS}{hold}/post", f"{ADDRESS}{hold}/void"):
            answer = post(caller, address, {"account_number": bank.current.number, "amount": "1.00"})
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), address
        assert caller.get(ADDRESS).json()["results"] == []
        assert caller.get(f"{ADDRESS}{hold}/").status_code == 404
    assert held(bank.current) == 120_00


def test_another_clients_hold_is_not_there(bank: Bank) -> None:
    hold = place(integrator(), bank).json()["id"]
    other = integrator()
    assert other.get(f"{ADDRESS}{hold}/").status_code == 404
    for deed in ("post", "void"):
        assert post(other, f"{ADDRESS}{hold}/{deed}").status_code == 404
    assert held(bank.current) == 120_00


def test_refuses_what_the_account_or_its_limits_do_not_allow(bank: Bank, officer: User) -> None:
    shop = integrator()
    assert place(shop, bank, "9999.00").json()["code"] == "insufficient_funds"
    assert place(shop, bank, "-1").json()["code"] == "invalid_amount"
    assert place(shop, bank, currency="USD").json()["code"] == "currency_mismatch"
    assert place(shop, bank, hours=721).status_code == 400
    unknown = post(shop, ADDRESS, {"account_number": "BP00000000000000", "amount": "1.00"})
    assert unknown.status_code == 404
    Limit.objects.filter(customer=None, channel="API").update(daily_minor=150_00)
    first, second = place(shop, bank), place(shop, bank)
    assert place(shop, bank, "150.01").json()["code"] == "limit_exceeded"
    assert post(shop, f"{ADDRESS}{first.json()['id']}/post").status_code == 200
    late = post(shop, f"{ADDRESS}{second.json()['id']}/post")
    assert (late.status_code, late.json()["code"]) == (409, "limit_exceeded")
    accounts.freeze_account(actor=officer, account_id=bank.current.pk, reason="For the test", now=timezone.now())
    assert place(shop, bank, "1.00").json()["code"] == "account_frozen"
    assert post(shop, f"{ADDRESS}{second.json()['id']}/post").json()["code"] == "account_frozen"
    assert post(shop, f"{ADDRESS}{second.json()['id']}/void").json()["status"] == "VOIDED"
    assert (posted(bank.current), held(bank.current)) == (880_00, 0)


def test_the_database_keeps_a_hold_as_it_was_and_ended(bank: Bank) -> None:
    hold = IntegratorHold.objects.get(pk=place(integrator(), bank).json()["id"])
    rows = IntegratorHold.objects.filter(pk=hold.pk)
    for change in (
        lambda: rows.update(amount_minor=1),
        lambda: rows.update(status="POSTED", ended_at=timezone.now()),
        lambda: rows.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
def test_post_and_void_at_once_end_a_hold_once(bank: Bank) -> None:
    shop = integrator()
    for _ in range(3):
        before = posted(bank.current)
        made = place(shop, bank, "10.00").json()["id"]
        row = IntegratorHold.objects.get(pk=made)
        client = services.Integrator(row.api_client.user, row.api_client_id, {"holds:write"})

        def work(index: int, made: str = made, client: services.Integrator = client) -> str:
            deed: Any = services.void_hold_within if index % 2 else services.post_hold_within
            try:
                with transaction.atomic():
                    return str(deed(integrator=client, hold_id=made, now=timezone.now()).status)
            except services.HoldOver:
                return "over"
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            results = sorted(pool.map(work, range(4)))
        assert results.count("over") == 3, results
        row.refresh_from_db()
        assert HoldEvent.objects.filter(hold_id=row.hold_id).count() == 1
        assert before - posted(bank.current) == (10_00 if row.status == "POSTED" else 0)
        assert held(bank.current) == 0
