"""Limits in the back office: the bank's defaults, and what it or a customer set for one customer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from common.forms import MoneyField
from common.money import Money
from common.money import display as money_text
from identity.backoffice import DecisionForm, ReadOnlyAdmin, decision_page
from payments import queries, services
from payments.models import Channel, Limit
from payments.rules.limits import Limits, Window


def _amount(label: str) -> MoneyField:
    return MoneyField(
        label=label,
        required=False,
        currency=settings.BASE_CURRENCY,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class LimitsForm(DecisionForm):
    """Four amounts in the base currency; an empty one does not limit."""

    per_payment = _amount("One payment")
    daily = _amount("A day")
    monthly = _amount("A calendar month")
    new_payee = _amount("To a new payee")


class CustomerLimitsForm(LimitsForm):
    email = forms.EmailField(label="Customer's e-mail address", widget=UnfoldAdminEmailInputWidget)
    channel = forms.ChoiceField(
        choices=[(channel.value, channel.label) for channel in queries.LIMITED_CHANNELS],
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ["email", "channel", *Window, "reason"]


@admin.register(Limit)
class LimitAdmin(ReadOnlyAdmin):
    view_permission = "payment_view"
    list_display = ("whose", "channel", "set_by", "per_payment", "daily", "monthly", "new_payee", "changed_at")
    list_filter = ("channel", "set_by")
    search_fields = ("customer__email__istartswith", "customer__full_name__istartswith")
    search_help_text = "Customer's name or e-mail address"
    list_select_related = ("customer",)
    ordering = ("-customer_id", "channel", "set_by")
    fields = ("whose", "channel", "set_by", "per_payment", "daily", "monthly", "new_payee", "changed_at")
    readonly_fields = ("whose", "per_payment", "daily", "monthly", "new_payee")
    actions_list = ("set_for_a_customer",)
    actions_detail = ("change_these",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        return Limit.objects.select_related("customer")

    @display(description="Whose", ordering="customer__full_name")  # type: ignore[untyped-decorator]
    def whose(self, limit: Limit) -> str:
        return f"{limit.customer.get_full_name()}, {limit.customer.email}" if limit.customer else "Every customer"

    @display(description="One payment", ordering="per_payment_minor")  # type: ignore[untyped-decorator]
    def per_payment(self, limit: Limit) -> str:
        return _shown(limit.per_payment_minor)

    @display(description="A day", ordering="daily_minor")  # type: ignore[untyped-decorator]
    def daily(self, limit: Limit) -> str:
        return _shown(limit.daily_minor)

    @display(description="A month", ordering="monthly_minor")  # type: ignore[untyped-decorator]
    def monthly(self, limit: Limit) -> str:
        return _shown(limit.monthly_minor)

    @display(description="To a new payee", ordering="new_payee_minor")  # type: ignore[untyped-decorator]
    def new_payee(self, limit: Limit) -> str:
        return _shown(limit.new_payee_minor)

    @action(description="Change", url_path="change-limits", permissions=["set_limits"], icon="edit")  # type: ignore[untyped-decorator]
    def change_these(self, request: HttpRequest, object_id: str) -> HttpResponse:
        limit = self.get_queryset(request).filter(pk=_number(object_id), set_by=Limit.SetBy.BANK).first()
        if limit is None:
            raise Http404
        return decision_page(
            self,
            request,
            permission="payment_limits",
            title="Change these limits",
            facts=[("Whose", self.whose(limit)), ("Channel", limit.get_channel_display())],
            form_class=LimitsForm,
            initial=_initial(limit),
            decide=lambda data: services.set_bank_limits(
                actor=request.user,
                customer=limit.customer,
                channel=Channel(limit.channel),
                limits=_limits(data),
                reason=data["reason"],
                now=timezone.now(),
            ),
            done="The limits are changed.",
            confirm="Change the limits",
            note="Payments from now on are held to them. Customers can only set tighter ones.",
            back=reverse("admin:payments_limit_change", args=[limit.pk]),
            audit_subject=("limit", limit.pk),
        )

    @action(description="Set for a customer", url_path="set-for-customer", permissions=["set_limits"], icon="add")  # type: ignore[untyped-decorator]
    def set_for_a_customer(self, request: HttpRequest) -> HttpResponse:
        def decide(data: dict[str, Any]) -> None:
            services.set_bank_limits(
                actor=request.user,
                customer=services.find_customer(data["email"]),
                channel=Channel(data["channel"]),
                limits=_limits(data),
                reason=data["reason"],
                now=timezone.now(),
            )

        return decision_page(
            self,
            request,
            permission="payment_limits",
            title="Set limits for a customer",
            facts=[],
            form_class=CustomerLimitsForm,
            initial=_initial(Limit.objects.get(customer=None, channel=Channel.PORTAL, set_by=Limit.SetBy.BANK)),
            decide=decide,
            done="The limits are set.",
            confirm="Set the limits",
            note="They replace the bank's default for this customer and channel.",
            back=reverse("admin:payments_limit_changelist"),
        )

    def has_set_limits_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """What a customer set is the customer's."""
        if not request.user.has_perm("identity.payment_limits"):
            return False
        if object_id is None:
            return True
        return Limit.objects.filter(pk=_number(object_id), set_by=Limit.SetBy.BANK).exists()


def _limits(given: dict[str, Any]) -> Limits:
    """What a form's amounts say, in minor units."""
    amounts: dict[str, Money | None] = {window.value: given[window.value] for window in Window}
    return Limits(**{name: None if money is None else money.amount_minor for name, money in amounts.items()})


def _initial(limit: Limit) -> dict[str, str]:
    """A row's amounts as the form takes them."""
    minor = {window.value: getattr(limit, f"{window.value}_minor") for window in Window}
    return {name: Money(value, settings.BASE_CURRENCY).plain for name, value in minor.items() if value is not None}


def _shown(minor: int | None) -> str:
    return "No limit" if minor is None else money_text(Money(minor, settings.BASE_CURRENCY))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
