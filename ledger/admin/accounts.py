"""Ledger accounts and the holds on them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from common.subjects import LinksForReader, link
from ledger import queries
from ledger.admin.base import ReadOnly, as_number, as_uuid, entry_url, ledger_url, row, shown, table
from ledger.models import Hold, LedgerAccount


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnly):
    list_display = ("number", "name", "code", "currency", "status", "posted", "held", "available")
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
        reference = as_uuid(term)
        if reference is not None:
            return queryset.filter(external_ref=reference), False
        return queryset.filter(pk=as_number(term) or 0), False

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

    @admin.display(description="Code", ordering="gl_code")
    def code(self, account: LedgerAccount) -> str:
        """Without its name: the bank's own accounts are called so already."""
        return account.gl_code_id

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
        all_of_them = format_html('<a href="{}">All postings</a>', ledger_url(account.pk))
        if account.is_internal:
            return all_of_them
        rows = format_html_join(
            "",
            row("{}", '<a href="{}">{}</a>', "{}", numbers=2),
            (
                (
                    f"{line.booked_at:%d %b %Y %H:%M}",
                    entry_url(line.entry_id),
                    f"Entry {line.entry_id}",
                    line.description,
                    shown(line.amount_minor, account.currency),
                    shown(line.balance_after, account.currency),
                )
                for line in queries.recent_lines(account.pk, limit=20)
            ),
        )
        listed = table("Booked", "Entry", "Description", numbers=("Amount", "Balance after"), rows=rows)
        return format_html("{}<p>{}</p>", listed, all_of_them)

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
class HoldAdmin(LinksForReader, ReadOnly):
    list_display = ("short_id", "account", "amount_shown", "state", "placed_at", "expires_at", "source")
    list_filter = (("placed_at", admin.DateFieldListFilter),)
    ordering = ("-placed_at", "pk")
    fields = ("id", "account", "amount_shown", "state", "placed_at", "expires_at", "source", "external_ref", "ended")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return super().get_queryset(request).select_related("account").prefetch_related("events")

    @admin.display(description="Hold", ordering="pk")
    def short_id(self, hold: Hold) -> str:
        return str(hold.pk)[:8]

    @admin.display(description="Amount")
    def amount_shown(self, hold: Hold) -> str:
        return shown(hold.amount, hold.account.currency)

    @admin.display(description="State")
    def state(self, hold: Hold) -> str:
        return next((event.get_kind_display() for event in hold.events.all()), "Active")

    @admin.display(description="Source")
    def source(self, hold: Hold) -> str:
        return link(hold.source_kind, hold.source_id, hold.reader.has_perm)  # type: ignore[attr-defined]

    @admin.display(description="How it ended")
    def ended(self, hold: Hold) -> str:
        for event in hold.events.all():
            if event.entry_id is not None:
                return format_html(
                    '{} posted by <a href="{}">entry {}</a>',
                    shown(event.amount, hold.account.currency),
                    entry_url(event.entry_id),
                    event.entry_id,
                )
            return f"{event.get_kind_display()} on {event.happened_at:%d %b %Y %H:%M}"
        return "Still active"
