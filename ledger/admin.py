"""The ledger as staff see it: nothing here can be changed. Open to holders of `identity.ledger_view`."""

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
from ledger import queries
from ledger.models import Entry, EntryReference, GlCode, Hold, LedgerAccount

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


def _row(*cells: str, numbers: int) -> str:
    """A row's template: text cells as given, then so many cells for figures."""
    text = "".join(f'<td class="{TEXT}">{cell}</td>' for cell in cells)
    figures = f'<td class="{NUMBER}">{{}}</td>' * numbers
    return f"<tr>{text}{figures}</tr>"


def _table(*titles: str, numbers: Sequence[str], rows: SafeString) -> SafeString:
    heads = [(TEXT, title) for title in titles] + [(NUMBER, title) for title in numbers]
    return format_html(
        '<table class="ledger-legs"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html_join("", '<th class="{}">{}</th>', heads),
        rows,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ("number", "booked_at", "kind", "description", "amounts", "source")
    list_filter = (("booked_at", admin.DateFieldListFilter),)
    search_fields = ("pk",)
    search_help_text = "Entry number or reference (UUID)"
    ordering = ("-pk",)
    fields = (
        "number",
        "kind",
        "description",
        "booked_at",
        "value_date",
        "source",
        "external_ref",
        "reversal",
        "created_at",
        "legs",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).prefetch_related("postings__account")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """Only what an index answers: the number or the reference."""
        term = search_term.strip()
        if not term:
            return queryset, False
        reference = _uuid(term)
        if reference is not None:
            return queryset.filter(reference__external_ref=reference), False
        return queryset.filter(pk=_number(term) or 0), False

    @admin.display(description="Entry", ordering="pk")
    def number(self, entry: Entry) -> str:
        return str(entry.pk)

    @admin.display(description="Source")
    def source(self, entry: Entry) -> str:
        return f"{entry.source_kind} {entry.source_id}"

    @admin.display(description="Moved")
    def amounts(self, entry: Entry) -> str:
        totals: dict[str, int] = {}
        for posting in entry.postings.all():
            totals[posting.currency] = totals.get(posting.currency, 0) + max(posting.amount, 0)
        return ", ".join(shown(total, currency) for currency, total in sorted(totals.items()))

    @admin.display(description="Reversal")
    def reversal(self, entry: Entry) -> str:
        if entry.reverses_id is not None:
            return format_html('reverses <a href="{}">entry {}</a>', _entry_url(entry.reverses_id), entry.reverses_id)
        by = EntryReference.objects.filter(reverses_id=entry.pk).values_list("entry_id", flat=True).first()
        if by is not None:
            return format_html('reversed by <a href="{}">entry {}</a>', _entry_url(by), by)
        return "–"

    @admin.display(description="Postings")
    def legs(self, entry: Entry) -> str:
        rows = format_html_join(
            "",
            _row("{}", '<a href="{}">{}</a>', numbers=4),
            (
                (
                    posting.no,
                    reverse("admin:ledger_ledgeraccount_change", args=[posting.account_id]),
                    posting.account,
                    shown(-posting.amount, posting.currency) if posting.amount < 0 else "",
                    shown(posting.amount, posting.currency) if posting.amount > 0 else "",
                    posting.account_seq or "–",
                    shown(posting.balance_after, posting.currency),
                )
                for posting in sorted(entry.postings.all(), key=lambda posting: posting.no)
            ),
        )
        return _table("No.", "Account", numbers=("Debit", "Credit", "Sequence", "Balance after"), rows=rows)


def _entry_url(pk: int) -> str:
    return reverse("admin:ledger_entry_change", args=[pk])


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnly):
    list_display = ("number", "name", "gl_code", "currency", "status", "posted", "held", "available")
    list_filter = ("is_internal", "gl_code", "currency", "status")
    list_select_related = ("gl_code", "balance")
    search_fields = ("pk",)
    search_help_text = "Account number in the ledger or reference (UUID)"
    ordering = ("-is_internal", "pk")
    fields = (
        "number",
        "name",
        "gl_code",
        "currency",
        "status",
        "is_internal",
        "posted",
        "held",
        "available",
        "external_ref",
        "created_at",
        "newest",
        "history",
    )
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerAccount], search_term: str
    ) -> tuple[QuerySet[LedgerAccount], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        reference = _uuid(term)
        if reference is not None:
            return queryset.filter(external_ref=reference), False
        return queryset.filter(pk=_number(term) or 0), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """One look-up for the balances of the whole page; internal accounts have no balance row to join."""
        changelist = super().get_changelist_instance(request)
        read = queries.balances([account.pk for account in changelist.result_list])
        for account in changelist.result_list:
            account.shown_balance = read[account.pk]
        return changelist

    @admin.display(description="Account", ordering="pk")
    def number(self, account: LedgerAccount) -> str:
        return str(account.pk)

    @admin.display(description="Balance")
    def posted(self, account: LedgerAccount) -> str:
        return shown(self._balance(account).posted, account.currency)

    @admin.display(description="Held")
    def held(self, account: LedgerAccount) -> str:
        return shown(self._balance(account).held, account.currency)

    @admin.display(description="Available")
    def available(self, account: LedgerAccount) -> str:
        return shown(self._balance(account).available, account.currency)

    @admin.display(description="Newest postings")
    def newest(self, account: LedgerAccount) -> str:
        if account.is_internal:
            return "Internal accounts keep no running balance; find their postings through the entries."
        rows = format_html_join(
            "",
            _row("{}", '<a href="{}">{}</a>', "{}", numbers=2),
            (
                (
                    f"{line.booked_at:%d %b %Y %H:%M}",
                    _entry_url(line.entry_id),
                    f"Entry {line.entry_id}",
                    line.description,
                    shown(line.amount_minor, account.currency),
                    shown(line.balance_after, account.currency),
                )
                for line in queries.recent_lines(account.pk, limit=20)
            ),
        )
        return _table("Booked", "Entry", "Description", numbers=("Amount", "Balance after"), rows=rows)

    @admin.display(description="Status history")
    def history(self, account: LedgerAccount) -> str:
        changes = account.status_changes.order_by("-pk")[:20]
        return (
            format_html_join(
                "; ", "{}: {} to {}", ((f"{c.changed_at:%d %b %Y %H:%M}", c.old_status, c.new_status) for c in changes)
            )
            or "Never changed"
        )

    def _balance(self, account: LedgerAccount) -> queries.Balance:
        known = getattr(account, "shown_balance", None)
        if known is None:
            known = queries.balance(account.pk)
            account.shown_balance = known  # type: ignore[attr-defined]
        return known


@admin.register(Hold)
class HoldAdmin(ReadOnly):
    list_display = ("id", "account", "amount_shown", "state", "placed_at", "expires_at", "source")
    list_filter = (("placed_at", admin.DateFieldListFilter),)
    ordering = ("-placed_at", "pk")
    fields = ("id", "account", "amount_shown", "state", "placed_at", "expires_at", "source", "external_ref", "ended")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return super().get_queryset(request).select_related("account").prefetch_related("events")

    @admin.display(description="Amount")
    def amount_shown(self, hold: Hold) -> str:
        return shown(hold.amount, hold.account.currency)

    @admin.display(description="State")
    def state(self, hold: Hold) -> str:
        return next((event.get_kind_display() for event in hold.events.all()), "Active")

    @admin.display(description="Source")
    def source(self, hold: Hold) -> str:
        return f"{hold.source_kind} {hold.source_id}"

    @admin.display(description="How it ended")
    def ended(self, hold: Hold) -> str:
        for event in hold.events.all():
            if event.entry_id is not None:
                return format_html(
                    '{} posted by <a href="{}">entry {}</a>',
                    shown(event.amount, hold.account.currency),
                    _entry_url(event.entry_id),
                    event.entry_id,
                )
            return f"{event.get_kind_display()} on {event.happened_at:%d %b %Y %H:%M}"
        return "Still active"


@admin.register(GlCode)
class GlCodeAdmin(ReadOnly):
    list_display = ("code", "name", "kind", "normal_side", "is_internal")
    ordering = ("code",)
    fields = ("code", "name", "kind", "normal_side", "is_internal")
    readonly_fields = fields
