"""What is kept how long, with the clock moved: what is due goes, the rest stays, and the books are what they were (V14.2.7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from axes.models import AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from audit.models import AuditEvent
from bankportal import retention
from common.db import use_case
from identity import services as identity
from identity.models import ApiSession, User
from kyc import services as kyc
from kyc.models import Application, Document
from ledger.models import Entry, Posting
from notifications import services as notifications
from notifications.models import MailboxMessage, Message, OutboxEvent
from tests.accounts.factories import open_test_account
from tests.kyc.conftest import in_process  # noqa: F401 (a fixture)
from tests.kyc.helpers import draft, pending, upload

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_all_whose_time_is_over_goes_and_the_books_stay(alice: User) -> None:
    open_test_account(alice, "CUR-EUR", "1000.00")
    before = books()
    assert retention.run(now=timezone.now() + 4000 * DAY)
    assert books() == before
    assert before["entries"] > 0


def test_sessions_and_log_ins(alice: User) -> None:
    now = timezone.now()
    for age in range(2):
        ApiSession.objects.create(user=alice, created_at=now - age * DAY, expires_at=now)
    UserSession.objects.create(user=alice, ip="203.0.113.5", session_key="k" * 32, last_seen_at=now)
    for kind in (AccessLog, AccessLog, AccessFailureLog):
        kind.objects.create(username=alice.email, ip_address="203.0.113.5", user_agent="x")

    def left() -> list[bool]:
        return [
            Session.objects.filter(expire_date__gt=now).exists(),
            UserSession.objects.filter(user=alice).exists(),
            AccessFailureLog.objects.filter(username=alice.email).exists(),
            AccessLog.objects.filter(username=alice.email).count() == 2,
            ApiSession.objects.filter(user=alice).count() == 2,
        ]

    Session.objects.create(session_key="s" * 32, session_data="", expire_date=now + timedelta(hours=12))
    assert left() == [True] * 5
    identity.purge_sign_ins(now=now + DAY)
    assert left() == [False, False, True, True, True]
    identity.purge_sign_ins(now=now + 91 * DAY)
    assert left() == [False, False, False, True, True]
    identity.purge_sign_ins(now=now + 401 * DAY)
    assert left() == [False] * 5
    assert AccessLog.objects.filter(username=alice.email).count() == 1, "the latest tells a new device from the first"


def test_messages_go_after_two_years_and_kept_mail_after_a_month(alice: User) -> None:
    now = timezone.now()
    with use_case():
        notifications.notify(user_id=alice.pk, kind="kyc_approved", data={"url": "/kyc/"})
    waiting = OutboxEvent.objects.get(user=alice)
    notifications.relay(event_id=waiting.pk, now=now)
    MailboxMessage.objects.create(recipient=alice.email, subject="Your code", text="123456", sent_at=now)
    assert notifications.purge_mailbox(now=now + 30 * DAY) == 0
    assert notifications.purge_mailbox(now=now + 31 * DAY) == 1
    assert notifications.purge_messages(now=now + 730 * DAY) == 0
    assert notifications.purge_messages(now=now + 731 * DAY) == 1
    assert not Message.objects.filter(user=alice).exists()


def test_what_nobody_was_told_yet_is_never_dropped(alice: User) -> None:
    with use_case():
        notifications.notify(user_id=alice.pk, kind="kyc_approved", data={"url": "/kyc/"})
    assert notifications.purge_messages(now=timezone.now() + 4000 * DAY) == 0


@pytest.mark.usefixtures("in_process")
def test_papers_that_were_never_sent_go_with_their_draft(alice: User) -> None:
    application = draft(alice)
    name = upload(alice, application).stored_id
    end = application.expires_at
    assert end is not None
    kyc.expire_applications(now=end)
    assert kyc.purge_applications(now=end + 30 * DAY) == 0
    assert kyc.purge_applications(now=end + 31 * DAY) == 1
    assert not Application.objects.filter(pk=application.pk).exists()
    kyc.sweep_files(now=end + 31 * DAY)
    assert not default_storage.exists(name)
    event = AuditEvent.objects.get(action="kyc.purged")
    assert (event.subject_id, event.data) == (str(application.pk), {"documents": 1, "whole": True})


@pytest.mark.usefixtures("in_process")
def test_papers_of_the_declined_go_after_five_years_and_the_decision_stays(
    alice: User, bob: User, officer: User
) -> None:
    now = timezone.now()
    declined, customer = pending(alice), pending(bob)
    kyc.reject(actor=officer, application_id=declined.pk, kind="FINAL", public_reason="Forged", now=now)
    kyc.approve(actor=officer, application_id=customer.pk, now=now)
    kyc.expire_applications(now=now + 1000 * DAY)
    assert kyc.purge_applications(now=now + 5 * 365 * DAY) == 0
    assert kyc.purge_applications(now=now + (5 * 365 + 3) * DAY) == 1
    assert kyc.purge_applications(now=now + (5 * 365 + 3) * DAY) == 0
    assert not Document.objects.filter(application=declined).exists()
    assert Document.objects.filter(application=customer).count() == 3
    with pytest.raises(kyc.FinallyRejected):
        kyc.start_or_resume(actor=alice, now=now + 4000 * DAY)


def test_one_kind_that_fails_holds_up_no_other_and_the_command_says_so(
    alice: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*, now: datetime) -> int:
        raise OSError("no room")

    monkeypatch.setattr(retention, "KEPT", (retention.Kept("Broken things", "a day", fail), *retention.KEPT[1:]))
    MailboxMessage.objects.create(recipient=alice.email, subject="Old", text="x", sent_at=timezone.now() - 31 * DAY)
    with pytest.raises(CommandError, match="Not everything"):
        call_command("retention")
    assert "1 deleted  Mail that was kept instead of sent (kept 30 days)" in capsys.readouterr().out
    assert not MailboxMessage.objects.filter(recipient=alice.email).exists()


def books() -> dict[str, Any]:
    return {
        "entries": Entry.objects.count(),
        "moved": Posting.objects.filter(amount__gt=0).aggregate(sum=Sum("amount"))["sum"],
        "trail": AuditEvent.objects.count(),
    }
