"""Reading services of identity."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nlargest

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from axes.models import AccessLog
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from common.rows import Rows
from identity.models import ApiClient, ApiSession, Connection, TransactionPin, User
from identity.permissions import Role

_SIGNED_IN = Rows(
    """
    SELECT {person} FROM identity_apisession session JOIN identity_user person ON person.id = session.user_id
     WHERE session.id = %(session)s AND session.ended_at IS NULL AND session.expires_at > %(now)s
       AND person.public_id = %(public_id)s AND person.is_active
    """,
    person=User,
)


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


def are_connected(one: User, other: User) -> bool:
    """Whether one of the two, being staff, declared the other."""
    either = Q(staff=one, person=other) | Q(staff=other, person=one)
    return Connection.objects.filter(either, ended_at=None).exists()


def share_a_surname(one: User, other: User) -> bool:
    """Whether the last words of their names are the same: a hint for whoever decides, no more."""
    ours, theirs = one.full_name.split(), other.full_name.split()
    return bool(ours and theirs) and one.pk != other.pk and ours[-1].casefold() == theirs[-1].casefold()


def roles_of(user: User) -> list[str]:
    """The names of a user's roles, in order."""
    return sorted(user.groups.values_list("name", flat=True))


# --- Second factors and sign-ins -----------------------------------------------------------------------

# Where `identity.middleware` keeps in a session when it was last used.
SEEN_KEY = "seen_at"
KNOWN_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One log-in that worked. `how` is "Browser" or "API"."""

    at: datetime
    ip: str
    device: str
    how: str


def has_second_factor(user: User) -> bool:
    """Whether the user logs in with an authenticator app."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def lacks_second_factor(user: User) -> bool:
    """Whether the user is staff, the installation asks staff for a second factor, and there is none."""
    return bool(settings.STAFF_MFA_REQUIRED and user.is_staff and not has_second_factor(user))


def was_used_from(account: str, ip: str) -> bool:
    """Whether somebody logged in to the account (e-mail address) from this address lately."""
    since = timezone.now() - KNOWN_FOR
    browser = AccessLog.objects.filter(username=account, ip_address=ip or None, attempt_time__gte=since)
    api = ApiSession.objects.filter(user__email=account, ip=ip or None, created_at__gte=since)
    return browser.exists() or api.exists()


def is_known_device(user: User, *, ip: str, user_agent: str, session_hash: str = "") -> bool:
    """Whether this browser or program signed in from this address lately; the very first sign-in of all counts as known.

    `session_hash` names the browser session that begins now, which django-axes may have written down already.
    """
    browser = AccessLog.objects.filter(username=user.email)
    if session_hash:
        browser = browser.exclude(session_hash=session_hash)
    api = ApiSession.objects.filter(user=user)
    if not browser.exists() and not api.exists():
        return True
    since = timezone.now() - KNOWN_FOR
    return (
        browser.filter(ip_address=ip or None, user_agent=user_agent[:255], attempt_time__gte=since).exists()
        or api.filter(ip=ip or None, user_agent=user_agent, created_at__gte=since).exists()
    )


def recent_sign_ins(user: User, *, limit: int = 8) -> list[SignIn]:
    """The latest log-ins of a user through browser and API, newest first."""
    browser = [
        SignIn(row.attempt_time, row.ip_address or "", device_name(row.user_agent), "Browser")
        for row in AccessLog.objects.filter(username=user.email).order_by("-attempt_time")[:limit]
    ]
    api = [
        SignIn(row.created_at, row.ip or "", device_name(row.user_agent), "API")
        for row in ApiSession.objects.filter(user=user).order_by("-created_at")[:limit]
    ]
    return nlargest(limit, browser + api, key=lambda sign_in: sign_in.at)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A sign-in that is alive. `how` is "Browser" or "API"; `key` names it to the service that ends it."""

    key: int | uuid.UUID
    how: str
    device: str
    ip: str
    since: datetime
    seen_at: datetime | None
    is_current: bool


def open_sessions(user: User, *, current: str, now: datetime) -> list[OpenSession]:
    """The user's own sign-ins that still work, the one with session key `current` first, then the newest."""
    api = [
        OpenSession(row.pk, "API", device_name(row.user_agent), row.ip or "", row.created_at, None, is_current=False)
        for row in ApiSession.objects.filter(user=user, ended_at=None, expires_at__gt=now)
    ]
    found = [*_open_browsers(user, current, now), *api]
    return sorted(found, key=lambda row: (not row.is_current, -row.since.timestamp()))


def _open_browsers(user: User, current: str, now: datetime) -> list[OpenSession]:
    """Sessions outlive what ends them (a new password, a silence) as rows; only those that would let one in count."""
    rows = {row.session_key: row for row in UserSession.objects.filter(user=user)}
    stored = Session.objects.filter(session_key__in=rows, expire_date__gt=now)
    idle = settings.STAFF_SESSION_IDLE_SECONDS if user.is_staff else settings.SESSION_IDLE_SECONDS
    bound_to, found = user.get_session_auth_hash(), []
    for session in stored:
        data, row = session.get_decoded(), rows[session.session_key]
        seen = data.get(SEEN_KEY) or int(row.last_seen_at.timestamp())
        if data.get(HASH_SESSION_KEY) == bound_to and now.timestamp() - seen <= idle:
            found.append(
                OpenSession(
                    row.pk,
                    "Browser",
                    device_name(row.user_agent),
                    row.ip,
                    row.created_at,
                    datetime.fromtimestamp(seen, tz=UTC),
                    is_current=session.session_key == current,
                )
            )
    return found


def device_name(user_agent: str) -> str:
    """A few words for people: `Firefox on Linux`."""
    browsers = ("Edg", "OPR", "Firefox", "Chrome", "Safari", "curl", "python-requests")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
    names = {"Edg": "Edge", "OPR": "Opera", "Mac OS X": "macOS", "python-requests": "Python"}
    browser = next((names.get(name, name) for name in browsers if name in user_agent), "")
    system = next((names.get(name, name) for name in systems if name in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown device"


@dataclass(frozen=True, slots=True)
class Me:
    """What a user may know about their own login."""

    public_id: uuid.UUID
    email: str
    full_name: str
    roles: list[str]
    pin_is_set: bool
    pin_is_locked: bool
    has_second_factor: bool


def about_me(user: User) -> Me:
    """The login of a user, for themselves."""
    pin = pin_state(user)
    return Me(
        public_id=user.public_id,
        email=user.email,
        full_name=user.full_name,
        roles=roles_of(user),
        pin_is_set=pin.is_set,
        pin_is_locked=pin.is_locked,
        has_second_factor=has_second_factor(user),
    )


def signed_in(*, session_id: str, public_id: str, now: datetime) -> User | None:
    """The active user of a sign-in to the API that goes on; None when it has ended, or an id is not one."""
    try:
        ids = {"session": uuid.UUID(session_id), "public_id": uuid.UUID(public_id)}
    except ValueError:
        return None
    found = _SIGNED_IN.first({**ids, "now": now})
    return found[0] if found else None


def active_client(*, key_id: str) -> ApiClient | None:
    """The client of a key that is in force, None for any other: for what runs beside the API in a client's name."""
    return ApiClient.objects.filter(key_id=key_id, is_active=True, user__is_active=True).first()
