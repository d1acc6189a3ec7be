"""What lists of accounts can be narrowed by."""

from __future__ import annotations

import django_filters

from accounts.models import Account, ProductKind, Status


class AccountFilter(django_filters.FilterSet):
    """Query parameters of the account list."""

    status = django_filters.ChoiceFilter(choices=Status.choices)
    currency = django_filters.CharFilter(field_name="currency", lookup_expr="iexact", max_length=3)
    kind = django_filters.ChoiceFilter(field_name="product__kind", choices=ProductKind.choices)

    class Meta:
        model = Account
        fields = ["status", "currency", "kind"]
