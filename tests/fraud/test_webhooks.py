"""Gateways are told what people decided: signed, again until it was taken, and never inside a private network."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from common.errors import Forbidden, Invalid, NotFound
from fraud import services as fraud
from fraud.models import GatewayTransaction, Webhook, WebhookDelivery
from fraud.rules.webhooks import GIVEN_UP_AFTER, address_of, is_open
from fraud.services.webhooks import LEASE
from identity.permissions import Role
from tests.conftest import make_user
from tests.fraud.callers import Gateway, make_gateway, suspicious
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
Login = Callable[[Any], Client]


class Shop:
    """A gateway's own server on this machine: `answer` is the status that it gives, `heard` what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answer, self.location = 204, ""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.heard.append((dict(self.headers), body))
                self.send_response(shop.answer)
                if shop.location:
                    self.send_header("Location", shop.location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/decisions?shop=1"
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shop(settings: Any, monkeypatch: Any) -> Iterator[Shop]:
    settings.SANDBOX = True
    monkeypatch.setattr("fraud.services.calling.STEP_SECONDS", PATIENCE)
    monkeypatch.setattr("fraud.services.calling.CALL_SECONDS", PATIENCE)
    made = Shop()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def administrator(db: None) -> Any:
    return make_user("webhooks.admin@bank.example", Role.ADMINISTRATOR, name="Adam Admin")


def decided(gateway: Gateway, deed: str = "approve") -> dict[str, Any]:
    """A transaction that waited and was decided through the API."""
    verdict = gateway.post("analyze", suspicious()).json()
    answer = gateway.post(f"transactions/{verdict['id']}/{deed}", {"reason": "Telephoned."})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def point(gateway: Gateway, administrator: Any, url: str, now: datetime = START) -> Any:
    return fraud.set_webhook(
        actor=administrator, client_id=gateway.client.pk, url=url, reason="Asked by the shop", now=now
    )


def test_a_decision_reaches_the_gateway_signed_and_once(shop: Shop, administrator: Any) -> None:
    gateway = make_gateway()
    made = point(gateway, administrator, shop.url)
    told = {deed: decided(gateway, deed) for deed in ("approve", "reject")}
    later = START + timedelta(days=400)
    assert fraud.deliver_due(now=later) == 2
    assert fraud.deliver_due(now=later) == 0
    bodies = [json.loads(body) for _, body in shop.heard]
    assert {each["transaction"]["id"]: each["transaction"]["status"] for each in bodies} == {
        told["approve"]["id"]: "APPROVED",
        told["reject"]["id"]: "REJECTED",
    }
    references = {told[deed]["transaction_id"] for deed in told}
    assert {each["transaction"]["transaction_id"] for each in bodies} == references
    for headers, body in shop.heard:
        at, given = (part.partition("=")[2] for part in headers["Bankportal-Signature"].split(","))
        wanted = hmac.new(made.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(given, wanted)
        assert 0 <= int(at) - int(later.timestamp()) < 60
        assert headers["Bankportal-Event"] == json.loads(body)["id"]
    assert {delivery.last_status for delivery in WebhookDelivery.objects.all()} == {204}


def test_what_is_not_taken_comes_again_ever_more_slowly_and_ends_after_three_days(
    shop: Shop, administrator: Any
) -> None:
    gateway = make_gateway()
    point(gateway, administrator, shop.url)
    decided(gateway)
    delivery = WebhookDelivery.objects.get()
    shop.answer = 503
    now, waits = delivery.created_at, []
    for _ in range(3):
        assert fraud.deliver_due(now=now) == 1
        delivery.refresh_from_db()
        waits.append((delivery.next_attempt_at - delivery.last_attempt_at).total_seconds())
        assert (delivery.last_status, delivery.last_error) == (503, "It answered 503.")
        assert fraud.deliver_due(now=now) == 0
        now = delivery.next_attempt_at
    assert waits == [20, 40, 80]
    assert fraud.deliver_due(now=delivery.created_at + GIVEN_UP_AFTER) == 1
    delivery.refresh_from_db()
    assert delivery.given_up_at is not None
    shop.answer = 204
    assert fraud.deliver_due(now=now + timedelta(days=30)) == 0


def test_one_address_that_fails_holds_up_no_other(shop: Shop, administrator: Any) -> None:
    broken, sound = make_gateway(), make_gateway()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        point(broken, administrator, f"http://127.0.0.1:{closed.getsockname()[1]}/")
        point(sound, administrator, shop.url)
        for gateway in (broken, broken, sound):
            decided(gateway)
        now = WebhookDelivery.objects.latest("created_at").created_at
        assert fraud.deliver_due(now=now) == 2
    assert len(shop.heard) == 1
    errors = WebhookDelivery.objects.filter(webhook__client=broken.client, attempts=1)
    assert [each.last_error for each in errors] == ["The connection failed."]


def test_a_worker_that_died_is_followed_by_another(shop: Shop, administrator: Any, monkeypatch: Any) -> None:
    gateway = make_gateway()
    point(gateway, administrator, shop.url)
    decided(gateway)
    now = WebhookDelivery.objects.get().created_at

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("fraud.services.webhooks.post", die)
        with pytest.raises(SystemExit):
            fraud.deliver_due(now=now)
    assert fraud.deliver_due(now=now) == 0
    # A run's clock goes on while it works: the lease began a moment after `now`.
    assert fraud.deliver_due(now=now + 2 * LEASE) == 1
    assert len(shop.heard) == 1


def test_another_address_gets_what_the_old_one_never_took(shop: Shop, administrator: Any) -> None:
    gateway = make_gateway()
    first = point(gateway, administrator, "https://old.example/")
    decided(gateway)
    fraud.end_webhook(actor=administrator, webhook_id=first.webhook.pk, reason="Moved", now=START)
    later = START + timedelta(days=400)
    assert fraud.deliver_due(now=later) == 0
    second = point(gateway, administrator, shop.url, now=later)
    assert second.secret != first.secret
    assert fraud.deliver_due(now=later) == 1
    assert Webhook.objects.filter(client=gateway.client, ended_at=None).get() == second.webhook
    actions = AuditEvent.objects.filter(subject_kind="api_client", subject_id=str(gateway.client.pk))
    assert list(actions.filter(action__startswith="fraud.").order_by("pk").values_list("action", flat=True)) == [
        "fraud.webhook_set",
        "fraud.webhook_ended",
        "fraud.webhook_set",
    ]


def test_a_revoked_key_is_told_nothing_and_one_without_an_address_neither(shop: Shop, administrator: Any) -> None:
    silent, revoked = make_gateway(), make_gateway()
    decided(silent)
    assert not WebhookDelivery.objects.exists()
    point(revoked, administrator, shop.url)
    decided(revoked)
    revoked.client.is_active = False
    revoked.client.save()
    assert fraud.deliver_due(now=START + timedelta(days=400)) == 0
    with pytest.raises(Invalid, match="keys in use"):
        point(revoked, administrator, shop.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3/",
        "https://192.168.1.1:8443/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0/",
        "https://localhost/",
        "https://localhost./",
        "https://intranet/",
        "https://me:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://shop.example/\r\nHost: x",
        "https://shöp.example/",
        "https://",
        "shop.example",
        "",
        "https://shop.example/" + "a" * 300,
    ],
)
def test_an_address_that_is_never_called_is_refused(url: str, administrator: Any, settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(Invalid) as refused:
        point(make_gateway(), administrator, url)
    assert refused.value.field == "url"


def test_a_sandbox_opens_its_own_machine_and_nothing_else() -> None:
    assert address_of("http://localhost:8000/x?y=1", sandbox=True).path == "/x?y=1"
    for url in ("http://shop.example/", "https://10.0.0.1/", "https://127.0.0.2/", "https://2130706433/"):
        with pytest.raises(Invalid):
            address_of(url, sandbox=True)
    assert is_open("1.1.1.1")
    assert is_open("2606:4700::1111")
    for inside in ("0.0.0.0", "100.64.0.1", "224.0.0.1", "fe80::1%eth0", "fd00::1", "2002:7f00:1::", "::", "nonsense"):
        assert not is_open(inside)


def test_a_name_that_means_this_machine_is_not_called(shop: Shop, administrator: Any, monkeypatch: Any) -> None:
    gateway = make_gateway()
    port = shop.server.server_port
    point(gateway, administrator, f"https://rebound.example:{port}/")
    decided(gateway)
    real = socket.getaddrinfo

    def rebound(host: Any, *given: Any, **named: Any) -> Any:
        asked = host == "rebound.example" and not named.get("flags")
        return real("127.0.0.1" if asked else host, *given, **named)

    connections: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setattr(socket, "create_connection", lambda *given, **_: connections.append(given))
    assert fraud.deliver_due(now=START + timedelta(days=400)) == 1
    assert WebhookDelivery.objects.get().last_error == "The name leads into a private network."
    assert (connections, shop.heard) == ([], [])


def test_what_a_sandbox_allowed_is_not_called_outside_one(shop: Shop, administrator: Any, settings: Any) -> None:
    gateway = make_gateway()
    point(gateway, administrator, shop.url)
    decided(gateway)
    settings.SANDBOX = False
    assert fraud.deliver_due(now=START + timedelta(days=400)) == 1
    assert WebhookDelivery.objects.get().last_error == "The address has to begin with https://."
    assert shop.heard == []


def test_redirects_are_not_followed(shop: Shop, administrator: Any) -> None:
    gateway = make_gateway()
    point(gateway, administrator, shop.url)
    decided(gateway)
    shop.answer, shop.location = 302, shop.url.replace("/decisions", "/inside")
    fraud.deliver_due(now=START + timedelta(days=400))
    assert [headers["Host"] for headers, _ in shop.heard] == [f"127.0.0.1:{shop.server.server_port}"]
    delivery = WebhookDelivery.objects.get()
    assert (delivery.last_status, delivery.last_error) == (302, "Redirects are not followed.")


def test_an_answer_that_trickles_in_is_cut_off(administrator: Any, settings: Any, monkeypatch: Any) -> None:
    settings.SANDBOX = True
    monkeypatch.setattr("fraud.services.calling.STEP_SECONDS", PATIENCE)
    monkeypatch.setattr("fraud.services.calling.CALL_SECONDS", 0.3)
    gateway = make_gateway()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        point(gateway, administrator, f"http://127.0.0.1:{listening.getsockname()[1]}/")
        decided(gateway)
        # Nobody takes the connection: the call would wait for all the time that a step may take.
        assert fraud.deliver_due(now=START + timedelta(days=400)) == 1
    delivery = WebhookDelivery.objects.get()
    assert delivery.last_error == "The connection failed."
    assert delivery.last_took_ms is not None
    assert delivery.last_took_ms < PATIENCE * 1000 / 2


def test_only_who_makes_keys_sets_addresses_and_nothing_told_is_rewritten(shop: Shop, officer: Any) -> None:
    gateway = make_gateway()
    administrator = make_user("another.admin@bank.example", Role.ADMINISTRATOR)
    with pytest.raises(Forbidden):
        point(gateway, officer, shop.url)
    webhook = point(gateway, administrator, shop.url).webhook
    decided(gateway)
    for rewrite in (
        lambda: Webhook.objects.filter(pk=webhook.pk).update(url="https://thief.example/"),
        lambda: WebhookDelivery.objects.update(body="{}"),
        lambda: WebhookDelivery.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            rewrite()


def test_the_back_office_sets_shows_and_ends_an_address(shop: Shop, login: Login, administrator: Any) -> None:
    gateway = make_gateway()
    browser = login(administrator)
    new = reverse("admin:fraud_webhook_new")
    given = {"client": str(gateway.client.pk), "url": shop.url, "reason": "Asked by the shop"}
    refused = browser.post(new, {**given, "url": "https://10.0.0.1/"})
    assert refused.status_code == 422
    assert "private network" in refused.content.decode()
    assert browser.post(new, {**given, "client": str(uuid4())}).status_code == 422
    done = browser.post(new, given, follow=True)
    webhook = Webhook.objects.get()
    assert fraud.secret_of(webhook) in done.content.decode()
    decided(gateway)
    shop.answer = 500
    fraud.deliver_due(now=WebhookDelivery.objects.get().created_at)
    page = reverse("admin:fraud_webhook_change", args=[webhook.pk])
    shown = browser.get(page).content.decode()
    reference = GatewayTransaction.objects.get().reference
    for words in (reference, "It answered 500.", "Waiting", shop.url.split("?")[0]):
        assert words in shown
    assert fraud.secret_of(webhook) not in shown
    ended = browser.post(reverse("admin:fraud_webhook_end", args=[webhook.pk]), {"reason": "Closed"}, follow=True)
    assert "told nothing any more" in ended.content.decode()
    assert "Not sent" in browser.get(page).content.decode()
    assert browser.get(reverse("admin:fraud_webhook_changelist")).status_code == 200


def test_what_was_given_up_is_sent_again_by_who_sets_addresses(
    shop: Shop, login: Login, administrator: Any, officer: Any
) -> None:
    gateway = make_gateway()
    webhook = point(gateway, administrator, shop.url).webhook
    decided(gateway)
    delivery = WebhookDelivery.objects.get()
    again = {"webhook_id": webhook.pk, "delivery_id": delivery.pk, "reason": "The shop was closed", "now": START}
    with pytest.raises(NotFound):
        # It waits already.
        fraud.send_again(actor=administrator, **again)
    shop.answer = 500
    assert fraud.deliver_due(now=delivery.created_at + GIVEN_UP_AFTER) == 1
    shop.answer = 204
    with pytest.raises(Forbidden):
        fraud.send_again(actor=officer, **again)
    with pytest.raises(Invalid):
        fraud.send_again(actor=administrator, **{**again, "reason": " "})
    with pytest.raises(NotFound):
        fraud.send_again(actor=administrator, **{**again, "delivery_id": uuid4()})
    browser = login(administrator)
    page = reverse("admin:fraud_webhook_change", args=[webhook.pk])
    link = reverse("admin:fraud_webhook_again", args=[webhook.pk])
    assert f"{link}?delivery={delivery.pk}" in browser.get(page).content.decode()
    asked = browser.get(link, {"delivery": str(delivery.pk)}).content.decode()
    assert str(delivery.pk) in asked
    told = {"delivery": str(delivery.pk), "reason": "The shop was closed"}
    done = browser.post(link, told, follow=True).content.decode()
    assert f"{GatewayTransaction.objects.get().reference} is sent again" in done
    delivery.refresh_from_db()
    assert fraud.deliver_due(now=delivery.next_attempt_at) == 1
    assert [json.loads(body)["id"] for _, body in shop.heard] == [str(delivery.pk)] * 2
    event = AuditEvent.objects.get(action="fraud.webhook_sent_again")
    assert (event.reason, event.data["delivery"]) == ("The shop was closed", str(delivery.pk))


def test_what_gateways_were_told_is_forgotten_after_90_days(shop: Shop, administrator: Any) -> None:
    gateway = make_gateway()
    point(gateway, administrator, shop.url)
    decided(gateway)
    delivery = WebhookDelivery.objects.get()
    assert fraud.purge_deliveries(now=delivery.created_at + timedelta(days=90)) == 0
    with pytest.raises(DatabaseError), transaction.atomic():
        # Only when the database's own clock says so too.
        fraud.purge_deliveries(now=delivery.created_at + timedelta(days=91))
    old = WebhookDelivery.objects.get()
    old.pk, old.created_at = uuid4(), delivery.created_at - timedelta(days=91)
    old.save(force_insert=True)
    assert fraud.purge_deliveries(now=delivery.created_at) == 1
    assert WebhookDelivery.objects.get() == delivery
