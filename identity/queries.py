"""Reading services of identity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef

from identity.errors import UserUnknown
from identity.models import TransactionPin, User
from identity.permissions import Role


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether somebody may use the portal."""

    is_customer: bool
    is_verified: bool


@dataclass(frozen=True, slots=True)
class PinState:
    """Whether a PIN is set, and whether wrong tries locked it."""

    is_set: bool
    is_locked: bool


def portal_standing(user: User) -> Standing:
    """Role and verification of a logged-in user, in one query."""
    row = (
        User.objects.filter(pk=user.pk, is_active=True)
        .annotate(
            customer=Exists(User.groups.through.objects.filter(user_id=OuterRef("pk"), group__name=Role.CUSTOMER)),
            verified=Exists(EmailAddress.objects.filter(user_id=OuterRef("pk"), verified=True)),
        )
        .values_list("customer", "verified")
        .first()
    )
    customer, verified = row or (False, False)
    return Standing(is_customer=customer, is_verified=verified)


def pin_state(user: User) -> PinState:
    """The state of a user's transaction PIN."""
    locked = TransactionPin.objects.filter(user=user).values_list("locked_at", flat=True)
    found = list(locked)
    return PinState(is_set=bool(found), is_locked=bool(found and found[0]))


def has_pin(user: User) -> bool:
    """Whether the user has set a transaction PIN (locked or not)."""
    return TransactionPin.objects.filter(user=user).exists()


def by_public_id(public_id: uuid.UUID | str) -> User:
    """The user with this public id. Raises UserUnknown (404)."""
    try:
        return User.objects.get(public_id=public_id)
    except (User.DoesNotExist, ValueError) as error:
        raise UserUnknown from error


def roles_of(user: User) -> list[str]:
    """The names of a user's roles, in order."""
    return sorted(user.groups.values_list("name", flat=True))
