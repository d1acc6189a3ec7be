"""New customers, and what people change about themselves."""

from __future__ import annotations

from datetime import datetime

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from common.db import require_transaction, use_case
from common.errors import Invalid
from identity import events
from identity.errors import EmailTaken, WeakPassword
from identity.models import User
from identity.permissions import Role


def register_customer(*, email: str, password: str, full_name: str, now: datetime) -> User:
    """Store a new customer and, after commit, send the link that verifies the address.

    Raises WeakPassword (field password), Invalid (field email or full_name), EmailTaken. An interface open to
    strangers uses `request_registration`, which does not tell them that an address is known.
    """
    address, name = _checked(email, password, full_name)
    # Hashed before looking, so that a known and an unknown address take the same time.
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


def request_registration(*, email: str, password: str, full_name: str, now: datetime) -> None:
    """As `register_customer`, but alike for known and unknown addresses: the known one is written to.

    Raises WeakPassword (field password), Invalid (field email or full_name).
    """
    try:
        register_customer(email=email, password=password, full_name=full_name, now=now)
    except EmailTaken:
        get_adapter().send_account_already_exists_mail(email.strip().lower())


def make_customer(*, user: User) -> None:
    """Give a user the customer role. Raises NoTransaction outside a transaction."""
    require_transaction()
    user.groups.add(Group.objects.get(name=Role.CUSTOMER))


def change_name(*, actor: User, full_name: str) -> None:
    """Store another name of the actor. Raises Invalid (field full_name)."""
    name = _checked_name(full_name)
    with use_case():
        user = User.objects.select_for_update().get(pk=actor.pk)
        before, user.full_name = user.full_name, name
        user.save(update_fields=["full_name"])
        events.about(user, "identity.name_changed", data={"before": before, "after": name})
    actor.full_name = name


def check_new_password(*, password: str, user: User) -> None:
    """Raise WeakPassword (field password) with what the validators say."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field="password") from error


def _checked(email: str, password: str, full_name: str) -> tuple[str, str]:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid("Enter a valid e-mail address.", code="invalid_email", field="email") from error
    name = _checked_name(full_name)
    check_new_password(password=password, user=User(email=address, full_name=name))
    return address, name


def _checked_name(full_name: str) -> str:
    name = " ".join(full_name.split())
    if not name or len(name) > 150 or not name.isprintable():
        raise Invalid("Enter your full name.", code="invalid_name", field="full_name")
    return name


def _is_known(address: str) -> bool:
    return User.objects.filter(email=address).exists() or EmailAddress.objects.filter(email=address).exists()


def _send_verification(entry: EmailAddress) -> None:
    get_adapter().send_confirmation_mail(None, EmailConfirmationHMAC.create(entry), signup=True)
