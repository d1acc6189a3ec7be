"""Block and allow lists, and snoozes: what is in force, who wrote it, and how it ends."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import action, display

from fraud import queries, services
from fraud.admin.files import FileAdmin
from fraud.admin.forms import EntryForm, SnoozeForm
from fraud.models import Decision, EntryState, ListEntry, Snooze
from fraud.rules.lists import Listing
from identity.backoffice import decision_page

COLOURS = {
    "Waiting for approval": "warning",
    "In force": "success",
    "Ended": "default",
    "Over": "default",
    "Block": "danger",
    "Allow": "info",
}
# What of a decision fills in an entry, by kind.
FROM_DECISION = {"PAYEE": "beneficiary_ref", "DEVICE": "device", "NETWORK": "ip", "COUNTRY": "country"}


def _day(moment: datetime | None) -> str:
    return date_format(moment, "j M Y, H:i") if moment else "no end"


def _of_decision(request: HttpRequest) -> Decision | None:
    """The decision whose page led here."""
    try:
        return Decision.objects.filter(pk=uuid.UUID(request.GET.get("decision", ""))).first()
    except ValueError:
        return None


@admin.register(ListEntry)
class ListEntryAdmin(FileAdmin):
    list_display = ("names", "on", "kind", "where", "quiet", "until", "made_by")
    list_filter = ("listing", "kind", "state")
    search_fields = ("value", "label", "reason")
    search_help_text = "What it names, or its reason"
    list_select_related = ("maker", "checker")
    ordering = ("-created_at", "id")
    actions_list = ("add_entries",)

    def get_urls(self) -> list[Any]:
        return [
            self._path("new/", self.new, "new"),
            self._path("<uuid:entry_id>/approve/", self.approve, "approve"),
            self._path("<uuid:entry_id>/end/", self.end, "end"),
            *super().get_urls(),
        ]

    def has_add_entries_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.fraud_edit_rules")

    @action(description="Add to a list", url_path="add-entries", icon="add", permissions=["add_entries"])
    def add_entries(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("new"))

    @display(description="Names")
    def names(self, entry: ListEntry) -> str:
        return entry.label or entry.value

    @display(description="List", label=COLOURS)
    def on(self, entry: ListEntry) -> str:
        return entry.get_listing_display()

    @display(description="State", label=COLOURS)
    def where(self, entry: ListEntry) -> str:
        over = entry.state == EntryState.ACTIVE and entry.ends_at is not None and entry.ends_at <= timezone.now()
        return "Over" if over else entry.get_state_display()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of the rules, once for the whole page."""
        changelist = super().get_changelist_instance(request)
        names = queries.rule_names()
        for entry in changelist.result_list:
            entry.names_of_rules = [names.get(code, code) for code in entry.rules]
        return changelist

    @display(description="Rules kept quiet")
    def quiet(self, entry: Any) -> str:
        return "; ".join(entry.names_of_rules) or "–"

    @display(description="Until", ordering="ends_at")
    def until(self, entry: ListEntry) -> str:
        return date_format(entry.ends_at, "j M Y") if entry.ends_at else "No end"

    @display(description="Written by")
    def made_by(self, entry: ListEntry) -> str:
        return entry.maker.get_full_name()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        entry: ListEntry = self._opened(request, object_id)
        return self._page(
            request,
            "admin/fraud/entry.html",
            str(entry),
            original=entry,
            state=self.where(entry),
            colour=COLOURS[self.where(entry)],
            facts=self._facts(entry),
            deeds=self._deeds(request, entry),
            lifts=entry.listing == Listing.BLOCK,
        )

    def _facts(self, entry: ListEntry) -> list[tuple[str, object]]:
        names = queries.rule_names()
        blocks = entry.listing == Listing.BLOCK
        quiet = "; ".join(names.get(code, code) for code in entry.rules)
        facts: list[tuple[str, object]] = [
            ("What it names", f"{entry.get_kind_display()}: {entry.label or entry.value}"),
            ("As payments tell it", entry.value),
            ("What it does", "Refuses the payment at once" if blocks else f"Keeps these rules quiet: {quiet}"),
            ("Reason", entry.reason),
            ("Written by", f"{entry.maker.get_full_name()}, {_day(entry.created_at)}"),
            ("Until", _day(entry.ends_at)),
        ]
        if entry.checker and entry.active_at:
            facts.append(("Approved by", f"{entry.checker.get_full_name()}, {_day(entry.active_at)}"))
        if entry.ended_by and entry.ended_at:
            facts.append(("Ended by", f"{entry.ended_by.get_full_name()}, {_day(entry.ended_at)}"))
        return facts

    def _deeds(self, request: HttpRequest, entry: ListEntry) -> dict[str, str]:
        edits = request.user.has_perm("identity.fraud_edit_rules")
        approves = request.user.has_perm("identity.fraud_approve_rules")
        mine = entry.maker_id == request.user.pk
        ends = edits and entry.listing == Listing.ALLOW if mine else approves
        possible = {
            "approve": approves and not mine and entry.state == EntryState.PENDING,
            "end": ends and entry.state != EntryState.ENDED,
        }
        return {name: self._url(name, entry.pk) for name, allowed in possible.items() if allowed}

    def new(self, request: HttpRequest) -> HttpResponse:
        def add(cleaned: dict[str, Any]) -> list[ListEntry]:
            last = cleaned["ends_on"]
            return services.add_entries(
                actor=request.user,
                listing=cleaned["listing"],
                kind=cleaned["kind"],
                values=cleaned["values"].splitlines(),
                reason=cleaned["reason"],
                ends_at=datetime.combine(last, time.max, UTC) if last else None,
                rules=cleaned["rules"],
                label=cleaned["label"],
                now=timezone.now(),
            )

        return decision_page(
            self,
            request,
            permission="fraud_edit_rules",
            title="Add to a list",
            facts=[],
            form_class=EntryForm,
            initial=self._initial(request),
            decide=add,
            done=_added,
            confirm="Add",
            back=self._url("changelist"),
            note="A block refuses payments from now on. An allow entry waits for another person, and only keeps soft "
            "rules quiet: never a rule that refuses, and never the block list.",
        )

    def _initial(self, request: HttpRequest) -> dict[str, Any]:
        decision, kind = _of_decision(request), request.GET.get("kind", "PAYEE")
        if decision is None or kind not in FROM_DECISION or not self.has_view_permission(request):
            return {}
        label = decision.beneficiary_label if kind == "PAYEE" else ""
        return {"kind": kind, "values": getattr(decision, FROM_DECISION[kind]) or "", "label": label}

    def approve(self, request: HttpRequest, entry_id: uuid.UUID) -> HttpResponse:
        entry: ListEntry = self._opened(request, entry_id)
        return decision_page(
            self,
            request,
            permission="fraud_approve_rules",
            title=f"Approve: {entry}",
            facts=self._facts(entry),
            decide=lambda cleaned: services.approve_entry(
                actor=request.user, entry_id=entry_id, reason=cleaned["reason"], now=timezone.now()
            ),
            done="The entry counts from the next payment on.",
            confirm="Approve",
            back=self._url("change", entry_id),
            audit_subject=("fraud_entry", entry_id),
        )

    def end(self, request: HttpRequest, entry_id: uuid.UUID) -> HttpResponse:
        entry: ListEntry = self._opened(request, entry_id)
        own_allow = entry.listing == Listing.ALLOW and entry.maker_id == request.user.pk
        verb = "Turn it down" if entry.state == EntryState.PENDING else "End this entry"
        return decision_page(
            self,
            request,
            permission="fraud_edit_rules" if own_allow else "fraud_approve_rules",
            title=f"{verb}: {entry}",
            facts=self._facts(entry),
            decide=lambda cleaned: services.end_entry(
                actor=request.user, entry_id=entry_id, reason=cleaned["reason"], now=timezone.now()
            ),
            done="The entry has ended.",
            confirm=verb,
            danger=entry.listing == Listing.BLOCK,
            back=self._url("change", entry_id),
            audit_subject=("fraud_entry", entry_id),
        )


