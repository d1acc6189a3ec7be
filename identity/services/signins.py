"""Passwords, second factors and sign-ins to the API: what is bound to what, and how it ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import RefreshToken

from common import request_context, throttle
from common.db import require_transaction, use_case
from common.errors import TooMany
from identity import events, queries
from identity.errors import (
    EmailNotVerified,
    SecondFactorMissing,
    SecondFactorRequired,
    SessionUnknown,
    SignInEnded,
    WrongCode,
)
from identity.models import ApiSession, SecondFactorTries, User

SESSION_CLAIM = "sid"
MAX_CODES = 5
CODE_WINDOW = timedelta(minutes=5)
# Longer than a code is accepted, so that none is accepted twice.
CODE_USED_FOR = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`expires_in` is the access token's life in seconds."""

    access: str
    refresh: str
    expires_in: int


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


def end_other_sign_ins(*, actor: User, now: datetime) -> None:
    """What the actor's button does: everything ends; the page renews its own session afterwards."""
    with use_case():
        sign_out_everywhere(user=User.objects.select_for_update().get(pk=actor.pk), actor=actor, now=now)


# --- The browser ------------------------------------------------------------------------------------------


def guard_sign_in(*, email: str) -> None:
    """Count a try to log in to an account, from any address; places it was used from lately are not held up.

    axes counts wrong tries of one address in the database; this holds many addresses against one account.
    Raises TooMany.
    """
    account = email.strip().lower()
    if not queries.was_used_from(account, request_context.current().ip):
        throttle.enforce(throttle.SIGN_INS_BY_ACCOUNT, account)


def record_sign_in(*, user: User, known_device: bool) -> None:
    """Tell of a browser session that has begun."""
    with transaction.atomic():
        events.about(user, "identity.signed_in", data={"by": "browser", **_whence(new=not known_device)})


def end_browser_session(*, actor: User, session_id: int, now: datetime) -> None:
    """End one of the actor's own browser sessions. Raises SessionUnknown (404) for anybody else's."""
    with use_case():
        session = UserSession.objects.select_for_update().filter(pk=session_id, user=actor).first()
        if session is None:
            raise SessionUnknown
        session.end()
        data = {"by": "browser", "device": queries.device_name(session.user_agent), "ip": session.ip}
        events.about(actor, "identity.session_ended", data=data)


def end_own_api_session(*, actor: User, session_id: uuid.UUID, now: datetime) -> None:
    """End one of the actor's own sign-ins to the API. Raises SessionUnknown (404) for anybody else's."""
    with use_case():
        session = ApiSession.objects.select_for_update().filter(pk=session_id, user=actor, ended_at=None).first()
        if session is None:
            raise SessionUnknown
        _end(session, now, "identity.session_ended")


def keep_browser_session(*, request: HttpRequest) -> None:
    """List the session of this request after its key was renewed."""
    UserSession.objects.create_from_request(request)


def record_sign_out(*, user: User) -> None:
    """Tell of a browser session that was ended by its user."""
    with transaction.atomic():
        events.about(user, "identity.signed_out", data={"by": "browser"})


def record_failed_sign_in(*, email: str, action: str = "identity.sign_in_failed") -> None:
    """Tell of a wrong try. An unknown address is kept as a digest: people type passwords into the wrong field."""
    account = email.strip().lower()
    user = User.objects.filter(email=account).first()
    digest = salted_hmac("identity.unknown", account, algorithm="sha256").hexdigest()[:16]
    with transaction.atomic():
        events.emit(
            events.Event(
                action=action,
                user=user,
                actor=None,
                subject_id=str(user.public_id) if user else "unknown",
                data={} if user else {"account_digest": digest},
            )
        )


def _whence(*, new: bool) -> dict[str, object]:
    context = request_context.current()
    return {"new_device": new, "country": context.country, "device": context.user_agent[:120]}


# --- The second factor -------------------------------------------------------------------------------------


def check_second_factor(*, user: User, code: str, now: datetime) -> Authenticator:
    """The authenticator that accepts this code. Counted under a row lock: of any number in parallel five are tried.

    Raises WrongCode (field otp), or TooMany with `retry_after`. A code that was right once is not right again.
    """
    with use_case():
        outcome = _try_code(user, code.strip(), now)
    if isinstance(outcome, Authenticator):
        return outcome
    if outcome is None:
        raise WrongCode(field="otp")
    raise TooMany(data={"retry_after": outcome})


