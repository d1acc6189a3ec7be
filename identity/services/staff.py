"""What administrators do to users. Nobody does it to themselves."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from axes.models import AccessAttempt
from django.contrib.auth.models import Group

from common.db import use_case
from common.errors import Conflict
from identity import events
from identity.errors import OwnAccount, RoleUnknown, UserUnknown
from identity.models import TransactionPin, User
from identity.permissions import STAFF_ROLES, Role
from identity.services.authority import require
from identity.services.signins import sign_out_everywhere


def unlock_pin(*, actor: User, user_id: uuid.UUID, reason: str) -> None:
    """Forget the wrong tries of a user's PIN. `user_id` is the public id.

    Raises PermissionMissing, UserUnknown, OwnAccount, Conflict (pin_not_locked).
    """
    with use_case():
        user = _other(actor, user_id)
        pin = TransactionPin.objects.select_for_update().filter(user=user).exclude(locked_at=None).first()
        if pin is None:
            raise Conflict("The PIN of this user is not locked.", code="pin_not_locked")
        pin.locked_at, pin.failed_count = None, 0
        pin.save(update_fields=["locked_at", "failed_count"])
        events.about(user, "identity.pin_unlocked", actor=actor, reason=reason)


def clear_lockout(*, actor: User, user_id: uuid.UUID, reason: str) -> None:
    """Let a user try to log in again at once. Raises PermissionMissing, UserUnknown, OwnAccount."""
    with use_case():
        user = _other(actor, user_id)
        count, _ = AccessAttempt.objects.filter(username=user.email).delete()
        events.about(user, "identity.lockout_cleared", actor=actor, reason=reason, data={"attempts": count})


def deactivate_user(*, actor: User, user_id: uuid.UUID, reason: str, now: datetime) -> None:
    """Close the door for a user: sessions, tokens and API keys die at once.

    Raises PermissionMissing, UserUnknown, OwnAccount, Conflict (user_inactive).
    """
    with use_case():
        user = _other(actor, user_id)
        if not user.is_active:
            raise Conflict("This user is inactive already.", code="user_inactive")
        user.is_active = False
        user.save(update_fields=["is_active"])
        sign_out_everywhere(user=user, actor=actor, now=now, reason=reason)
        events.about(user, "identity.deactivated", actor=actor, reason=reason)


def reactivate_user(*, actor: User, user_id: uuid.UUID, reason: str) -> None:
    """Let a user in again. Raises PermissionMissing, UserUnknown, OwnAccount, Conflict (user_active)."""
    with use_case():
        user = _other(actor, user_id)
        if user.is_active:
            raise Conflict("This user is active already.", code="user_active")
        user.is_active = True
        user.save(update_fields=["is_active"])
        events.about(user, "identity.reactivated", actor=actor, reason=reason)


def assign_roles(*, actor: User, user_id: uuid.UUID, roles: Collection[str], reason: str, now: datetime) -> None:
    """Make the user's roles exactly these; a staff role makes staff. Their sign-ins end, so the change holds at once.

    Raises PermissionMissing, UserUnknown, OwnAccount, RoleUnknown (field roles).
    """
    wanted = set(roles)
    if not wanted <= {role.value for role in Role}:
        raise RoleUnknown(field="roles")
    with use_case():
        user = _other(actor, user_id)
        before = sorted(user.groups.values_list("name", flat=True))
        user.groups.set(Group.objects.filter(name__in=wanted))
        user.is_staff = bool(wanted & {role.value for role in STAFF_ROLES})
        user.save(update_fields=["is_staff"])
        sign_out_everywhere(user=user, actor=actor, now=now, reason=reason)
        events.about(
            user,
            "identity.roles_changed",
            actor=actor,
            reason=reason,
            data={"before": before, "after": sorted(wanted)},
        )


def _other(actor: User, user_id: uuid.UUID) -> User:
    """The user, locked, after checking that the actor may and is somebody else."""
    require(actor, "user_manage")
    if actor.public_id == user_id:
        raise OwnAccount
    try:
        return User.objects.select_for_update().get(public_id=user_id)
    except User.DoesNotExist as error:
        raise UserUnknown from error
