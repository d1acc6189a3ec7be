"""The filters of a payment history, the same on the page and in the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from accounts import queries as accounts
from accounts.models import Account
from common.money import from_decimal
from identity.models import User
from payments.models import Kind, Payment, Status
from payments.queries import own_account_ids, payers_called

_DIRECTIONS = [("OUT", "Out"), ("IN", "In"), ("OWN", "Between own accounts")]
_DATE = forms.DateInput(attrs={"type": "date"})
_AMOUNT = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


def _own_accounts(request: Any) -> QuerySet[Account]:
    user = getattr(request, "user", None)
    return accounts.own_accounts(user) if isinstance(user, User) else Account.objects.none()


class _AccountChoice(django_filters.ModelChoiceFilter):  # type: ignore[misc]
    class field_class(django_filters.ModelChoiceFilter.field_class):  # type: ignore[misc]  # noqa: N801 (the library's name)
        def label_from_instance(self, obj: Account) -> str:
            return f"{obj.nickname or obj.product.name} {obj.masked_number}"


class PaymentFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Over `queries.history_for(actor)`; needs the request, whose user is the actor."""

    account = _AccountChoice(label="Account", queryset=_own_accounts, method="of_account", empty_label="All accounts")
    direction = django_filters.ChoiceFilter(
        label="Direction", choices=_DIRECTIONS, method="in_direction", empty_label="All"
    )
    status = django_filters.ChoiceFilter(label="Outcome", choices=Status.choices, empty_label="All")
    kind = django_filters.ChoiceFilter(label="Kind", choices=Kind.choices, empty_label="All")
    since = django_filters.DateFilter(label="From", field_name="created_at", lookup_expr="date__gte", widget=_DATE)
    until = django_filters.DateFilter(label="To", field_name="created_at", lookup_expr="date__lte", widget=_DATE)
    amount_from = django_filters.NumberFilter(
        label="Amount from", method="at_least", max_digits=15, decimal_places=6, min_value=0, widget=_AMOUNT
    )
    amount_to = django_filters.NumberFilter(
        label="Amount to", method="at_most", max_digits=15, decimal_places=6, min_value=0, widget=_AMOUNT
    )
    text = django_filters.CharFilter(label="Name or text", method="with_text", max_length=140)

    class Meta:
        model = Payment
        fields: list[str] = []

    def of_account(self, rows: QuerySet[Payment], name: str, value: Account) -> QuerySet[Payment]:
        return rows.filter(Q(debit_account=value) | Q(credit_account=value))

    def in_direction(self, rows: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        own = own_account_ids(self.request.user)
        pays, receives = Q(debit_account__in=own), Q(credit_account__in=own)
        if value == "OWN":
            return rows.filter(pays & receives)
        if value == "OUT":
            return rows.filter(pays).exclude(kind=Kind.OWN_TRANSFER)
        return rows.filter(receives).exclude(kind=Kind.OWN_TRANSFER)

    def at_least(self, rows: QuerySet[Payment], name: str, value: Decimal) -> QuerySet[Payment]:
        return rows.filter(self._in_minor_units("amount_minor__gte", value))

    def at_most(self, rows: QuerySet[Payment], name: str, value: Decimal) -> QuerySet[Payment]:
        return rows.filter(self._in_minor_units("amount_minor__lte", value))

    def with_text(self, rows: QuerySet[Payment], name: str, value: str) -> QuerySet[Payment]:
        """What the viewer sees of a payment: names in the bank's books that the page does not show are not searched."""
        own = own_account_ids(self.request.user)
        number = "".join(value.split())
        seen = Q(description__icontains=value)
        if number:
            seen |= Q(outside_account__icontains=number)
        paid = Q(debit_account__in=own) & (Q(payee_name__icontains=value) | Q(credit_account__number__iendswith=number))
        received = Q(credit_account__in=own) & (
            Q(debit_account__owner__in=payers_called(self.request.user, value))
            | Q(debit_account__number__endswith=number[-4:])
        )
        return rows.filter(seen | paid | received)

    def _in_minor_units(self, lookup: str, value: Decimal) -> Q:
        """An amount in major units means another number of minor units in each of the viewer's currencies."""
        currencies = set(_own_accounts(self.request).order_by().values_list("currency", flat=True))
        condition = Q(pk__in=[])
        for currency in currencies:
            condition |= Q(currency=currency, **{lookup: from_decimal(value, currency).amount_minor})
        return condition
