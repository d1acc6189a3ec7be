"""The transaction PIN: set, changed, and checked in a transaction of its own.

What keeps a PIN is that it locks after five tries, and that its digest is keyed with what is not in the database. Against
somebody who has both, no hash helps: a PIN has a million values at most, and Argon2 as passwords have it (0.2 s of
processor) would be through a four-digit one within the hour. It would only slow down every payment.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils.crypto import constant_time_compare, salted_hmac

from common.db import lock_advisory_first, use_case
from common.errors import DomainError
from common.rows import Rows
from identity import events
from identity.errors import PinLocked, PinNotSet, WeakPin, WrongPassword, WrongPin
from identity.models import TransactionPin, User
from identity.rules import pins

# "pin", apart from everybody else's locks.
_LOCKS = 0x70696E


# How a stored digest begins: what follows is its salt and the digest.
_KEYED = "hmac_sha256"


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

    Raises PinNotSet, PinLocked, or WrongPin (field pin, data attempts_left).
    """
    check = PinCheck(actor=actor, pin=pin, now=now)
    with use_case():
        check.lock()
        refusal = check.refusal(check.question.first(check.parameters))
    if refusal is not None:
        raise refusal


class PinCheck:
    """One try of a PIN for whoever holds the transaction: `lock` it, ask the `question`, then hear the `refusal` if any.

    Tries of one actor queue up until their transactions end: of any number in parallel at most five are looked at. After
    a refusal nothing else may be done in the transaction, and it has to be committed: the try counts. A right PIN seldom
    writes anything (it forgets the wrong tries before it, with the transaction), so it does not wait for the disk either.
    """

    question = Rows("SELECT {pin} FROM identity_transactionpin pin WHERE pin.user_id = %(user)s", pin=TransactionPin)

    def __init__(self, *, actor: User, pin: str, now: datetime) -> None:
        self._actor, self._pin, self._now = actor, pin, now
        self.parameters = {"user": actor.pk}

    def lock(self) -> None:
        """Take the actor's turn before the transaction's next statement looks at anything."""
        lock_advisory_first(namespace=_LOCKS, key=self._actor.pk)

    def refusal(self, row: tuple[Any, ...] | None) -> DomainError | None:
        """What is wrong with the PIN by the row that answered the question: PinNotSet, PinLocked or WrongPin."""
        if row is None:
            return PinNotSet()
        stored: TransactionPin = row[0]
        if stored.locked_at is not None:
            return PinLocked(field="pin")
        key = _key_of(self._actor, self._pin, stored.hashed)
        if key is None:
            return self._failed(stored)
        # Kept as it would be now: in this way, and with the present key.
        is_current = stored.hashed.startswith(_KEYED) and key == settings.SECRET_KEY
        if stored.failed_count or not is_current:
            stored.failed_count, stored.hashed = 0, _hash(self._actor, self._pin)
            stored.save(update_fields=["failed_count", "hashed"])
        return None

    def _failed(self, stored: TransactionPin) -> DomainError:
        # Staff may be unlocking it at this moment.
        stored = TransactionPin.objects.select_for_update().get(pk=stored.pk)
        stored.failed_count += 1
        left = pins.MAX_TRIES - stored.failed_count
        if left <= 0:
            stored.locked_at = self._now
        stored.save(update_fields=["failed_count", "locked_at"])
        data = {"attempts_left": left}
        events.about(self._actor, "identity.pin_locked" if left == 0 else "identity.pin_failed", data=data)
        if left == 0:
            return PinLocked(field="pin")
        tries = "try" if left == 1 else "tries"
        return WrongPin(f"That PIN is not right. You have {left} {tries} left.", field="pin", data=data)


def _hash(actor: User, pin: str) -> str:
    return _keyed(actor, pin, secrets.token_hex(16), settings.SECRET_KEY)


def _key_of(actor: User, pin: str, hashed: str) -> str | None:
    """The key with which the PIN is right, the present one or a former one."""
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return next((key for key in keys if _matches(actor, pin, hashed, key)), None)


def _matches(actor: User, pin: str, hashed: str, key: str) -> bool:
    method, _, rest = hashed.partition("$")
    if method == _KEYED:
        return constant_time_compare(hashed, _keyed(actor, pin, rest.partition("$")[0], key))
    # As PINs were kept before: hashed anew when they are next right.
    return Argon2PasswordHasher().verify(_bound(actor, pin, key), hashed)


def _keyed(actor: User, pin: str, salt: str, key: str) -> str:
    return f"{_KEYED}${salt}${_bound(actor, f'{salt}:{pin}', key)}"


def _bound(actor: User, text: str, key: str) -> str:
    """A digest that only this installation can make, and that is another for each user."""
    return salted_hmac("identity.pin", f"{actor.pk}:{text}", secret=key, algorithm="sha256").hexdigest()
