"""The queue of cases, their files, and what an officer may do about one or several."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import display

from common.errors import DomainError
from fraud import queries, services, subjects
from fraud.admin import case_drawings, case_page, deciding
from fraud.admin.files import OUTCOME_COLOURS, STATUS_COLOURS, FileAdmin, TransferTypeFilter, payee_cell
from fraud.admin.queue import (
    URGENCY_COLOURS,
    AssignedFilter,
    DueFilter,
    RuleFilter,
    UrgencyFilter,
    due_text,
    file_names,
)
from fraud.models import Case, CaseStatus
from fraud.queries import casebook, desk
from fraud.rules.desk import DeskSettings
from identity.backoffice import decision_page, record_refusal

DEEDS = ("release", "decline", "claim", "assign", "put_back", "note", "check")


@admin.register(Case)
class CaseAdmin(FileAdmin):
    list_display = ("customer", "amount", "payee", "why", "urgency", "due", "state", "assignee")
    list_filter = ("status", UrgencyFilter, DueFilter, AssignedFilter, RuleFilter, "outcome", TransferTypeFilter)
    search_fields = (
        "customer_name",
        "decision__beneficiary_label",
        "decision__account_label",
        "decision__beneficiary_ref",
    )
    search_help_text = "Customer, payee, or a number of either side"
    list_before_template = "admin/fraud/_queue_tools.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return queries.case_queue()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may = request.user.has_perm("identity.fraud_decide")
        settings = desk.desk_settings()
        tools = {
            "claim_url": self._url("next") if may else "",
            "together_url": self._url("together") if may else "",
            "desk_url": self._url("desk") if request.user.has_perm("identity.fraud_approve_rules") else "",
            "desk": settings,
            "sample_percent": f"{settings.sample_share * 100:g}",
        }
        return super().changelist_view(request, {**(extra_context or {}), **tools})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of the rules that hit, once for the whole page."""
        changelist = super().get_changelist_instance(request)
        names = file_names()
        for case in changelist.result_list:
            codes = [reason["code"] for reason in case.decision.reasons] or [case.dossier.rule]
            case.why_names = [names.get(code, code) for code in codes]
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Case], search_term: str
    ) -> tuple[QuerySet[Case], bool]:
        """The queue has one row for each dossier; a search finds every payment."""
        if not search_term:
            queryset = queryset.leading()  # type: ignore[attr-defined]
        return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]

    def get_urls(self) -> list[Any]:
        return [
            self._path("next/", require_POST(self.claim_next), "next"),
            self._path("desk/", self.settings_page, "desk"),
            self._path("together/", self.together, "together"),
            self._path("<uuid:case_id>/release/", self.release, "release"),
            self._path("<uuid:case_id>/decline/", self.decline, "decline"),
            self._path("<uuid:case_id>/claim/", require_POST(self.claim), "claim"),
            self._path("<uuid:case_id>/assign/", require_POST(self.assign), "assign"),
            self._path("<uuid:case_id>/put-back/", require_POST(self.put_back), "put_back"),
            self._path("<uuid:case_id>/note/", require_POST(self.note), "note"),
            self._path("<uuid:case_id>/check/", require_POST(self.tick), "check"),
            *super().get_urls(),
        ]

    @display(description="Customer")
    def customer(self, case: Any) -> str:
        return case.customer_name or "Customer of another system"

    @display(description="Amount", ordering="decision__amount_base_minor")
    def amount(self, case: Any) -> SafeString:
        money = deciding.money_of(case)
        more = (case.open_together or 0) - 1
        if case.status != CaseStatus.OPEN or more < 1:
            return format_html("{}", money)
        return format_html('<span>{}<br><span class="office-quiet">and {} more</span></span>', money, more)

    @display(description="Payee")
    def payee(self, case: Case) -> SafeString:
        return payee_cell(case.decision)

    @display(description="Why it is here")
    def why(self, case: Any) -> str:
        return "; ".join(case.why_names)

    @display(description="Urgency", ordering="-dossier__urgency", label=URGENCY_COLOURS)
    def urgency(self, case: Case) -> str:
        return case.dossier.get_urgency_display()

    @display(description="Due", ordering="dossier__due_at")
    def due(self, case: Case) -> SafeString:
        return due_text(case, timezone.now())

    @display(description="Status", label=OUTCOME_COLOURS | STATUS_COLOURS)
    def state(self, case: Case) -> str:
        """While it is open: whether the payment is held, was refused, or was drawn by lot."""
        return case.get_outcome_display() if case.status == CaseStatus.OPEN else case.get_status_display()

    @display(description="With")
    def assignee(self, case: Case) -> str:
        holder = case.dossier.assigned_to
        return holder.get_full_name() if holder else "Nobody"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case: Case = self._opened(request, object_id)
        file = desk.case_file(case)
        is_open = case.status == CaseStatus.OPEN
        own = case.customer_id == getattr(request.user, "public_id", None)
        holder = case.dossier.assigned_to
        may_work = request.user.has_perm("identity.fraud_decide") and not own
        is_mine = holder is not None and holder.pk == request.user.pk
        payments = casebook.payments_before(case.decision)
        links = casebook.links_of(case.decision, payments)
        return self._page(
            request,
            "admin/fraud/case.html",
            case_page.headline(case, file.customer),
            original=case,
            case=case,
            subject=subjects.describe(case.subject_kind, case.subject_id),
            officers=case_page.colleagues(request, case) if may_work and is_open else [],
            decision_url=reverse("admin:fraud_decision_change", args=[case.decision_id]),
            file=file,
            payment=case_page.payment_facts(case, file.customer),
            why=case.decision.reasons,
            recent=case_page.recent_rows(file.recent),
            earlier=case_page.case_rows(file.earlier_cases, self._url),
            together=case_page.case_rows(file.together, self._url) if len(file.together) > 1 else [],
            history=case_drawings.history_chart(case.decision, payments),
            links=case_drawings.links_drawing(links, case_page.customer_name(file.customer)),
            links_rows=case_drawings.links_rows(links),
            layers=case_drawings.layer_rows(case.decision),
            similar=case_drawings.similar_rows(case, self._url),
            story=case_drawings.story_rows(case),
            answers=casebook.answers_of(case),
            filed_under=file_names().get(case.dossier.rule, case.dossier.rule),
            largest=case_page.in_base(file.largest_90d_minor),
            percent=round(file.anomaly.percentile * 100, 1) if file.anomaly else None,
            status_colour=STATUS_COLOURS.get(case.get_status_display(), "default"),
            outcome_colour=OUTCOME_COLOURS[case.get_outcome_display()],
            urgency_colour=URGENCY_COLOURS[case.dossier.get_urgency_display()],
            due=due_text(case, timezone.now()),
            holder=holder,
            may_work=may_work,
            may_decide=may_work and (holder is None or is_mine),
            is_open=is_open,
            open_checks=[item for item, ticked in file.checks if ticked is None],
            release_verb=deciding.verb(case, "RELEASE"),
            decline_verb=deciding.verb(case, "DECLINE"),
            is_mine=is_mine,
            urls={name: self._url(name, case.pk) for name in DEEDS},
        )

    def claim_next(self, request: HttpRequest) -> HttpResponse:
        """Take the most urgent case that nobody has, and open it."""
        if not request.user.has_perm("identity.fraud_decide"):
            raise PermissionDenied
        case = services.claim_next(actor=request.user, now=timezone.now())  # type: ignore[arg-type]
        if case is None:
            messages.info(request, "No case waits for somebody to take it.")
            return HttpResponseRedirect(self._url("changelist"))
        messages.success(request, "This case is with you now.")
        return HttpResponseRedirect(self._url("change", case.pk))

    def release(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "RELEASE")

    def decline(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "DECLINE")

    def claim(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.assign_case(
                actor=request.user, case_id=case_id, assignee=request.user, now=timezone.now()
            ),
            "This case is with you now.",
        )

    def assign(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        """Give the case to the chosen colleague; a stale or foreign choice is refused, nothing is guessed."""
        chosen = {str(officer.pk): officer for officer in desk.officers()}.get(request.POST.get("officer", ""))
        if chosen is None and request.user.has_perm("identity.fraud_decide"):
            messages.error(request, "Choose the colleague who takes this case.")
            return HttpResponseRedirect(self._url("change", case_id))
        return self._do(
            request,
            case_id,
            lambda: services.assign_case(
                actor=request.user,  # type: ignore[arg-type]
                case_id=case_id,
                assignee=chosen,  # type: ignore[arg-type]
                now=timezone.now(),
            ),
            f"This case is with {chosen.get_full_name()} now." if chosen else "",
        )

    def put_back(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.release_assignment(actor=request.user, case_id=case_id),
            "This case is back in the queue.",
        )

    def note(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        text = request.POST.get("text", "")
        return self._do(
            request,
            case_id,
            lambda: services.add_note(actor=request.user, case_id=case_id, text=text, now=timezone.now()),
            "You added a note.",
        )

    def tick(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        items = request.POST.getlist("checks")
        return self._do(
            request,
            case_id,
            lambda: services.check_items(actor=request.user, case_id=case_id, items=items, now=timezone.now()),
            "The checklist is up to date.",
        )

    def together(self, request: HttpRequest) -> HttpResponse:
        """Several cases, one decision and one reason; what became of each is listed."""
        if not request.user.has_perm("identity.fraud_decide"):
            record_refusal(request, permission="fraud_decide")
            raise PermissionDenied
        waiting = list(desk.decidable_cases(actor=request.user, limit=deciding.MOST_AT_ONCE))  # type: ignore[arg-type]
        form = deciding.TogetherForm(request.POST or None, items=desk.checklist_of(waiting), cases=waiting)
        results = []
        if request.method == "POST" and form.is_valid():
            try:
                results = deciding.decide_together(request, waiting, form.cleaned_data, timezone.now())
            except DomainError as error:
                form.attach(error)
        request.crumb = "Decide several"  # type: ignore[attr-defined]
        return self._page(
            request,
            "admin/fraud/together.html",
            "Decide several cases",
            form=form,
            rows=case_page.choice_rows(waiting, form, self._url, file_names()),
            results=case_page.result_rows(results, waiting, self._url),
            back=self._url("changelist"),
        )

    def settings_page(self, request: HttpRequest) -> HttpResponse:
        """When cases are due, and how much of what was approved is looked at anyway."""
        now = desk.desk_settings()
        return decision_page(
            self,
            request,
            permission="fraud_approve_rules",
            title="What the fraud desk goes by",
            facts=[],
            form_class=deciding.DeskForm,
            initial={
                "critical_hours": now.critical_hours,
                "suspicious_hours": now.suspicious_hours,
                "sample_hours": now.sample_hours,
                "sample_percent": f"{now.sample_share * 100:g}",
            },
            decide=lambda cleaned: services.set_desk(
                actor=request.user,  # type: ignore[arg-type]
                settings=DeskSettings(
                    critical_hours=cleaned["critical_hours"],
                    suspicious_hours=cleaned["suspicious_hours"],
                    sample_hours=cleaned["sample_hours"],
                    sample_share=float(cleaned["sample_percent"] / Decimal(100)),
                ),
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done="The fraud desk goes by this from now on.",
            confirm="Set",
            back=self._url("changelist"),
            note="Hours count from the first payment of a case, for cases that open from now on.",
        )

    def _do(
        self, request: HttpRequest, case_id: uuid.UUID, deed: Callable[[], object], done: str
    ) -> HttpResponseRedirect:
        self._opened(request, case_id)
        if not request.user.has_perm("identity.fraud_decide"):
            raise PermissionDenied
        try:
            deed()
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(self._url("change", case_id))

    def _decide(self, request: HttpRequest, case_id: uuid.UUID, decision: str) -> HttpResponse:
        case: Case = self._opened(request, case_id)
        if request.method == "GET" and case.status != CaseStatus.OPEN:
            messages.error(request, "This case is decided already.")
            return HttpResponseRedirect(self._url("change", case_id))
        cases = desk.open_cases_of(case) if case.status == CaseStatus.OPEN else [case]
        verb = deciding.verb(case, decision)
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title=verb,
            facts=case_page.payment_facts(case),
            decide=lambda cleaned: deciding.decide(request, cases, decision, cleaned, timezone.now()),
            done=str,
            confirm=verb,
            back=self._url("change", case_id),
            note=deciding.consequence(case, decision),
            danger=decision == "DECLINE",
            form_class=deciding.form_for(case, cases, decision),
            audit_subject=("fraud_case", case_id),
        )
