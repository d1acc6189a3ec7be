"""Payees and standing orders in the back office: to look up, never to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from common.money import display as money_text
from identity.backoffice import ReadOnlyAdmin
from payments import queries
from payments.models import Payee, StandingOrder, StandingRun
from payments.rules.calendar import Unit
from payments.rules.ibans import grouped


@admin.register(Payee)
class PayeeAdmin(ReadOnlyAdmin):
    view_permission = "payment_view"
    list_display = ("name", "number", "customer", "name_match", "created_at", "removed_at")
    list_filter = ("name_match",)
    search_fields = ("name__istartswith", "customer__email__istartswith", "account__number__iexact", "iban__iexact")
    search_help_text = "Payee's name or number, or the customer's e-mail address"
    list_select_related = ("customer", "account")
    ordering = ("-created_at", "pk")
    fields = ("name", "number", "customer", "name_match", "created_at", "removed_at")
    readonly_fields = ("number",)

    @display(description="Number")  # type: ignore[untyped-decorator]
    def number(self, payee: Payee) -> str:
        return payee.account.grouped_number if payee.account else grouped(payee.iban)


class RunsInline(TabularInline):
    model = StandingRun
    fields = ("due_date", "status", "attempts", "next_attempt_at", "payment", "failure_text")
    readonly_fields = fields
    ordering = ("-due_date",)
    extra = 0
    can_delete = False
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        runs: QuerySet[Any] = super().get_queryset(request)
        return runs.select_related("payment")

    def has_add_permission(self, request: HttpRequest, obj: StandingOrder | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: StandingOrder | None = None) -> bool:
        return bool(request.user.has_perm("identity.payment_view"))


@admin.register(StandingOrder)
class StandingOrderAdmin(ReadOnlyAdmin):
    view_permission = "payment_view"
    list_display = ("customer", "payee", "amount_shown", "how_often", "next_date", "state")
    list_filter = ("status", "kind", "unit")
    search_fields = ("customer__email__istartswith", "customer__full_name__istartswith", "payee_name__istartswith")
    search_help_text = "Customer's or payee's name, or e-mail address"
    list_select_related = ("customer", "debit_account", "credit_account")
    ordering = ("next_date", "pk")
    fields = (
        "customer",
        "debit_account",
        "payee",
        "name_match_shown",
        "amount_shown",
        "how_often",
        "first_date",
        "last_date",
        "next_date",
        "state",
        "description",
        "created_at",
        "changed_at",
    )
    readonly_fields = ("payee", "name_match_shown", "amount_shown", "how_often", "state")
    inlines = (RunsInline,)

    @display(description="Payee")  # type: ignore[untyped-decorator]
    def payee(self, order: StandingOrder) -> str:
        number = order.credit_account.grouped_number if order.credit_account else grouped(order.iban)
        return f"{queries.payee_label(order)}, {number}"

    @display(description="Name check")  # type: ignore[untyped-decorator]
    def name_match_shown(self, order: StandingOrder) -> str:
        return order.get_payee_match_display() or "Not checked"

    @display(description="Amount", ordering="amount_minor")  # type: ignore[untyped-decorator]
    def amount_shown(self, order: StandingOrder) -> str:
        return money_text(order.amount)

    @display(description="How often")  # type: ignore[untyped-decorator]
    def how_often(self, order: StandingOrder) -> str:
        return queries.how_often(unit=Unit(order.unit), every=order.every)

    @display(  # type: ignore[untyped-decorator]
        description="State",
        ordering="status",
        label={"Active": "success", "Paused": "warning", "Cancelled": "default", "Ended": "default"},
    )
    def state(self, order: StandingOrder) -> str:
        return str(StandingOrder.Status(order.status).label)
