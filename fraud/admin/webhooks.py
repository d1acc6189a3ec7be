"""Where gateways are told what people decided, and whether they were reached."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from fraud import services
from fraud.admin.files import FileAdmin
from fraud.models import Webhook, WebhookDelivery
from fraud.queries.webhooks import clients_to_tell, deliveries_of, webhooks
from identity.backoffice import DecisionForm, decision_page

COLOURS = {"In use": "success", "Key revoked": "danger", "Ended": "default"}
DELIVERY_COLOURS = {"Taken": "success", "Waiting": "warning", "Given up": "danger", "Not sent": "default"}


class WebhookForm(DecisionForm):
    client = forms.ChoiceField(label="API key", widget=UnfoldAdminSelectWidget)
    url = forms.CharField(
        label="Address",
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "url", "placeholder": "https://shop.example/decisions"}),
        help_text="It begins with https:// and lies in the open internet.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].choices = [(str(each.pk), str(each)) for each in clients_to_tell()]  # type: ignore[attr-defined]


class AgainForm(DecisionForm):
    delivery = forms.UUIDField(widget=forms.HiddenInput)


@admin.register(Webhook)
class WebhookAdmin(FileAdmin):
    list_display = ("gateway", "address", "state", "set_at", "waits")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    search_fields = ("client__name", "client__key_id__exact", "url")
    search_help_text = "Name of the gateway, key id, or address"
    list_select_related = ("client", "set_by")
    ordering = ("-set_at", "id")
    actions_list = ("set_an_address",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return webhooks()

    def get_urls(self) -> list[Any]:
        return [
            self._path("new/", self.new, "new"),
            self._path("<uuid:webhook_id>/end/", self.end, "end"),
            self._path("<uuid:webhook_id>/again/", self.again, "again"),
            *super().get_urls(),
        ]

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("identity.user_manage"))

    @display(description="Gateway", ordering="client__name")
    def gateway(self, webhook: Webhook) -> str:
        return webhook.client.name

    @display(description="Address", ordering="url")
    def address(self, webhook: Webhook) -> str:
        return webhook.url

    @display(description="State", label=COLOURS)
    def state(self, webhook: Webhook) -> str:
        if webhook.ended_at is not None:
            return "Ended"
        return "In use" if webhook.client.is_active else "Key revoked"

    @display(description="Waiting")
    def waits(self, webhook: Any) -> str:
        return str(webhook.waiting)

    @action(description="Set an address", url_path="set-address", icon="add", permissions=["manage"])
    def set_an_address(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("new"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        webhook: Webhook = self._opened(request, object_id)
        state = self.state(webhook)
        may_change = webhook.ended_at is None and self.has_manage_permission(request)
        return self._page(
            request,
            "admin/fraud/webhook.html",
            f"Webhook of {webhook.client.name}",
            original=webhook,
            state=state,
            colour=COLOURS[state],
            facts=_facts(webhook),
            deliveries=[_row(each) for each in deliveries_of(webhook)],
            end_url=self._url("end", webhook.pk) if may_change else "",
            again_url=self._url("again", webhook.pk) if may_change else "",
        )

    def new(self, request: HttpRequest) -> HttpResponse:
        return decision_page(
            self,
            request,
            permission="user_manage",
            title="Set where a gateway is told",
            facts=[],
            form_class=WebhookForm,
            decide=lambda cleaned: services.set_webhook(
                actor=request.user,  # type: ignore[arg-type]
                client_id=uuid.UUID(cleaned["client"]),
                url=cleaned["url"],
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=lambda made: f"Secret for the signatures, shown this once: {made.secret}",
            confirm="Set the address",
            note="The gateway hears of each decision about a transaction of its own. An address that it had ends. The secret is "
            "shown once, on the next page; hand it over by a safe way.",
            back=self._url("changelist"),
        )

    def again(self, request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
        webhook: Webhook = self._opened(request, webhook_id)
        return decision_page(
            self,
            request,
            permission="user_manage",
            title="Send again",
            facts=_facts(webhook),
            form_class=AgainForm,
            initial={"delivery": request.GET.get("delivery", "")},
            decide=lambda cleaned: services.send_again(
                actor=request.user,  # type: ignore[arg-type]
                webhook_id=webhook_id,
                delivery_id=cleaned["delivery"],
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=lambda delivery: f"What was decided about {delivery.transaction.reference} is sent again.",
            confirm="Send it again",
            note="The same event with the same body and a new signature. When it fails three days after the decision, it is given "
            "up at once.",
            back=self._url("change", webhook_id),
            audit_subject=("api_client", webhook.client_id),
        )

    def end(self, request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
        webhook: Webhook = self._opened(request, webhook_id)
        return decision_page(
            self,
            request,
            permission="user_manage",
            title="Tell this gateway nothing more",
            facts=_facts(webhook),
            decide=lambda cleaned: services.end_webhook(
                actor=request.user,  # type: ignore[arg-type]
                webhook_id=webhook_id,
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done="This address is told nothing any more.",
            confirm="End it",
            note="It can still ask for its transactions. What it has not taken yet waits for another address.",
            back=self._url("change", webhook_id),
            danger=True,
            audit_subject=("api_client", webhook.client_id),
        )


def _facts(webhook: Webhook) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("API key", webhook.client),
        ("Address", webhook.url),
        ("Set by", f"{webhook.set_by.get_full_name()}, {date(webhook.set_at, 'j F Y, H:i')}"),
    ]
    if webhook.ended_at is not None:
        facts.append(("Ended", date(webhook.ended_at, "j F Y, H:i")))
    return facts


def _row(delivery: WebhookDelivery) -> dict[str, Any]:
    state = _state(delivery)
    return {
        "id": delivery.pk,
        "is_done": state in ("Taken", "Given up"),
        "at": date(delivery.created_at, "j M Y, H:i:s"),
        "transaction": delivery.transaction.reference,
        "state": state,
        "colour": DELIVERY_COLOURS[state],
        "attempts": delivery.attempts,
        "answer": delivery.last_error or (str(delivery.last_status) if delivery.last_status else "–"),
        "took": "–" if delivery.last_took_ms is None else f"{delivery.last_took_ms:,.0f} ms",
        "next": date(delivery.next_attempt_at, "j M, H:i:s") if state == "Waiting" and delivery.attempts else "",
    }


def _state(delivery: WebhookDelivery) -> str:
    if delivery.delivered_at is not None:
        return "Taken"
    if delivery.given_up_at is not None:
        return "Given up"
    return "Waiting" if delivery.webhook.ended_at is None else "Not sent"
