"""Telling outside gateways what people decided: a row in the decision's own transaction, sent by Celery until it is taken."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Q

from audit import services as audit
from common import nudges
from common.db import require_transaction, use_case
from common.errors import Invalid
from fraud.errors import DeliveryNotFound, GatewayUnknown, ReasonMissing, WebhookNotFound
from fraud.models import DELIVERIES_KEPT_DAYS, GatewayTransaction, Webhook, WebhookDelivery
from fraud.rules.webhooks import GIVEN_UP_AFTER, address_of, secret_for, signature, wait_after
from fraud.services.calling import Answer, post
from identity import services as identity
from identity.models import ApiClient, User

# A worker that died while it sent is followed by another one after so long.
LEASE = timedelta(minutes=1)
AT_ONCE = 30
_FORGOTTEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class SetWebhook:
    """`secret` is what the gateway checks signatures with."""

    webhook: Webhook
    secret: str


def set_webhook(*, actor: User, client_id: uuid.UUID, url: str, reason: str, now: datetime) -> SetWebhook:
    """Tell this key's owner at this address from now on, and what still waits too; the address before it ends.

    Raises PermissionMissing, ReasonMissing, GatewayUnknown (field `client`) and Invalid (field `url`).
    """
    identity.require(actor, "user_manage")
    if not reason.strip():
        raise ReasonMissing
    address_of(url, sandbox=settings.SANDBOX)
    with use_case():
        client = ApiClient.objects.select_for_update().filter(pk=client_id, is_active=True).first()
        if client is None:
            raise GatewayUnknown(field="client")
        before = Webhook.objects.filter(client=client, ended_at=None).first()
        if before is not None:
            _end(before, now)
        webhook = Webhook.objects.create(client=client, url=url, set_by=actor, set_at=now)
        waiting = WebhookDelivery.objects.filter(webhook__client=client, delivered_at=None, given_up_at=None)
        waiting.update(webhook=webhook, next_attempt_at=now)
        _record(webhook, actor, "fraud.webhook_set", reason)
        nudges.after_commit("fraud.tasks.deliver_webhooks")
    return SetWebhook(webhook, secret_of(webhook))


def end_webhook(*, actor: User, webhook_id: uuid.UUID, reason: str, now: datetime) -> Webhook:
    """Tell nothing to this address any more. Raises PermissionMissing, ReasonMissing, WebhookNotFound."""
    identity.require(actor, "user_manage")
    if not reason.strip():
        raise ReasonMissing
    with use_case():
        webhook = _locked(webhook_id)
        _end(webhook, now)
        _record(webhook, actor, "fraud.webhook_ended", reason)
    return webhook


def send_again(
    *, actor: User, webhook_id: uuid.UUID, delivery_id: uuid.UUID, reason: str, now: datetime
) -> WebhookDelivery:
    """Tell a gateway once more what it took or what was given up, at this address. Given up again when that fails too
    and three days have passed.

    Raises PermissionMissing, ReasonMissing, WebhookNotFound, DeliveryNotFound.
    """
    identity.require(actor, "user_manage")
    if not reason.strip():
        raise ReasonMissing
    with use_case():
        webhook = _locked(webhook_id)
        told = WebhookDelivery.objects.select_for_update(of=("self",)).filter(webhook__client=webhook.client_id)
        done = Q(delivered_at__isnull=False) | Q(given_up_at__isnull=False)
        delivery = told.filter(done, pk=delivery_id).first()
        if delivery is None:
            raise DeliveryNotFound
        delivery.webhook, delivery.next_attempt_at = webhook, now
        delivery.delivered_at = delivery.given_up_at = None
        delivery.save(update_fields=["webhook", "next_attempt_at", "delivered_at", "given_up_at"])
        _record(webhook, actor, "fraud.webhook_sent_again", reason, delivery=str(delivery.pk))
        nudges.after_commit("fraud.tasks.deliver_webhooks")
    return delivery


def purge_deliveries(*, now: datetime) -> int:
    """Forget what gateways were told more than `DELIVERIES_KEPT_DAYS` ago, a bounded number at a time. Returns how many.

    The decisions themselves stay, and so does the trail of the key.
    """
    old = WebhookDelivery.objects.filter(created_at__lt=now - timedelta(days=DELIVERIES_KEPT_DAYS))
    deleted, _ = WebhookDelivery.objects.filter(
        pk__in=old.order_by("created_at", "pk").values("pk")[:_FORGOTTEN_AT_ONCE]
    ).delete()
    return deleted


def secret_of(webhook: Webhook) -> str:
    key = hashlib.sha256(b"bankportal.fraud.webhooks:" + settings.SECRET_KEY.encode()).digest()
    return secret_for(key, str(webhook.pk))


def tell_gateway(made: GatewayTransaction, *, status: str, now: datetime) -> None:
    """Write down that its gateway has to hear of a decision, if it wants to. Raises NoTransaction."""
    require_transaction()
    webhook = Webhook.objects.filter(client_id=made.client_id, ended_at=None).first()
    if webhook is None:
        return
    event_id = uuid.uuid4()
    told = {
        "id": str(event_id),
        "type": "transaction.decided",
        "transaction": {
            "id": str(made.pk),
            "transaction_id": made.reference,
            "status": status,
            "decided_at": now.isoformat(),
        },
    }
    WebhookDelivery.objects.create(
        id=event_id, webhook=webhook, transaction=made, body=json.dumps(told), created_at=now, next_attempt_at=now
    )
    nudges.after_commit("fraud.tasks.deliver_webhooks")


def deliver_due(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Send what is due, oldest first, and return how many were tried. Must not be called inside a transaction.

    Two workers never send the same one at the same time. An address that fails is left alone for the rest of the run,
    so that it cannot hold up the others; what it missed is tried again ever more slowly, and given up after three days.
    """
    started, tried = monotonic(), 0
    failing: set[uuid.UUID] = set()
    while tried < limit:
        moment = now + timedelta(seconds=monotonic() - started)
        delivery = _claim(moment, failing)
        if delivery is None:
            break
        tried += 1
        answer = _send(delivery, moment)
        _note(delivery, answer, now + timedelta(seconds=monotonic() - started))
        if answer.error:
            failing.add(delivery.webhook_id)
    return tried


