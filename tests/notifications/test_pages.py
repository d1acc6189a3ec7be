from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import Client
from django.utils import timezone

from identity.models import User
from notifications import services
from notifications.models import MailboxMessage, Message


@pytest.fixture
def message(alice: User) -> Message:
    with transaction.atomic():
        services.notify(user_id=alice.pk, kind="account_opened", data={"account": "•• 1234", "url": "/accounts/"})
    services.relay_due(now=timezone.now())
    return Message.objects.get(user=alice, kind="account_opened")


def test_shows_mine_and_nobody_elses(alice: User, charlie: User, login: Any, message: Message) -> None:
    assert message.title in login(alice).get("/notifications/").text
    assert message.title not in login(charlie).get("/notifications/").text
    assert Client().get("/notifications/").status_code == 302


def test_marks_one_and_all_as_read(alice: User, login: Any, message: Message) -> None:
    client = login(alice)
    assert client.get(f"/notifications/{message.pk}/read/").status_code == 405
    assert client.post(f"/notifications/{message.pk}/read/").status_code == 302
    message.refresh_from_db()
    assert message.read_at is not None
    Message.objects.update(read_at=None)
    assert "You have read everything." in client.post("/notifications/read/", HTTP_HX_REQUEST="true").text
    assert not Message.objects.filter(user=alice, read_at=None).exists()


def test_a_stranger_cannot_mark_mine(charlie: User, login: Any, message: Message) -> None:
    assert login(charlie).post(f"/notifications/{message.pk}/read/").status_code == 404
    message.refresh_from_db()
    assert message.read_at is None


def test_the_list_asks_the_database_little(
    alice: User, login: Any, message: Message, django_assert_max_num_queries: Any
) -> None:
    client = login(alice)
    client.get("/notifications/")
    with django_assert_max_num_queries(8):
        client.get("/notifications/")


@pytest.fixture
def mail(db: None) -> MailboxMessage:
    made = EmailMultiAlternatives("Hello", "Text with http://x.example/a", "a@b.example", ["c@d.example"])
    made.attach_alternative("<h1>Hello</h1><script>alert(1)</script>", "text/html")
    made.send()
    return MailboxMessage.objects.get()


def test_the_mailbox_shows_mail_in_a_sandbox(mail: MailboxMessage, settings: Any) -> None:
    settings.SANDBOX = True
    client = Client()
    assert "open to everybody" in client.get("/notifications/mailbox/").text
    assert "Hello" in client.get("/notifications/mailbox/?to=c@d.example").text
    assert "No mail" in client.get("/notifications/mailbox/?to=e@d.example").text
    page = client.get(f"/notifications/mailbox/{mail.pk}/")
    assert 'href="http://x.example/a"' in page.text
    html = client.get(f"/notifications/mailbox/{mail.pk}/html/")
    assert html.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_there_is_no_mailbox_outside_a_sandbox(mail: MailboxMessage, settings: Any) -> None:
    settings.SANDBOX = False
    for path in (
        "/notifications/mailbox/",
        f"/notifications/mailbox/{mail.pk}/",
        f"/notifications/mailbox/{mail.pk}/html/",
    ):
        assert Client().get(path).status_code == 404