def _try_code(user: User, code: str, now: datetime) -> Authenticator | int | None:
    SecondFactorTries.objects.get_or_create(user=user, defaults={"since": now})
    tries = SecondFactorTries.objects.select_for_update().get(user=user)
    if now - tries.since >= CODE_WINDOW:
        tries.count, tries.since = 0, now
    if tries.count >= MAX_CODES:
        return max(1, int((tries.since + CODE_WINDOW - now).total_seconds()))
    tries.count += 1
    digest = salted_hmac("identity.otp", f"{user.pk}:{code}", algorithm="sha256").hexdigest()
    repeated = tries.used_at is not None and now - tries.used_at < CODE_USED_FOR and tries.used_digest == digest
    accepted = None if repeated else _accepting(user, code)
    if accepted is None:
        events.about(user, "identity.second_factor_failed", data={"tries_left": MAX_CODES - tries.count})
    else:
        tries.count, tries.used_digest, tries.used_at = 0, digest, now
    tries.save()
    return accepted


def _accepting(user: User, code: str) -> Authenticator | None:
    for authenticator in Authenticator.objects.filter(user=user).order_by("-type", "pk"):
        if authenticator.wrap().validate_code(code):
            return authenticator
    return None


# --- Tokens ------------------------------------------------------------------------------------------------


def sign_in_to_api(*, user: User, otp: str, now: datetime) -> Tokens:
    """Tokens for a user whose password was right.

    Raises EmailNotVerified, SecondFactorRequired, SecondFactorMissing (staff), WrongCode (field otp), TooMany.
    """
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise EmailNotVerified
    if queries.has_second_factor(user):
        if not otp:
            raise SecondFactorRequired(field="otp")
        check_second_factor(user=user, code=otp, now=now)
    elif queries.lacks_second_factor(user):
        raise SecondFactorMissing
    return open_api_session(user=user, now=now)


def open_api_session(*, user: User, now: datetime) -> Tokens:
    """Sign a user in to the API; the caller has checked password and second factor."""
    context = request_context.current()
    with use_case():
        known = queries.is_known_device(user, ip=context.ip, user_agent=context.user_agent)
        session = ApiSession.objects.create(
            user=user,
            ip=context.ip or None,
            user_agent=context.user_agent,
            created_at=now,
            expires_at=now + cast(timedelta, settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]),
        )
        AccessAttempt.objects.filter(username=user.email, ip_address=context.ip).delete()
        events.about(user, "identity.signed_in", data={"by": "api", **_whence(new=not known)})
    return _issue(session)


def refresh_api_session(*, refresh: str, now: datetime) -> Tokens:
    """Trade a refresh token for new tokens; it dies. Used twice, it ends the whole sign-in: one of the two stole it.

    Raises SignInEnded.
    """
    token = _read_refresh(refresh)
    with use_case():
        session = _session_of(token, now)
        stolen = _is_spent(token)
        if stolen:
            _end(session, now, "identity.refresh_reused")
        else:
            token.blacklist()
    if stolen:
        raise SignInEnded
    return _issue(session)


def end_api_session(*, session_id: str, actor: User, now: datetime) -> None:
    """Log out of the API: the access and refresh tokens of this sign-in are refused from now on."""
    with use_case():
        session = ApiSession.objects.select_for_update().filter(pk=session_id, user=actor, ended_at=None).first()
        if session is not None:
            _end(session, now, "identity.signed_out")


class _Refresh(RefreshToken):
    """A refresh token whose blacklist is asked under the lock of its sign-in, and which is stored only when dead."""

    def check_blacklist(self) -> None:
        """Asked by `_is_spent` instead."""


def _issue(session: ApiSession) -> Tokens:
    user = session.user
    refresh = _Refresh()
    refresh[api_settings.USER_ID_CLAIM] = str(user.public_id)
    refresh[api_settings.REVOKE_TOKEN_CLAIM] = credential_claim(user)
    refresh[SESSION_CLAIM] = str(session.pk)
    # Refreshing never outlives the sign-in.
    refresh["exp"] = int(session.expires_at.timestamp())
    access = refresh.access_token
    return Tokens(str(access), str(refresh), int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds()))


def credential_claim(user: User) -> str:
    """What a token is bound to: it changes with the password and when the user signs out everywhere."""
    return user.get_session_auth_hash()[:32]


def _read_refresh(raw: str) -> _Refresh:
    try:
        return _Refresh(raw)  # type: ignore[arg-type]
    except TokenError as error:
        raise SignInEnded from error


def _session_of(token: _Refresh, now: datetime) -> ApiSession:
    session = (
        ApiSession.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=token.get(SESSION_CLAIM), ended_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if session is None or token.get(api_settings.REVOKE_TOKEN_CLAIM) != credential_claim(session.user):
        raise SignInEnded
    return session


def _is_spent(token: _Refresh) -> bool:
    return BlacklistedToken.objects.filter(token__jti=token[api_settings.JTI_CLAIM]).exists()


def _end(session: ApiSession, now: datetime, action: str) -> None:
    session.ended_at = now
    session.save(update_fields=["ended_at"])
    events.about(session.user, action, data={"by": "api"})
