"""Every list of the back office: as many queries for many rows as for few, words on empty pages, no dead buttons."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from fraud import services as fraud
from identity.models import User
from identity.permissions import Role
from kyc.models import State
from notifications.models import Message, OutboxEvent
from tests.accounts.factories import open_test_account
from tests.conftest import make_user
from tests.kyc.factories import ApplicationFactory
from tests.payments.factories import held_payment, pay

pytestmark = pytest.mark.django_db
MOST_QUERIES = 30
SHAPE = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")
STAFF = [role for role in Role if role is not Role.CUSTOMER]


def lists() -> list[str]:
    """The address of each list that is registered."""
    metas = [model._meta for model in admin.site._registry]
    return sorted(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in metas)


def more_of_everything(officer: User) -> None:
    """Another payer, payee, application, rule version, held payment, completed payment and message."""
    payer, payee = (
        make_user(f"{uuid4().hex}@example.com", Role.CUSTOMER, name=name) for name in ("Pat Payer", "Paul Payee")
    )
    debit, credit = open_test_account(payer, "CUR-EUR", "900.00"), open_test_account(payee)
    pay(payer, debit, credit)
    held_payment(payer, debit, credit)
    applicant = make_user(f"{uuid4().hex}@example.com", Role.CUSTOMER)
    ApplicationFactory(user=applicant, state=State.PENDING, submitted_at=timezone.now())
    event = OutboxEvent.objects.filter(user=payer).order_by("created_at", "pk").last()
    Message.objects.create(
        event=event, user=payer, kind="transfer_held", title="Under review", body="Wait.", created_at=timezone.now()
    )
    fraud.draft_rule(
        actor=officer,
        code=f"R{uuid4().hex[:12].upper()}",
        name="Large at night",
        condition={"feature": "is_night", "op": "==", "value": True},
        action="FLAG",
        customer_text="You asked for a payment at night.",
        now=timezone.now(),
    )


def queries_of(client: Any, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    assert answer.status_code in (200, 403), address
    # Only reads: once a minute a request also writes when its session was last seen.
    reads = [query for query in captured if query["sql"].startswith("SELECT")]
    return len(reads) if answer.status_code == 200 else 0


def test_no_list_asks_once_for_each_row(officer: User, auditor: User, administrator: User, login: Any) -> None:
    readers = [login(auditor), login(administrator)]
    more_of_everything(officer)
    for client in readers:
        client.get(reverse("admin:index"))
    few = {address: [queries_of(client, address) for client in readers] for address in lists()}
    for _ in range(2):
        more_of_everything(officer)
    many = {address: [queries_of(client, address) for client in readers] for address in lists()}
    assert many == few
    assert [address for address, counts in few.items() if not any(counts)] == []
    assert {address: counts for address, counts in few.items() if max(counts) > MOST_QUERIES} == {}


def test_the_start_page_asks_as_often_for_many_as_for_few(officer: User, login: Any) -> None:
    client = login(officer)
    more_of_everything(officer)
    queries_of(client, reverse("admin:index"))
    few = queries_of(client, reverse("admin:index"))
    for _ in range(2):
        more_of_everything(officer)
    assert queries_of(client, reverse("admin:index")) == few


def test_a_figure_of_the_day_leads_to_what_it_counted(officer: User, teller: User, login: Any) -> None:
    more_of_everything(officer)
    client = login(teller)
    figures = {card["title"]: card for card in client.get(reverse("admin:index")).context["figures"]}
    transfers = figures["Transfers today"]
    assert transfers["figure"] == "1"
    assert client.get(transfers["url"]).context["cl"].result_count == 1
    assert client.get(figures["Refused today"]["url"]).context["cl"].result_count == 0


def test_an_empty_list_says_so_and_a_filter_without_matches_leads_back(officer: User, login: Any) -> None:
    client = login(officer)
    address = reverse("admin:fraud_case_changelist")
    assert "There are no cases to show." in client.get(address).content.decode()
    filtered = client.get(address + "?status__exact=DECLINED").content.decode()
    assert "No cases match what you asked for." in filtered
    assert "Show everything" in filtered


@pytest.mark.parametrize("role", STAFF)
def test_no_role_sees_a_link_that_it_may_not_follow(role: Role, officer: User, login: Any) -> None:
    """Every link of the start page and of the lists that stays in the back office opens for whoever sees it."""
    more_of_everything(officer)
    client = login(make_user(f"{role.value}@office.example", role))
    pages = [reverse("admin:index"), *lists()]
    seen: dict[str, str] = {}
    for page in pages:
        answer = client.get(page)
        if answer.status_code == 200:
            # One link of each shape: the pages of fifty rows are one page.
            seen |= {SHAPE.sub("N", link): link for link in links_of(answer.content.decode())}
    assert seen
    dead = {link for link in seen.values() if client.get(link, follow=True).status_code >= 400}
    assert dead == set()


def links_of(page: str) -> set[str]:
    """Addresses in the back office, without sorting, filters and signing out."""
    found = {part.split('"', 1)[0].replace("&amp;", "&") for part in page.split('href="/admin/')[1:]}
    return {f"/admin/{link}" for link in found if not link.startswith(("logout", "jsi18n", "password_change"))}
