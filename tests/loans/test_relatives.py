"""Nobody decides about a loan of somebody they are close to: staff declare such people, and only others end it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from identity import services as identity
from identity.models import Connection, User
from identity.permissions import Role
from loans import services
from loans.models import Application
from tests.conftest import make_user
from tests.loans.factories import customer_with_a_past, noon, referred

pytestmark = pytest.mark.django_db


@pytest.fixture
def wish(alice: User) -> Application:
    """An application that waits for an officer."""
    return referred(alice, customer_with_a_past(alice, salary=0, rent=0), now=noon())


def declare(actor: User, person: User) -> Connection:
    return identity.declare_connection(
        actor=actor, email=person.email.upper(), relation="SIBLING", reason="My sister", now=noon()
    )


def approve(actor: User, wish: Application) -> Application:
    return services.approve(actor=actor, application_id=wish.pk, reason="Pay slips seen", now=noon())


def test_an_officer_does_not_decide_about_a_declared_relative(
    wish: Application, alice: User, lender: User, second_lender: User
) -> None:
    declare(lender, alice)

    with pytest.raises(services.RelatedDecision):
        approve(lender, wish)
    with pytest.raises(services.RelatedDecision):
        services.decline(actor=lender, application_id=wish.pk, reason="x", told="No.", now=noon())

    assert approve(second_lender, wish).status == Application.Status.APPROVED


def test_nor_about_a_colleague_who_declared_them(wish: Application, alice: User, lender: User) -> None:
    """The customer works here too."""
    alice.groups.add(*lender.groups.all())
    declare(User.objects.get(pk=alice.pk), lender)

    with pytest.raises(services.RelatedDecision):
        approve(lender, wish)


def test_only_another_administrator_ends_a_declaration(
    wish: Application, alice: User, lender: User, administrator: User
) -> None:
    made = declare(lender, alice)
    with pytest.raises(identity.PermissionMissing):
        identity.end_connection(actor=lender, connection_id=made.pk, reason="Over", now=noon())
    own = identity.declare_connection(
        actor=administrator, email=alice.email, relation="BUSINESS", reason="A shop", now=noon()
    )
    with pytest.raises(identity.OwnAccount):
        identity.end_connection(actor=administrator, connection_id=own.pk, reason="Over", now=noon())

    identity.end_connection(actor=administrator, connection_id=made.pk, reason="Divorced", now=noon())

    with pytest.raises(identity.ConnectionUnknown):
        identity.end_connection(actor=administrator, connection_id=made.pk, reason="Again", now=noon())
    assert approve(lender, wish).status == Application.Status.APPROVED
    actions = AuditEvent.objects.filter(action__startswith="identity.connection").order_by("pk")
    assert [event.action for event in actions] == ["identity.connection_declared"] * 2 + ["identity.connection_ended"]


def test_bad_declarations_are_refused(alice: User, lender: User) -> None:
    declare(lender, alice)
    with pytest.raises(identity.ConnectionKnown):
        declare(lender, alice)
    with pytest.raises(identity.OwnAccount):
        declare(lender, lender)
    with pytest.raises(identity.PermissionMissing):
        declare(alice, lender)
    for facts, error in (
        ({"email": "nobody@example.com"}, identity.UserUnknown),
        ({"relation": "FRIEND"}, identity.RelationUnknown),
    ):
        given = {"email": alice.email, "relation": "CHILD", **facts}
        with pytest.raises(error):
            identity.declare_connection(actor=lender, reason="x", now=noon(), **given)
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.create(staff=lender, person=lender, relation="CHILD", declared_at=noon())


def test_the_file_says_so_and_offers_no_decision(
    wish: Application, alice: User, lender: User, login: Callable[[User], Client]
) -> None:
    page = reverse("admin:loans_application_change", args=[wish.pk])
    namesake = make_user("namesake@bank.example", Role.LENDING, name=f"Nora {alice.full_name.split()[-1]}")
    assert "This customer has your surname" in login(namesake).get(page).content.decode()
    client = login(lender)
    assert "/approve/" in client.get(page).content.decode()

    answer = client.post(
        reverse("admin:identity_connection_declare"),
        {"email": alice.email, "relation": "PARENT", "reason": "She is my mother"},
        follow=True,
    )

    assert "You declared" in answer.content.decode()
    shown = client.get(page).content.decode()
    assert "You and this customer are connected" in shown
    assert "/approve/" not in shown
