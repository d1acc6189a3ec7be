from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import timezone

from identity.models import User
from notifications import services
from notifications.models import MailboxMessage, Message, OutboxEvent
from notifications.rules import kinds
from tests.patience import PATIENCE


class Broken(BaseEmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("mail server down")


def tell(user: User, kind: str = "account_opened", **data: Any) -> OutboxEvent:
    with transaction.atomic():
        services.notify(user_id=user.pk, kind=kind, data={"account": "•• 1234", **data})
    return OutboxEvent.objects.latest("created_at")


def test_relays_to_app_and_mail_once_however_often_it_runs(alice: User) -> None:
    event = tell(alice, url="/accounts/")
    for _ in range(3):
        services.relay_due(now=timezone.now())
        OutboxEvent.objects.filter(pk=event.pk).update(relayed_at=None)
    message = Message.objects.get()
    assert (message.title, message.url) == ("Your account •• 1234 is open", "/accounts/")
    mail = MailboxMessage.objects.get()
    assert mail.recipient == alice.email
    assert "Your account" in mail.html


def test_what_needs_no_mail_gets_none(alice: User) -> None:
    tell(alice, "transfer_completed", amount="€5.00", payee="Bob")
    services.relay_due(now=timezone.now())
    assert Message.objects.get().title == "You sent €5.00 to Bob"
    assert MailboxMessage.objects.count() == 0


def test_a_mail_server_that_is_down_loses_nothing(alice: User, settings: Any) -> None:
    working, now = settings.EMAIL_BACKEND, timezone.now()
    event = tell(alice)
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    services.relay_due(now=timezone.now())
    event.refresh_from_db()
    assert (event.relayed_at, event.attempts) == (None, 1)
    assert event.next_attempt_at > now
    settings.EMAIL_BACKEND = working
    services.relay_due(now=timezone.now() + timedelta(minutes=1))
    event.refresh_from_db()
    assert event.relayed_at is not None
    assert (Message.objects.count(), MailboxMessage.objects.count()) == (1, 1)


def test_a_bad_event_holds_up_no_other(alice: User) -> None:
    bad, good = tell(alice, "no_such_kind"), tell(alice)
    services.relay_due(now=timezone.now())
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.relayed_at, bad.attempts) == (None, 1)
    assert good.relayed_at is not None


def test_a_crash_between_mail_and_mark_sends_again_and_shows_once(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    event = tell(alice)
    sent: list[str] = []
    real = services._send

    def send_and_crash(event: OutboxEvent, message: Message) -> None:
        sent.append(str(event.pk))
        if len(sent) == 1:
            raise RuntimeError("killed")
        real(event, message)

    monkeypatch.setattr(services, "_send", send_and_crash)
    services.relay_due(now=timezone.now())
    services.relay_due(now=timezone.now() + timedelta(minutes=1))
    event.refresh_from_db()
    assert event.relayed_at is not None
    assert (len(sent), Message.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_event(alice: User) -> None:
    import threading

    event = tell(alice)
    outcome: list[bool] = []

    def second() -> None:
        outcome.append(services.relay(event_id=event.pk, now=timezone.now()))
        connection.close()

    with transaction.atomic():
        OutboxEvent.objects.select_for_update().get(pk=event.pk)
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(PATIENCE)
    assert outcome == [False]
    assert services.relay(event_id=event.pk, now=timezone.now())


def test_a_changed_address_is_told_at_both(alice: User) -> None:
    tell(alice, "email_changed", before="old@example.com", after=alice.email)
    services.relay_due(now=timezone.now())
    recipients = set(MailboxMessage.objects.values_list("recipient", flat=True))
    assert recipients == {alice.email, "old@example.com"}


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_every_kind_reads_well_even_without_data(kind: str) -> None:
    title, body, url = kinds.write(kind, {})
    assert title
    assert "{" not in title + body
    assert url == "" or url.startswith("/")


def test_links_lead_to_our_own_pages_only() -> None:
    assert kinds.write("account_opened", {"url": "https://evil.example/"})[2] == ""
    assert kinds.write("account_opened", {"url": "//evil.example/"})[2] == ""
