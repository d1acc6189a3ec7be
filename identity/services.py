"""Writing services of identity: customers, passwords, PINs, and what an actor may do."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from common.db import require_transaction, use_case
from common.errors import Invalid
from identity import events
from identity.errors import (
    EmailTaken,
    OwnAccount,
    PermissionMissing,
    PinLocked,
    PinNotSet,
    RoleUnknown,
    UserUnknown,
    WeakPassword,
    WeakPin,
    WrongPassword,
    WrongPin,
)
from identity.models import ApiSession, TransactionPin, User
from identity.permissions import Role
from identity.rules import pins

__all__ = [
    "EmailTaken",
    "OwnAccount",
    "PermissionMissing",
    "PinLocked",
    "PinNotSet",
    "RoleUnknown",
    "UserUnknown",
    "WeakPassword",
    "WeakPin",
    "WrongPassword",
    "WrongPin",
    "change_name",
    "change_pin",
    "register_customer",
    "require",
    "set_password",
    "set_pin",
    "sign_out_everywhere",
    "verify_pin",
]


def require(actor: User, codename: str) -> None:
    """Raise PermissionMissing unless the actor is active and holds `identity.<codename>`."""
    if not actor.is_active or not actor.has_perm(f"identity.{codename}"):
        raise PermissionMissing(data={"permission": codename})


# --- Customers ---------------------------------------------------------------------------------------


def register_customer(*, email: str, password: str, full_name: str, now: datetime) -> User:
    """Store a new customer and, after commit, send the link that verifies the address.

    Raises WeakPassword (field password), Invalid (field email or full_name), EmailTaken. Interfaces must not show
    EmailTaken to the caller: see `registration_answer` in the API, which writes to the address instead.
    """
    address = email.strip().lower()
    name = " ".join(full_name.split())
    _check_registration(address, password, name)
    # Hash before looking, so that a known and an unknown address take the same time.
    hashed = make_password(password)
    try:
        with use_case():
            if _is_known(address):
                raise EmailTaken
            user = User(email=address, password=hashed, full_name=name, date_joined=now, password_changed_at=now)
            user.save()
            make_customer(user=user)
            entry = EmailAddress.objects.create(user=user, email=address, primary=True, verified=False)
            events.about(user, "identity.registered")
            transaction.on_commit(lambda: _send_verification(entry))
    except IntegrityError as error:
        raise EmailTaken from error
    return user


def make_customer(*, user: User) -> None:
    """Give a user the customer role. Raises NoTransaction outside a transaction."""
    require_transaction()
    user.groups.add(Group.objects.get(name=Role.CUSTOMER))


def _check_registration(address: str, password: str, name: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid("Enter a valid e-mail address.", code="invalid_email", field="email") from error
    if not name or len(name) > 150:
        raise Invalid("Enter your full name.", code="invalid_name", field="full_name")
    check_new_password(password=password, user=User(email=address, full_name=name))


def check_new_password(*, password: str, user: User) -> None:
    """Raise WeakPassword (field password) with what the validators say."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field="password") from error


def _is_known(address: str) -> bool:
    return User.objects.filter(email=address).exists() or EmailAddress.objects.filter(email=address).exists()


def _send_verification(entry: EmailAddress) -> None:
    get_adapter().send_confirmation_mail(None, EmailConfirmationHMAC.create(entry), signup=True)


def change_name(*, actor: User, full_name: str) -> None:
    """Store another name of the actor. Raises Invalid (field full_name)."""
    name = " ".join(full_name.split())
    if not name or len(name) > 150:
        raise Invalid("Enter your full name.", code="invalid_name", field="full_name")
    with use_case():
        user = User.objects.select_for_update().get(pk=actor.pk)
        before, user.full_name = user.full_name, name
        user.save(update_fields=["full_name"])
        events.about(user, "identity.name_changed", data={"before": before, "after": name})
    actor.full_name = name


