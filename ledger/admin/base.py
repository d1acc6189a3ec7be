"""What every page of the ledger is built from: lists that only show, and tables of postings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from common.money import Money, display

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = ModelAdmin

COUNT_UP_TO = 10_000


class QuickPaginator(Paginator):  # type: ignore[type-arg]
    """Counts at most COUNT_UP_TO rows; past that, a list of everything shows the planner's estimate."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        counted = rows.order_by()[: COUNT_UP_TO + 1].count()
        if counted <= COUNT_UP_TO or rows.query.where:
            return counted
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint"
                " FROM pg_partition_tree(%s::regclass) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf",
                [rows.model._meta.db_table],
            )
            row = cursor.fetchone()
        return max(counted, row[0] if row else 0)


class ReadOnly(_Admin):
    """Shows and never writes; the database would refuse it anyway."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = QuickPaginator
    list_fullwidth = True

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.has_perm("identity.ledger_view"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def shown(amount_minor: int | None, currency: str) -> str:
    return "–" if amount_minor is None else display(Money(amount_minor, currency))


# Utility classes that unfold's own style sheet has.
TEXT = "px-3 py-2 text-left"
NUMBER = "px-3 py-2 text-right"


def row(*cells: str, numbers: int) -> str:
    """A row's template: text cells as given, then so many cells for figures."""
    text = "".join(f'<td class="{TEXT}">{cell}</td>' for cell in cells)
    figures = f'<td class="{NUMBER}">{{}}</td>' * numbers
    return f"<tr>{text}{figures}</tr>"


def table(*titles: str, numbers: Sequence[str], rows: SafeString) -> SafeString:
    heads = [(TEXT, title) for title in titles] + [(NUMBER, title) for title in numbers]
    return format_html(
        '<table class="ledger-legs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<th class="{}">{}</th>', heads),
        rows,
    )


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def as_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def entry_url(pk: int) -> str:
    return reverse("admin:ledger_entry_change", args=[pk])


def account_url(pk: int) -> str:
    return reverse("admin:ledger_ledgeraccount_change", args=[pk])


def ledger_url(pk: int) -> str:
    return reverse("admin:ledger_generalledger", args=[pk])
