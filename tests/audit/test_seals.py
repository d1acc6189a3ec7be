"""Sealing the trail, and what verify_audit finds when somebody with every right in the database has been at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.db.models import Max
from django.utils import timezone

from audit import queries, services, verification
from audit.models import AuditEvent, Seal
from audit.tasks import seal_trail
from identity.models import User
from tests.conftest import owner_rights
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.django_db(transaction=True)


def write(actor: User, *subjects: int) -> None:
    for subject in subjects:
        with transaction.atomic():
            services.record(
                actor=actor, action="test.done", subject_kind="thing", subject_id=subject, reason="Why", data={"n": 1.5}
            )


def seal() -> Seal | None:
    return services.seal_trail(now=timezone.now())


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions of tests that run beside this one in the same server do not hold the seals up."""

    def past_everything() -> int:
        newest = AuditEvent.objects.aggregate(newest=Max("xid"))["newest"]
        return int(newest or 0) + 1

    monkeypatch.setattr(queries, "horizon", past_everything)


@pytest.fixture
def trail(alice: User, alone: None) -> list[Seal]:
    """Three sealed blocks of three events, and one event that is not sealed yet."""
    made = []
    for block in range(3):
        write(alice, *range(block * 3, block * 3 + 3))
        found = seal()
        assert found is not None
        made.append(found)
    write(alice, 99)
    return made


def found() -> list[str]:
    counts = verification.Counts()
    return [str(one) for one in verification.verify(head_file=queries.head_file(), counts=counts)]


def tamper(*statements: str) -> None:
    """As the owner, past the triggers: what no role of the bank can do, and somebody on its server can."""
    with owner_rights() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_every_column_of_an_event_is_sealed() -> None:
    assert set(queries.SEALED_FIELDS) == {field.attname for field in AuditEvent._meta.concrete_fields}


def test_a_sealed_trail_verifies(trail: list[Seal], capsys: pytest.CaptureFixture[str]) -> None:
    assert [(one.number, one.count) for one in trail] == [(1, 3), (2, 3), (3, 3)]
    assert found() == []
    call_command("verify_audit")
    told = capsys.readouterr().out
    assert "9 events in 3 seals, 3 heads" in told
    assert "1 events are not sealed yet" in told
    assert "Every event is as it was sealed." in told


def test_nothing_new_makes_no_seal_and_each_head_is_told_once(trail: list[Seal]) -> None:
    seal_trail()
    assert seal() is None
    assert Seal.objects.count() == 4
    assert [head.number for head in queries.head_file()] == [1, 2, 3, 4]


def test_an_event_that_commits_late_is_sealed_late_and_not_lost(alice: User) -> None:
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                services.record(actor=None, action="test.slow", subject_kind="thing", subject_id=1)
                # An event travels with the next statement; from here on it is there.
                assert AuditEvent.objects.filter(action="test.slow").exists()
                written.set()
                go_on.wait(PATIENCE)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(PATIENCE)
    write(alice, 2)
    early = AuditEvent.objects.get(action="test.done")
    assert seal() is None, "an older transaction is still open, so nothing after it may be sealed"
    go_on.set()
    thread.join(PATIENCE)
    late = AuditEvent.objects.get(action="test.slow")
    assert late.pk < early.pk
    until(lambda: queries.horizon() > early.xid)
    sealed = seal()
    assert sealed is not None
    assert sealed.count == 2
    assert found() == []