# --- Passwords and sign-ins ----------------------------------------------------------------------------


def set_password(*, user: User, password: str, now: datetime) -> None:
    """Store a new password: every session and token bound to the old one dies. The caller has proved who it is."""
    with transaction.atomic():
        user.set_password(password)
        user.password_changed_at = now
        user.save(update_fields=["password", "password_changed_at"])
        ApiSession.objects.filter(user=user, ended_at=None).update(ended_at=now)
        events.about(user, "identity.password_changed")


def sign_out_everywhere(*, user: User, actor: User, now: datetime, reason: str = "") -> None:
    """End every browser session and API token of a user. Raises NoTransaction outside a transaction."""
    require_transaction()
    user.sign_in_epoch += 1
    user.save(update_fields=["sign_in_epoch"])
    ApiSession.objects.filter(user=user, ended_at=None).update(ended_at=now)
    events.about(user, "identity.signed_out_everywhere", actor=actor, reason=reason)


# --- The transaction PIN ---------------------------------------------------------------------------------


def set_pin(*, actor: User, pin: str, now: datetime) -> None:
    """Set the actor's transaction PIN, which also unlocks it. Raises WeakPin (field pin)."""
    if not pins.is_well_formed(pin) or pins.is_trivial(pin):
        raise WeakPin(field="pin")
    hashed = make_password(_peppered(actor, pin, settings.SECRET_KEY))
    with use_case():
        TransactionPin.objects.update_or_create(
            user=actor, defaults={"hashed": hashed, "failed_count": 0, "locked_at": None, "set_at": now}
        )
        events.about(actor, "identity.pin_set")


def change_pin(*, actor: User, password: str, pin: str, now: datetime) -> None:
    """Set the PIN of an actor who repeats the password. Raises WrongPassword (field password), WeakPin (field pin)."""
    if not actor.check_password(password):
        with use_case():
            events.about(actor, "identity.pin_change_refused")
        raise WrongPassword(field="password")
    set_pin(actor=actor, pin=pin, now=now)


def verify_pin(*, actor: User, pin: str, now: datetime) -> None:
    """Check the actor's PIN in a transaction of its own, so that a failed try is kept whatever the caller does next.

    Tries queue up on the PIN's row: of any number in parallel at most five are looked at.
    Raises PinNotSet, PinLocked, or WrongPin (field pin, data attempts_left).
    """
    with use_case():
        left = _try_pin(actor, pin, now)
    if left == 0:
        raise PinLocked(field="pin")
    if left is not None:
        tries = "try" if left == 1 else "tries"
        raise WrongPin(f"That PIN is not right. You have {left} {tries} left.", field="pin", data={"attempts_left": left})


def _try_pin(actor: User, pin: str, now: datetime) -> int | None:
    """None when the PIN is right, else how many tries are left."""
    stored = TransactionPin.objects.select_for_update().filter(user=actor).first()
    if stored is None:
        raise PinNotSet
    if stored.locked_at is not None:
        return 0
    if _pin_matches(actor, pin, stored.hashed):
        if stored.failed_count:
            stored.failed_count = 0
            stored.save(update_fields=["failed_count"])
        return None
    stored.failed_count += 1
    if stored.failed_count >= pins.MAX_TRIES:
        stored.locked_at = now
    stored.save(update_fields=["failed_count", "locked_at"])
    left = pins.MAX_TRIES - stored.failed_count
    events.about(actor, "identity.pin_locked" if left == 0 else "identity.pin_failed", data={"attempts_left": left})
    return left


def _pin_matches(actor: User, pin: str, hashed: str) -> bool:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(check_password(_peppered(actor, pin, key), hashed) for key in keys)


def _peppered(actor: User, pin: str, key: str) -> str:
    """A PIN has too few values for its hash alone to protect it: it is bound to the user and to the installation."""
    return salted_hmac("identity.pin", f"{actor.pk}:{pin}", secret=key, algorithm="sha256").hexdigest()