@admin.register(Snooze)
class SnoozeAdmin(FileAdmin):
    list_display = ("rule_name", "label", "where", "until", "reason", "made_by")
    list_filter = ("rule_code",)
    search_fields = ("label", "rule_code", "reason")
    list_select_related = ("maker",)
    ordering = ("-from_at", "id")
    actions_list = ("snooze_a_rule",)

    def get_urls(self) -> list[Any]:
        return [
            self._path("new/", self.new, "new"),
            self._path("<uuid:snooze_id>/end/", self.end, "end"),
            *super().get_urls(),
        ]

    def has_snooze_a_rule_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("identity.fraud_decide")

    @action(description="Snooze a rule", url_path="snooze-a-rule", icon="snooze", permissions=["snooze_a_rule"])
    def snooze_a_rule(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._url("new"))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of the rules, once for the whole page."""
        changelist = super().get_changelist_instance(request)
        names = queries.rule_names()
        for snooze in changelist.result_list:
            snooze.name_of_rule = names.get(snooze.rule_code, snooze.rule_code)
        return changelist

    @display(description="Rule", ordering="rule_code")
    def rule_name(self, snooze: Any) -> str:
        return snooze.name_of_rule

    @display(description="State", label=COLOURS)
    def where(self, snooze: Snooze) -> str:
        if snooze.ended_at is not None:
            return "Ended"
        return "In force" if snooze.ends_at > timezone.now() else "Over"

    @display(description="Until", ordering="ends_at")
    def until(self, snooze: Snooze) -> str:
        return _day(snooze.ends_at)

    @display(description="Snoozed by")
    def made_by(self, snooze: Snooze) -> str:
        return snooze.maker.get_full_name()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        snooze: Snooze = self._opened(request, object_id)
        state = self.where(snooze)
        may_end = request.user.has_perm("identity.fraud_decide") and state == "In force"
        return self._page(
            request,
            "admin/fraud/entry.html",
            f"{queries.rule_names().get(snooze.rule_code, snooze.rule_code)}: {snooze.label}",
            original=snooze,
            state=state,
            colour=COLOURS[state],
            facts=self._facts(snooze),
            deeds={"end": self._url("end", snooze.pk)} if may_end else {},
        )

    def _facts(self, snooze: Snooze) -> list[tuple[str, object]]:
        facts: list[tuple[str, object]] = [
            ("Rule kept quiet", queries.rule_names().get(snooze.rule_code, snooze.rule_code)),
            (snooze.get_holder_display(), snooze.label),
            ("Reason", snooze.reason),
            ("Snoozed by", f"{snooze.maker.get_full_name()}, {_day(snooze.from_at)}"),
            ("Until", _day(snooze.ends_at)),
        ]
        if snooze.ended_by and snooze.ended_at:
            facts.append(("Ended by", f"{snooze.ended_by.get_full_name()}, {_day(snooze.ended_at)}"))
        return facts

    def new(self, request: HttpRequest) -> HttpResponse:
        decision = _of_decision(request)
        initial = {"rule": request.GET.get("rule", "")}
        if decision is not None and self.has_view_permission(request):
            initial["who"] = str(decision.account_ref)
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title="Snooze a rule",
            facts=[],
            form_class=SnoozeForm,
            initial=initial,
            decide=lambda cleaned: services.snooze_rule(
                actor=request.user,
                code=cleaned["rule"],
                who=cleaned["who"],
                days=cleaned["days"],
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=lambda snooze: f"The rule is quiet for {snooze.label} until {_day(snooze.ends_at)}.",
            confirm="Snooze",
            back=self._url("changelist"),
            note="The rule still notices what it would have held; it decides nothing for this customer or account.",
        )

    def end(self, request: HttpRequest, snooze_id: uuid.UUID) -> HttpResponse:
        snooze: Snooze = self._opened(request, snooze_id)
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title=f"End the snooze for {snooze.label}",
            facts=self._facts(snooze),
            decide=lambda cleaned: services.end_snooze(
                actor=request.user, snooze_id=snooze_id, reason=cleaned["reason"], now=timezone.now()
            ),
            done="The rule speaks again from the next payment on.",
            confirm="End the snooze",
            back=self._url("change", snooze_id),
            audit_subject=("fraud_snooze", snooze_id),
        )


def _added(entries: list[ListEntry]) -> str:
    count = f"{len(entries)} entries" if len(entries) > 1 else "the entry"
    if entries[0].listing == Listing.BLOCK:
        return f"You added {count}. Payments are refused from now on."
    return f"You added {count}. Another person has to approve before anything counts."
