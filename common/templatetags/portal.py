"""Filters and tags of the portal. There is one way to show money: `|money`."""

from __future__ import annotations

from decimal import Decimal

from django import template

from common import geography
from common.money import Money, display

register = template.Library()


@register.filter
def money(value: Money | None) -> str:
    """`€1,250.00`; a dash for nothing."""
    return display(value) if isinstance(value, Money) else "\u2013"


@register.filter
def minor(value: int | None, currency: str) -> str:
    """Minor units and a currency code to text for people."""
    return display(Money(value, currency)) if value is not None else "\u2013"


@register.filter
def percent(value: Decimal | None) -> str:
    """`2.5%`, without the zeros that a column of the database adds; a dash for nothing."""
    return f"{value.normalize():f}%" if value is not None else "\u2013"


@register.filter
def country(code: str) -> str:
    return geography.country_name(code) if code else "\u2013"


@register.filter
def account_number(value: str) -> str:
    """Groups of four, as people read it aloud."""
    return " ".join(value[start : start + 4] for start in range(0, len(value), 4))