EVENT = "(SELECT id FROM audit_auditevent WHERE subject_id = '4')"
COLUMNS = "at, action, subject_kind, subject_id, reason, data, request_id, channel, xid"
SLIPPED_IN = f"INSERT INTO audit_auditevent ({COLUMNS}) SELECT {COLUMNS} FROM audit_auditevent WHERE id = {EVENT}"
TAMPERINGS = {
    "one word changed": (f"UPDATE audit_auditevent SET reason = 'Other' WHERE id = {EVENT}", "Seal 2", "changed"),
    "another actor": (f"UPDATE audit_auditevent SET actor_id = NULL WHERE id = {EVENT}", "Seal 2", "changed"),
    "data changed": (f"UPDATE audit_auditevent SET data = '{{\"n\": 2}}' WHERE id = {EVENT}", "Seal 2", "changed"),
    "moved in time": (f"UPDATE audit_auditevent SET at = at - interval '1 us' WHERE id = {EVENT}", "Seal 2", "changed"),
    "a row deleted": (
        f"DELETE FROM audit_auditevent WHERE id = {EVENT}",
        "Seal 2",
        "3 events were sealed, 2 are there",
    ),
    "two rows swapped": (
        "UPDATE audit_auditevent SET subject_id = CASE subject_id WHEN '3' THEN '4' ELSE '3' END WHERE subject_id IN ('3', '4')",
        "Seal 2",
        "changed",
    ),
    "a row slipped in": (
        SLIPPED_IN,
        "Seal 2",
        "3 events were sealed, 4 are there",
    ),
    "a seal deleted": ("DELETE FROM audit_seal WHERE number = 2", "seal 2", "missing; the next one is seal 3"),
    "a seal changed": ("UPDATE audit_seal SET digest = repeat('a', 64) WHERE number = 2", "Seal 3", "changed"),
}


@pytest.mark.parametrize(("statement", "where", "what"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_verify_audit_finds(
    statement: str, where: str, what: str, trail: list[Seal], capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(statement)
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("verify_audit")
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(where) and what in line]


CUT = (
    "DELETE FROM audit_auditevent WHERE xid >= (SELECT from_xid FROM audit_seal WHERE number = 3)",
    "DELETE FROM audit_seal WHERE number = 3",
)


def test_the_head_file_shows_a_tail_that_was_cut_off(trail: list[Seal]) -> None:
    tamper(*CUT)
    assert found() == [
        f"head file audit.jsonl: seal 3 of {trail[2].sealed_at.isoformat()} is not in the database: it was cut off"
    ]


def test_nobody_seals_on_over_a_cut_tail(trail: list[Seal], alice: User) -> None:
    tamper(*CUT)
    write(alice, 100)
    with pytest.raises(services.TrailCut):
        seal()
    assert Seal.objects.count() == 2


def test_a_chain_that_was_written_anew_differs_from_its_heads(trail: list[Seal], tmp_path: Path) -> None:
    carried_away = tmp_path / "elsewhere.jsonl"
    carried_away.write_bytes(queries.head_file().path.read_bytes())
    tamper("DELETE FROM audit_seal", f"UPDATE audit_auditevent SET reason = 'Other' WHERE id = {EVENT}")
    queries.head_file().path.unlink()
    seal()
    assert found() == [], "the database alone cannot tell"
    with pytest.raises(CommandError):
        call_command("verify_audit", heads=carried_away)


def test_a_missing_head_file_is_told(trail: list[Seal]) -> None:
    queries.head_file().path.unlink()
    assert found() == ["head file audit.jsonl: missing or empty, so nothing would show a tail that was cut off"]
    with pytest.raises(CommandError, match="no head file"):
        call_command("verify_audit", heads=Path("no-such-file"))


def test_a_crash_between_seal_and_file_is_made_good(trail: list[Seal], monkeypatch: pytest.MonkeyPatch) -> None:
    exported = services._export_heads
    calls: list[int] = []

    def crash() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no space")
        exported()

    with monkeypatch.context() as patched:
        patched.setattr(services, "_export_heads", crash)
        with pytest.raises(OSError, match="no space"):
            seal()
    assert Seal.objects.count() == 4
    assert [head.number for head in queries.head_file()] == [1, 2, 3]
    seal()
    assert [head.number for head in queries.head_file()] == [1, 2, 3, 4]


def test_a_server_that_counts_from_below_says_so(trail: list[Seal]) -> None:
    tamper("UPDATE audit_seal SET to_xid = to_xid + 1000000 WHERE number = 3")
    with pytest.raises(services.TransactionIdsBehind):
        seal()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_seal SET count = 1", "DELETE FROM audit_seal", "TRUNCATE audit_seal"]
)
def test_seals_are_as_fixed_as_the_trail(statement: str, trail: list[Seal], as_owner: Callable[[], Any]) -> None:
    with pytest.raises(Error, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)
    with as_owner() as cursor, pytest.raises(Error, match="pgtrigger"), transaction.atomic():
        cursor.execute(statement)
    assert Seal.objects.count() == 3


def test_the_file_is_where_the_settings_say(trail: list[Seal]) -> None:
    assert queries.head_file().path == Path(settings.SEALS_ROOT) / "audit.jsonl"
