"""The transaction PIN: set, changed, and checked in a transaction of its own.

What keeps a PIN is that it locks after five tries, and that its digest is keyed with what is not in the database. Against
somebody who has both, no hash helps: a PIN has a million values at most, and Argon2 as passwords have it (0.2 s of
processor) would be through a four-digit one within the hour. It would only slow down every payment.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.crypto import constant_time_compare, salted_hmac

from common.db import lock_advisory_first, use_case
from common.rows import Rows
from identity import events
from identity.errors import PinLocked, PinNotSet, WeakPin, WrongPassword, WrongPin
from identity.models import TransactionPin, User
from identity.rules import pins

# "pin", apart from everybody else's locks.
_LOCKS = 0x70696E


# How a stored digest begins: what follows is its salt and the digest.
_KEYED = "hmac_sha256"
_PIN = Rows("SELECT {pin} FROM identity_transactionpin pin WHERE pin.user_id = %(user)s", pin=TransactionPin)


def set_pin(*, actor: User, pin: str, now: datetime) -> None:
    """Set the actor's transaction PIN, which also unlocks it. Raises WeakPin (field pin)."""
    if not pins.is_well_formed(pin) or pins.is_trivial(pin):
        raise WeakPin(field="pin")
    with use_case():
        TransactionPin.objects.update_or_create(
            user=actor, defaults={"hashed": _hash(actor, pin), "failed_count": 0, "locked_at": None, "set_at": now}
        )
        events.about(actor, "identity.pin_set")


def change_pin(*, actor: User, password: str, pin: str, now: datetime) -> None:
    """Set the PIN of an actor who repeats the password. Raises WrongPassword (field password), WeakPin (field pin)."""
    if not actor.check_password(password):
        with use_case():
            events.about(actor, "identity.pin_change_refused", data={"why": "wrong_password"})
        raise WrongPassword(field="password")
    set_pin(actor=actor, pin=pin, now=now)


def verify_pin(*, actor: User, pin: str, now: datetime) -> None:
    """Check the actor's PIN in a transaction of its own, so that a failed try is kept whatever the caller does next.

    Tries of one actor queue up: of any number in parallel at most five are looked at. A right one writes nothing, so it
    does not wait for the disk either.
    Raises PinNotSet, PinLocked, or WrongPin (field pin, data attempts_left).
    """
    with use_case():
        left = _try_pin(actor, pin, now)
    if left == 0:
        raise PinLocked(field="pin")
    if left is not None:
        tries = "try" if left == 1 else "tries"
        raise WrongPin(
            f"That PIN is not right. You have {left} {tries} left.", field="pin", data={"attempts_left": left}
        )


def _try_pin(actor: User, pin: str, now: datetime) -> int | None:
    """None when the PIN is right, else how many tries are left."""
    lock_advisory_first(namespace=_LOCKS, key=actor.pk)
    found = _PIN.first({"user": actor.pk})
    if found is None:
        raise PinNotSet
    stored: TransactionPin = found[0]
    if stored.locked_at is not None:
        return 0
    if _pin_matches(actor, pin, stored.hashed):
        if stored.failed_count or not _is_current(actor, pin, stored.hashed):
            stored.failed_count, stored.hashed = 0, _hash(actor, pin)
            stored.save(update_fields=["failed_count", "hashed"])
        return None
    # Staff may be unlocking it at this moment.
    stored = TransactionPin.objects.select_for_update().get(pk=stored.pk)
    stored.failed_count += 1
    if stored.failed_count >= pins.MAX_TRIES:
        stored.locked_at = now
    stored.save(update_fields=["failed_count", "locked_at"])
    left = pins.MAX_TRIES - stored.failed_count
    events.about(actor, "identity.pin_locked" if left == 0 else "identity.pin_failed", data={"attempts_left": left})
    return left


def _hash(actor: User, pin: str) -> str:
    return _keyed(actor, pin, secrets.token_hex(16), settings.SECRET_KEY)


def _pin_matches(actor: User, pin: str, hashed: str) -> bool:
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return any(_matches(actor, pin, hashed, key) for key in keys)


def _matches(actor: User, pin: str, hashed: str, key: str) -> bool:
    method, _, rest = hashed.partition("$")
    if method == _KEYED:
        return constant_time_compare(hashed, _keyed(actor, pin, rest.partition("$")[0], key))
    # As PINs were kept before: hashed anew when they are next right.
    return Argon2PasswordHasher().verify(_bound(actor, pin, key), hashed)


def _is_current(actor: User, pin: str, hashed: str) -> bool:
    """Whether a right PIN is kept as it would be now: in this way, and with the present key."""
    return hashed.startswith(_KEYED) and _matches(actor, pin, hashed, settings.SECRET_KEY)


def _keyed(actor: User, pin: str, salt: str, key: str) -> str:
    return f"{_KEYED}${salt}${_bound(actor, f'{salt}:{pin}', key)}"


def _bound(actor: User, text: str, key: str) -> str:
    """A digest that only this installation can make, and that is another for each user."""
    return salted_hmac("identity.pin", f"{actor.pk}:{text}", secret=key, algorithm="sha256").hexdigest()
