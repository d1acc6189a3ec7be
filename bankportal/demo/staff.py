"""Staff and customers of the demo bank as users who can log in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from bankportal.demo.people import Person
from identity.models import User
from identity.permissions import Role

NAMESPACE = UUID("6f2b7a52-3c1e-4c0b-9f0e-8a5d1be0c9d4")
STAFF = [
    (Role.TELLER, "teller@demo.example", "Tessa Bauer"),
    (Role.COMPLIANCE, "compliance@demo.example", "Clara Jansen"),
    (Role.COMPLIANCE, "compliance2@demo.example", "Marco Silva"),
    (Role.LENDING, "lending@demo.example", "Leon Fischer"),
    (Role.AUDITOR, "auditor@demo.example", "Aoife Byrne"),
    (Role.ADMINISTRATOR, "admin@demo.example", "Anna Keller"),
]
# Service users: outside parties that move money through the API; nobody logs in as one.
PAYROLL = ("payroll@integrators.demo.example", "Payroll gateway")
CARDS = ("cards@integrators.demo.example", "Card gateway")


def stable_id(*parts: object) -> UUID:
    """The same parts give the same id, so that seeding again finds what it made."""
    return uuid5(NAMESPACE, "/".join(str(part) for part in parts))


def ensure_staff(*, password: str, now: datetime) -> dict[str, User]:
    """Staff and service users by address."""
    groups = {group.name: group for group in Group.objects.all()}
    made = {}
    # One slow hash for all who share the password.
    hashed = make_password(password)
    for role, email, name in STAFF:
        user = _ensure_user(email=email, name=name, password=hashed, now=now, is_staff=True)
        user.groups.add(groups[role.value])
        made[email] = user
    for email, name in (PAYROLL, CARDS):
        made[email] = _ensure_user(email=email, name=name, password=make_password(None), now=now, is_staff=False)
    return made


def ensure_customers(*, persons: Sequence[Person], password: str, joined_at: datetime) -> dict[int, User]:
    """A verified user with the customer role for each person, by the person's index.

    They share one password hash: computing a slow hash two hundred times would only make the start slow.
    """
    hashed = make_password(password)
    User.objects.bulk_create(
        (
            User(
                email=person.email,
                full_name=person.full_name,
                password=hashed,
                public_id=stable_id("user", person.index),
                date_joined=joined_at,
                password_changed_at=joined_at,
            )
            for person in persons
        ),
        ignore_conflicts=True,
    )
    users = {user.email: user for user in User.objects.filter(email__in=[person.email for person in persons])}
    EmailAddress.objects.bulk_create(
        (EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users.values()),
        ignore_conflicts=True,
    )
    Group.objects.get(name=Role.CUSTOMER.value).user_set.add(*users.values())
    return {person.index: users[person.email] for person in persons}


def _ensure_user(*, email: str, name: str, password: str, now: datetime, is_staff: bool) -> User:
    user, created = User.objects.get_or_create(
        email=email,
        defaults={
            "full_name": name,
            "password": password,
            "is_staff": is_staff,
            "date_joined": now,
            "password_changed_at": now,
        },
    )
    if created:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
