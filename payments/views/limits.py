"""What may leave the customer's accounts, and the customer's own tighter limits."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from common.errors import DomainError
from common.money import Money
from identity import queries as identity
from payments import queries, services
from payments.forms import OwnLimitsForm
from payments.models import Channel
from payments.queries import LimitUse
from payments.rules.limits import Limits, Window
from payments.views.base import PaymentPage

WINDOW_LABELS = {
    Window.PER_PAYMENT: "One payment",
    Window.DAILY: "A day",
    Window.MONTHLY: "A calendar month",
    Window.NEW_PAYEE: "A new payee, first 24 hours",
}
CHANNEL_TITLES = {
    Channel.PORTAL: "In this portal",
    Channel.API: "Through the API",
    Channel.BULK: "By files of payments",
}


class _LimitsSection(PaymentPage):
    nav_active = "limits"


class LimitsPage(_LimitsSection):
    def get(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        channels = [
            {
                "title": CHANNEL_TITLES[channel],
                "url": reverse("payments:own_limits", args=[channel.value.lower()]),
                "limits": [_shown(use) for use in queries.limits_for(self.actor, channel=channel, now=now)],
            }
            for channel in queries.channels_for(self.actor)
        ]
        return self.page("limits", {"channels": channels})


class OwnLimitsPage(_LimitsSection):
    """Three amounts and the PIN; an empty amount means the bank's limit holds."""

    def get(self, request: HttpRequest, channel: str) -> HttpResponse:
        found = _channel(channel)
        uses = queries.limits_for(self.actor, channel=found, now=timezone.now())
        initial = {use.window.value: use.own.plain for use in uses if use.own is not None}
        return self._show(found, OwnLimitsForm(initial=initial))

    def post(self, request: HttpRequest, channel: str) -> HttpResponse:
        found = _channel(channel)
        form = OwnLimitsForm(request.POST)
        if form.is_valid():
            try:
                services.set_own_limits(
                    actor=self.actor,
                    channel=found,
                    limits=Limits(**{name: _minor(form.cleaned_data[name]) for name in OwnLimitsForm.WINDOWS}),
                    pin=form.cleaned_data["pin"],
                    now=timezone.now(),
                )
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, "Your limits are set.")
                return redirect("payments:limits")
        return self._show(found, form, status=422)

    def _show(self, channel: Channel, form: OwnLimitsForm, *, status: int = 200) -> HttpResponse:
        uses = queries.limits_for(self.actor, channel=channel, now=timezone.now())
        for use in uses:
            if use.window.value in form.fields and use.bank is not None:
                form.fields[use.window.value].help_text = f"The bank's limit is {use.bank}."
        context = {
            "form": form,
            "title": CHANNEL_TITLES[channel],
            "currency": settings.BASE_CURRENCY,
            "needs_pin": not identity.has_pin(self.actor),
            "crumbs": [{"label": "Limits", "url": reverse("payments:limits")}, {"label": "Your own limits"}],
        }
        return self.page("own_limits", context, status=status)


def _channel(name: str) -> Channel:
    for channel in queries.LIMITED_CHANNELS:
        if channel.value.lower() == name:
            return channel
    raise Http404


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.amount_minor


def _shown(use: LimitUse) -> dict[str, Any]:
    counts = use.window in (Window.DAILY, Window.MONTHLY)
    return {
        "label": WINDOW_LABELS[use.window],
        "use": use,
        "counts": counts,
        "is_own": use.own == use.limit is not None,
    }
