"""Journal entries with their postings and their seal, and the seals themselves."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from common.subjects import LinksForReader, link, words
from ledger import reports, verification
from ledger.admin.base import ReadOnly, account_url, as_number, as_uuid, entry_url, row, shown, table
from ledger.models import Entry, EntryReference, Seal


@admin.register(Entry)
class EntryAdmin(LinksForReader, ReadOnly):
    list_display = ("number", "booked_at", "what", "description", "amounts", "source")
    list_filter = (("booked_at", admin.DateFieldListFilter),)
    search_fields = ("pk",)
    search_help_text = "Entry number or reference (UUID)"
    ordering = ("-pk",)
    fields = (
        "number",
        "what",
        "description",
        "booked_at",
        "value_date",
        "source",
        "external_ref",
        "reversal",
        "created_at",
        "seal",
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
        reference = as_uuid(term)
        if reference is not None:
            return queryset.filter(reference__external_ref=reference), False
        return queryset.filter(pk=as_number(term) or 0), False

    @admin.display(description="Entry", ordering="pk")
    def number(self, entry: Entry) -> str:
        return str(entry.pk)

    @admin.display(description="Kind", ordering="kind")
    def what(self, entry: Entry) -> str:
        return words(entry.kind)

    @admin.display(description="Source")
    def source(self, entry: Entry) -> str:
        return link(entry.source_kind, entry.source_id, entry.reader.has_perm)  # type: ignore[attr-defined]

    @admin.display(description="Moved")
    def amounts(self, entry: Entry) -> str:
        totals: dict[str, int] = {}
        for posting in entry.postings.all():
            totals[posting.currency] = totals.get(posting.currency, 0) + max(posting.amount, 0)
        return ", ".join(shown(total, currency) for currency, total in sorted(totals.items()))

    @admin.display(description="Reversal")
    def reversal(self, entry: Entry) -> str:
        if entry.reverses_id is not None:
            return format_html('reverses <a href="{}">entry {}</a>', entry_url(entry.reverses_id), entry.reverses_id)
        by = EntryReference.objects.filter(reverses_id=entry.pk).values_list("entry_id", flat=True).first()
        if by is not None:
            return format_html('reversed by <a href="{}">entry {}</a>', entry_url(by), by)
        return "–"

    @admin.display(description="Seal")
    def seal(self, entry: Entry) -> str:
        seal = reports.seal_of(entry_xid=entry.xid or 0)
        if seal is None:
            return "Not sealed yet; the next block takes it in."
        return format_html(
            'Sealed in <a class="office-link" href="{}">block {}</a>, hash {}…, <a class="office-link" href="{}">verify now</a>',
            reverse("admin:ledger_seal_change", args=[seal.pk]),
            seal.pk,
            seal.digest[:12],
            reverse("admin:ledger_seal_verify", args=[seal.pk]),
        )

    @admin.display(description="Postings")
    def legs(self, entry: Entry) -> str:
        rows = format_html_join(
            "",
            row("{}", '<a href="{}">{}</a>', numbers=4),
            (
                (
                    posting.no,
                    account_url(posting.account_id),
                    posting.account,
                    shown(-posting.amount, posting.currency) if posting.amount < 0 else "",
                    shown(posting.amount, posting.currency) if posting.amount > 0 else "",
                    posting.account_seq or "–",
                    shown(posting.balance_after, posting.currency),
                )
                for posting in sorted(entry.postings.all(), key=lambda posting: posting.no)
            ),
        )
        return table("No.", "Account", numbers=("Debit", "Credit", "Sequence", "Balance after"), rows=rows)


@admin.register(Seal)
class SealAdmin(ReadOnly):
    list_display = ("number", "sealed_at", "entries", "span", "hash")
    ordering = ("-number",)
    search_fields = ("pk",)
    search_help_text = "Number of the block, or of an entry in it"
    fields = ("number", "sealed_at", "entries", "span", "own", "before", "rows", "start", "cut", "again")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Seal], search_term: str
    ) -> tuple[QuerySet[Seal], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = as_number(term) or 0
        entry = Entry.objects.filter(pk=wanted).first()
        seal = reports.seal_of(entry_xid=entry.xid) if entry is not None and entry.xid is not None else None
        return queryset.filter(pk=seal.pk if seal is not None else wanted), False

    def get_urls(self) -> list[Any]:
        verify = self.admin_site.admin_view(self.verify)
        return [path("<int:number>/verify/", verify, name="ledger_seal_verify"), *super().get_urls()]

    def verify(self, request: HttpRequest, number: int) -> HttpResponse:
        """Hash the block's entries again, now, and say whether they are as they were sealed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        seal = Seal.objects.filter(pk=number).first()
        if seal is None:
            raise Http404
        request.crumb = f"Block {number}"  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Block {number}",
            "seal": seal,
            "problems": verification.problems_of_block(number),
            "back": reverse("admin:ledger_seal_change", args=[number]),
        }
        return TemplateResponse(request, "admin/ledger/verified.html", context)

    @admin.display(description="Entries from and to")
    def span(self, seal: Seal) -> str:
        return f"{seal.first_entry} – {seal.last_entry}"

    @admin.display(description="Hash")
    def own(self, seal: Seal) -> str:
        return _folded(seal.digest)

    @admin.display(description="Hash of the seal before")
    def before(self, seal: Seal) -> str:
        return _folded(seal.previous)

    @admin.display(description="Hash of the entries")
    def rows(self, seal: Seal) -> str:
        return _folded(seal.rows_digest)

    @admin.display(description="Hash")
    def hash(self, seal: Seal) -> str:
        return f"{seal.digest[:16]}…"

    @admin.display(description="Verify")
    def again(self, seal: Seal) -> str:
        return format_html(
            '<a class="office-link" href="{}">Hash its entries again now</a>',
            reverse("admin:ledger_seal_verify", args=[seal.pk]),
        )


def _folded(digest: str) -> str:
    """A hash in groups of eight, so that it breaks into lines where the page is narrow."""
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))
