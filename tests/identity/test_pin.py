from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection

from identity import queries, services
from identity.models import TransactionPin, User
from tests.conftest import PASSWORD
from tests.patience import PATIENCE

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("pin", ["0000", "1234", "4321", "7890", "1212", "123123", "121212", "111111", "098765"])
def test_refuses_a_trivial_pin(alice: User, pin: str) -> None:
    with pytest.raises(services.WeakPin):
        services.set_pin(actor=alice, pin=pin, now=NOW)


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "", "\u0661\u0662\u0663\u0665"])
def test_refuses_what_is_not_four_to_six_digits(alice: User, pin: str) -> None:
    with pytest.raises(services.WeakPin):
        services.set_pin(actor=alice, pin=pin, now=NOW)


def test_accepts_the_right_pin_and_keeps_only_a_hash(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    services.verify_pin(actor=alice, pin="8305", now=NOW)
    assert queries.has_pin(alice)
    assert "8305" not in TransactionPin.objects.get(user=alice).hashed


def test_hashes_anew_what_was_hashed_as_before(alice: User, settings: Any) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    hasher = Argon2PasswordHasher()
    hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 1024, 1
    before = hasher.encode(services.pin._bound(alice, "8305", settings.SECRET_KEY), hasher.salt())
    TransactionPin.objects.filter(user=alice).update(hashed=before, failed_count=1)

    with pytest.raises(services.WrongPin):
        services.verify_pin(actor=alice, pin="8306", now=NOW)
    assert TransactionPin.objects.get(user=alice).hashed == before

    services.verify_pin(actor=alice, pin="8305", now=NOW)
    after = TransactionPin.objects.get(user=alice)
    assert (after.hashed.partition("$")[0], after.failed_count) == ("hmac_sha256", 0)
    services.verify_pin(actor=alice, pin="8305", now=NOW)


def test_hashes_anew_what_was_hashed_with_a_former_key(alice: User, settings: Any) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    before = TransactionPin.objects.get(user=alice).hashed
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key " * 5
    with pytest.raises(services.WrongPin):
        services.verify_pin(actor=alice, pin="8306", now=NOW)
    services.verify_pin(actor=alice, pin="8305", now=NOW)
    assert TransactionPin.objects.get(user=alice).hashed != before
    settings.SECRET_KEY_FALLBACKS = []
    services.verify_pin(actor=alice, pin="8305", now=NOW)


def test_a_digest_says_nothing_without_the_key(alice: User, settings: Any) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    settings.SECRET_KEY = "another key " * 5
    with pytest.raises(services.WrongPin):
        services.verify_pin(actor=alice, pin="8305", now=NOW)


def test_the_same_pin_is_kept_differently_each_time(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    before = TransactionPin.objects.get(user=alice).hashed
    services.set_pin(actor=alice, pin="8305", now=NOW)
    assert TransactionPin.objects.get(user=alice).hashed != before


def test_says_when_no_pin_is_set(alice: User) -> None:
    assert not queries.has_pin(alice)
    with pytest.raises(services.PinNotSet):
        services.verify_pin(actor=alice, pin="8305", now=NOW)


def test_counts_wrong_tries_and_forgets_them_after_a_right_one(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    for left in (4, 3):
        with pytest.raises(services.WrongPin) as caught:
            services.verify_pin(actor=alice, pin="8306", now=NOW)
        assert caught.value.data == {"attempts_left": left}
    services.verify_pin(actor=alice, pin="8305", now=NOW)
    assert TransactionPin.objects.get(user=alice).failed_count == 0


def test_five_wrong_tries_lock_and_the_right_pin_no_longer_helps(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    for _ in range(4):
        with pytest.raises(services.WrongPin):
            services.verify_pin(actor=alice, pin="8306", now=NOW)
    with pytest.raises(services.PinLocked):
        services.verify_pin(actor=alice, pin="8306", now=NOW)
    with pytest.raises(services.PinLocked):
        services.verify_pin(actor=alice, pin="8305", now=NOW)
    assert queries.pin_state(alice).is_locked


def test_setting_a_new_pin_with_the_password_unlocks(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    TransactionPin.objects.filter(user=alice).update(failed_count=5, locked_at=NOW)
    with pytest.raises(services.WrongPassword):
        services.change_pin(actor=alice, password="something else", pin="2903", now=NOW)
    services.change_pin(actor=alice, password=PASSWORD, pin="2903", now=NOW)
    services.verify_pin(actor=alice, pin="2903", now=NOW)


def test_the_pin_of_one_person_is_not_the_pin_of_another(alice: User, bob: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    services.set_pin(actor=bob, pin="2903", now=NOW)
    with pytest.raises(services.WrongPin):
        services.verify_pin(actor=bob, pin="8305", now=NOW)


def _hammer(user: User, tries: int) -> list[str]:
    """`tries` wrong PINs at the same moment; the names of what came back."""
    start, outcomes = threading.Barrier(tries), []

    def attempt() -> None:
        try:
            start.wait(PATIENCE)
            services.verify_pin(actor=user, pin="8306", now=NOW)
            outcomes.append("accepted")
        except services.WrongPin:
            outcomes.append("evaluated")
        except services.PinLocked:
            outcomes.append("locked")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(tries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return outcomes


@pytest.mark.django_db(transaction=True)
def test_twenty_parallel_tries_evaluate_at_most_five(alice: User) -> None:
    services.set_pin(actor=alice, pin="8305", now=NOW)
    outcomes = _hammer(alice, 20)
    # The fifth wrong try locks and says so: four told "wrong", sixteen told "locked".
    assert sorted(outcomes) == ["evaluated"] * 4 + ["locked"] * 16
    assert TransactionPin.objects.get(user=alice).failed_count == 5


@pytest.mark.django_db(transaction=True)
def test_without_the_locks_more_than_five_are_evaluated(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the race is real when the lock is taken away."""
    services.set_pin(actor=alice, pin="8305", now=NOW)
    read = threading.Barrier(20)
    find = services.pin._key_of

    def slow(actor: User, pin: str, hashed: str) -> str | None:
        read.wait(PATIENCE)
        return find(actor, pin, hashed)

    monkeypatch.setattr(services.pin, "_key_of", slow)
    monkeypatch.setattr(services.pin, "lock_advisory_first", lambda **names: None)
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda self, **options: self)
    assert _hammer(alice, 20).count("evaluated") > 5