def _claim(now: datetime, failing: set[uuid.UUID]) -> WebhookDelivery | None:
    with use_case():
        due = WebhookDelivery.objects.filter(delivered_at=None, given_up_at=None, next_attempt_at__lte=now)
        wanted = due.filter(webhook__ended_at=None, webhook__client__is_active=True).exclude(webhook__in=failing)
        locked = wanted.select_related("webhook").select_for_update(skip_locked=True, of=("self",))
        delivery = locked.order_by("next_attempt_at", "pk").first()
        if delivery is not None:
            delivery.attempts += 1
            delivery.next_attempt_at = now + LEASE
            delivery.save(update_fields=["attempts", "next_attempt_at"])
    return delivery


def _send(delivery: WebhookDelivery, now: datetime) -> Answer:
    body = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Bankportal-Webhook/1",
        "Bankportal-Event": str(delivery.pk),
        "Bankportal-Signature": signature(secret_of(delivery.webhook), body, at=int(now.timestamp())),
    }
    try:
        address = address_of(delivery.webhook.url, sandbox=settings.SANDBOX)
    except Invalid as refusal:
        # It was set when this was a sandbox.
        return Answer(None, refusal.text, 0.0)
    return post(address, body=body, headers=headers)


def _note(delivery: WebhookDelivery, answer: Answer, now: datetime) -> None:
    """Write down what came of it, unless another worker has taken it over meanwhile."""
    found: dict[str, Any] = {
        "last_attempt_at": now,
        "last_status": answer.status,
        "last_error": answer.error,
        "last_took_ms": round(answer.took_ms, 1),
    }
    if not answer.error:
        found["delivered_at"] = now
    elif now - delivery.created_at >= GIVEN_UP_AFTER:
        found["given_up_at"] = now
    else:
        found["next_attempt_at"] = now + wait_after(delivery.attempts)
    WebhookDelivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, delivered_at=None).update(**found)


def _locked(webhook_id: uuid.UUID) -> Webhook:
    """The address in use. Raises WebhookNotFound."""
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id, ended_at=None).first()
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _end(webhook: Webhook, now: datetime) -> None:
    webhook.ended_at = now
    webhook.save(update_fields=["ended_at"])


def _record(webhook: Webhook, actor: User, action: str, reason: str, **data: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject_kind="api_client",
        subject_id=webhook.client_id,
        reason=reason,
        data={"webhook": str(webhook.pk), "url": webhook.url, **data},
    )
