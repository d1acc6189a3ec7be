"""The queue of cases, their files, and what an officer may do about one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST
from unfold.decorators import display

from common import geography
from common.errors import DomainError
from common.money import Money
from fraud import queries, services, subjects
from fraud.admin.files import (
    BUILT_IN,
    CHANNELS,
    OUTCOME_COLOURS,
    STATUS_COLOURS,
    FileAdmin,
    TransferTypeFilter,
    choice,
    payee_cell,
)
from fraud.models import Case, CaseStatus, Decision
from identity.backoffice import decision_page
from identity.models import User


class MineFilter(admin.SimpleListFilter):
    title = "assigned to"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), ("nobody", "Nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Case]) -> QuerySet[Case]:
        if self.value() == "me":
            return queryset.filter(assigned_to_id=request.user.pk)
        return queryset.filter(assigned_to=None) if self.value() == "nobody" else queryset


@admin.register(Case)
class CaseAdmin(FileAdmin):
    list_display = ("customer", "amount", "payee", "why", "kind", "state", "waiting", "assignee")
    list_filter = ("status", "outcome", MineFilter, TransferTypeFilter)
    search_fields = (
        "customer_name",
        "decision__beneficiary_label",
        "decision__account_label",
        "decision__beneficiary_ref",
    )
    search_help_text = "Customer, payee, or a number of either side"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return queries.case_queue()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The names of the rules that hit, once for the whole page."""
        changelist = super().get_changelist_instance(request)
        names = BUILT_IN | queries.rule_names()
        for case in changelist.result_list:
            case.why_names = [names.get(reason["code"], reason["code"]) for reason in case.decision.reasons]
        return changelist

    def get_urls(self) -> list[Any]:
        return [
            self._path("<uuid:case_id>/release/", self.release, "release"),
            self._path("<uuid:case_id>/decline/", self.decline, "decline"),
            self._path("<uuid:case_id>/claim/", require_POST(self.claim), "claim"),
            self._path("<uuid:case_id>/assign/", require_POST(self.assign), "assign"),
            self._path("<uuid:case_id>/put-back/", require_POST(self.put_back), "put_back"),
            self._path("<uuid:case_id>/note/", require_POST(self.note), "note"),
            *super().get_urls(),
        ]

    @display(description="Customer")
    def customer(self, case: Any) -> str:
        return case.customer_name or "Customer of another system"

    @display(description="Amount", ordering="decision__amount_base_minor")
    def amount(self, case: Case) -> str:
        return str(Money(case.decision.amount_minor, case.decision.currency))

    @display(description="Payee")
    def payee(self, case: Case) -> SafeString:
        return payee_cell(case.decision)

    @display(description="Why it stopped")
    def why(self, case: Any) -> str:
        return "; ".join(case.why_names)

    @display(description="Waiting", ordering="opened_at")
    def waiting(self, case: Case) -> str:
        if case.status == CaseStatus.OPEN:
            return timesince(case.opened_at, depth=1)
        return date(case.opened_at, "j M Y, H:i")

    @display(description="Payment", label=OUTCOME_COLOURS)
    def kind(self, case: Case) -> str:
        return case.get_outcome_display()

    @display(description="Status", label=STATUS_COLOURS)
    def state(self, case: Case) -> str:
        return case.get_status_display()

    @display(description="With")
    def assignee(self, case: Case) -> str:
        return case.assigned_to.get_full_name() if case.assigned_to else "Nobody"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case: Case = self._opened(request, object_id)
        file = queries.case_file(case)
        is_open = case.status == CaseStatus.OPEN
        own = case.customer_id == getattr(request.user, "public_id", None)
        may_decide = request.user.has_perm("identity.fraud_decide") and not own
        return self._page(
            request,
            "admin/fraud/case.html",
            _headline(case, file.customer),
            original=case,
            case=case,
            subject=subjects.describe(case.subject_kind, case.subject_id),
            officers=_others(request, case) if may_decide and is_open else [],
            decision_url=reverse("admin:fraud_decision_change", args=[case.decision_id]),
            file=file,
            payment=self._payment(case, file),
            why=case.decision.reasons,
            recent=_recent_rows(file.recent),
            earlier=_cases_table(file.earlier_cases, self._url),
            largest=_base(file.largest_90d_minor),
            percent=round(file.anomaly.percentile * 100, 1) if file.anomaly else None,
            status_colour=STATUS_COLOURS.get(case.get_status_display(), "default"),
            outcome_colour=OUTCOME_COLOURS[case.get_outcome_display()],
            may_decide=may_decide,
            is_open=is_open,
            refused=case.outcome == "BLOCKED",
            is_mine=case.assigned_to_id == request.user.pk,
            urls={
                name: self._url(name, case.pk) for name in ("release", "decline", "claim", "assign", "put_back", "note")
            },
        )

    def release(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "RELEASE")

    def decline(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._decide(request, case_id, "DECLINE")

    def claim(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.assign_case(actor=request.user, case_id=case_id, assignee=request.user),
            "This case is with you now.",
        )

    def assign(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        """Give the case to the chosen colleague; a stale or foreign choice is refused, nothing is guessed."""
        chosen = {str(officer.pk): officer for officer in queries.officers()}.get(request.POST.get("officer", ""))
        if chosen is None and request.user.has_perm("identity.fraud_decide"):
            messages.error(request, "Choose the colleague who takes this case.")
            return HttpResponseRedirect(self._url("change", case_id))
        return self._do(
            request,
            case_id,
            lambda: services.assign_case(actor=request.user, case_id=case_id, assignee=chosen),  # type: ignore[arg-type]
            f"This case is with {chosen.get_full_name()} now." if chosen else "",
        )

    def put_back(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        return self._do(
            request,
            case_id,
            lambda: services.release_assignment(actor=request.user, case_id=case_id),
            "You put this case back into the queue.",
        )

    def note(self, request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
        text = request.POST.get("text", "")
        return self._do(
            request,
            case_id,
            lambda: services.add_note(actor=request.user, case_id=case_id, text=text, now=timezone.now()),
            "You added a note.",
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
        release = decision == "RELEASE"
        money = Money(case.decision.amount_minor, case.decision.currency)
        if case.outcome == "BLOCKED":
            verb = "Clear this refused payment" if release else "Confirm fraud"
            note = "The payment was refused and stays refused; your answer teaches us whether that was right."
            done = "You cleared the suspicion." if release else "You confirmed the fraud."
        else:
            verb = "Release the payment" if release else "Decline the payment"
            note = (
                "The money goes to the payee at once."
                if release
                else "The customer gets the reserved money back at once."
            )
            done = f"You released {money}." if release else f"You declined {money}."
        return decision_page(
            self,
            request,
            permission="fraud_decide",
            title=verb,
            facts=self._payment(case, None),
            decide=lambda cleaned: services.decide_case(
                actor=request.user,  # type: ignore[arg-type]
                case_id=case_id,
                decision=decision,
                reason=cleaned["reason"],
                now=timezone.now(),
            ),
            done=done,
            confirm=verb,
            back=self._url("change", case_id),
            note=note,
            danger=not release,
            audit_subject=("fraud_case", case_id),
        )

    def _payment(self, case: Case, file: queries.CaseFile | None) -> list[tuple[str, object]]:
        decision = case.decision
        customer = file.customer if file else queries.customer_of(case.customer_id)
        money = Money(decision.amount_minor, decision.currency)
        base = "" if decision.currency == settings.BASE_CURRENCY else f" ({_base(decision.amount_base_minor)})"
        home = geography.country_name(decision.home_country) or "not known"
        return [
            ("Amount", f"{money}{base}"),
            ("From", ", ".join(part for part in (_name(customer), decision.account_label) if part)),
            ("To", decision.beneficiary_label or decision.beneficiary_ref or "–"),
            ("When", date(decision.at, "j F Y, H:i:s e")),
            ("Asked for from", f"{geography.country_name(decision.country) or 'not known'}; at home in {home}"),
            ("Internet address", decision.ip or "not known"),
            ("Asked for through", choice(CHANNELS, decision.channel)),
        ]


def _base(minor: int | None) -> str:
    return "not known" if minor is None else str(Money(minor, settings.BASE_CURRENCY))


def _name(customer: User | None) -> str:
    return customer.get_full_name() if customer else ""


def _headline(case: Case, customer: User | None) -> str:
    decision = case.decision
    payer = _name(customer) or "a customer of another system"
    payee = decision.beneficiary_label.rpartition(", ")[0] or decision.beneficiary_label or decision.beneficiary_ref
    return f"{Money(decision.amount_minor, decision.currency)} from {payer} to {payee or 'outside'}"


def _others(request: HttpRequest, case: Case) -> list[User]:
    """Who else may take the case: not oneself, not whoever has it, not whom it is about."""
    left_out = {request.user.pk, case.assigned_to_id}
    return [
        officer
        for officer in queries.officers()
        if officer.pk not in left_out and officer.public_id != case.customer_id
    ]


def _recent_rows(decisions: list[Decision]) -> list[dict[str, str]]:
    return [
        {
            "when": date(decision.at, "j M Y, H:i"),
            "amount": str(Money(decision.amount_minor, decision.currency)),
            "payee": decision.beneficiary_label or decision.beneficiary_ref or "–",
            "country": geography.country_name(decision.country) or "not known",
            "outcome": decision.get_outcome_display(),
            "url": reverse("admin:fraud_decision_change", args=[decision.pk]),
        }
        for decision in decisions
    ]


def _cases_table(cases: list[Case], url: Callable[..., str]) -> list[dict[str, Any]]:
    return [
        {
            "url": url("change", case.pk),
            "opened": date(case.opened_at, "j M Y H:i"),
            "amount": str(Money(case.decision.amount_minor, case.decision.currency)),
            "status": case.get_status_display(),
            "reason": case.reason,
        }
        for case in cases
    ]
