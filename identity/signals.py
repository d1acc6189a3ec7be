"""What Django, allauth and axes tell us about sign-ins, passed on to our services. Connected at start-up."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed, email_confirmed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from axes.helpers import get_client_session_hash
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from common import request_context
from identity import events, queries, services
from identity.models import User
from identity.rules import accounts


@receiver(user_logged_in, dispatch_uid="identity.signed_in")
def on_signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    context = request_context.current()
    known = queries.is_known_device(
        user, ip=context.ip, user_agent=context.user_agent, session_hash=get_client_session_hash(request)
    )
    services.record_sign_in(user=user, known_device=known)


@receiver(user_logged_out, dispatch_uid="identity.signed_out")
def on_signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None and user.pk:
        services.record_sign_out(user=user)


@receiver(user_login_failed, dispatch_uid="identity.sign_in_failed")
def on_sign_in_failed(sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
    services.record_failed_sign_in(email=accounts.account_of(credentials))


@receiver(user_locked_out, dispatch_uid="identity.locked_out")
def on_locked_out(sender: Any, username: str, **kwargs: Any) -> None:
    services.record_failed_sign_in(email=username or "", action="identity.locked_out")


@receiver(email_confirmed, dispatch_uid="identity.email_verified")
def on_email_verified(sender: Any, email_address: EmailAddress, **kwargs: Any) -> None:
    with transaction.atomic():
        events.about(email_address.user, "identity.email_verified")


@receiver(email_changed, dispatch_uid="identity.email_changed")
def on_email_changed(
    sender: Any,
    user: User,
    from_email_address: EmailAddress | None,
    to_email_address: EmailAddress,
    **kwargs: Any,
) -> None:
    before = from_email_address.email if from_email_address else ""
    with transaction.atomic():
        events.about(user, "identity.email_changed", data={"before": before, "after": to_email_address.email})


def _second_factor(action: str, user: User, authenticator: Authenticator) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES and action != "identity.recovery_codes_made":
        return
    with transaction.atomic():
        events.about(user, action)


@receiver(authenticator_added, dispatch_uid="identity.second_factor_added")
def on_second_factor_added(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _second_factor("identity.second_factor_added", user, authenticator)


@receiver(authenticator_removed, dispatch_uid="identity.second_factor_removed")
def on_second_factor_removed(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _second_factor("identity.second_factor_removed", user, authenticator)


@receiver(authenticator_reset, dispatch_uid="identity.recovery_codes_made")
def on_recovery_codes_made(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    _second_factor("identity.recovery_codes_made", user, authenticator)
