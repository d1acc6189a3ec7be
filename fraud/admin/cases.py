"""The queue of cases, their files, and decisions as they were made."""

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
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST
from unfold.decorators import display

from common import geography
from common.errors import DomainError
from common.money import Money
from fraud import queries, services
from fraud.admin.files import OUTCOME_COLOURS, STATUS_COLOURS, FileAdmin
from fraud.models import Case, CaseStatus, Decision
from fraud.rules import wording
from fraud.rules.features import FEATURES
from identity.backoffice import decision_page


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
    list_display = ("opened", "waiting", "customer", "amount", "payee", "why", "kind", "state", "assignee")
    list_filter = ("status", "outcome", MineFilter, "transfer_type")
    search_fields = ("decision__beneficiary_label", "decision__account_label", "decision__beneficiary_ref")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        return queries.case_queue()

    def get_urls(self) -> list[Any]:
        return [
            self._path("<uuid:case_id>/release/", self.release, "release"),
            self._path("<uuid:case_id>/decline/", self.decline, "decline"),
            self._path("<uuid:case_id>/claim/", require_POST(self.claim), "claim"),
            self._path("<uuid:case_id>/put-back/", require_POST(self.put_back), "put_back"),
            self._path("<uuid:case_id>/note/", require_POST(self.note), "note"),
            *super().get_urls(),
        ]

    @display(description="Opened")
    def opened(self, case: Case) -> str:
        return date(case.opened_at, "j M Y H:i")

    @display(description="Waiting")
    def waiting(self, case: Case) -> str:
        return timesince(case.opened_at) if case.status == CaseStatus.OPEN else "–"

    @display(description="Customer")
    def customer(self, case: Any) -> str:
        return case.customer_name or str(case.customer_id)[:8]

    @display(description="Amount")
    def amount(self, case: Case) -> str:
        return str(Money(case.decision.amount_minor, case.decision.currency))

    @display(description="Payee")
    def payee(self, case: Case) -> str:
        return case.decision.beneficiary_label or case.decision.beneficiary_ref or "–"

    @display(description="Why")
    def why(self, case: Case) -> str:
        return ", ".join(reason["code"].replace("_", " ").capitalize() for reason in case.decision.reasons)

    @display(description="Payment", label=OUTCOME_COLOURS)
    def kind(self, case: Case) -> str:
        return case.get_outcome_display()

    @display(description="Status", label=STATUS_COLOURS)
    def state(self, case: Case) -> str:
        return case.get_status_display()

    @display(description="With")
    def assignee(self, case: Case) -> str:
        return case.assigned_to.get_full_name() if case.assigned_to else "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        case: Case = self._opened(request, object_id)
        file = queries.case_file(case)
        is_open = case.status == CaseStatus.OPEN
        own = case.customer_id == getattr(request.user, "public_id", None)
        return self._page(
            request,
            "admin/fraud/case.html",
            f"Case {str(case.pk)[:8]}",
            case=case,
            file=file,
            payment=self._payment(case, file),
            why=case.decision.reasons,
            recent=_recent_table(file.recent),
            earlier=_cases_table(file.earlier_cases, self._url),
            largest=_base(file.largest_90d_minor),
            percent=round(file.anomaly.percentile * 100, 1) if file.anomaly else None,
            status_colour=STATUS_COLOURS.get(case.get_status_display(), "default"),
            outcome_colour=OUTCOME_COLOURS[case.get_outcome_display()],
            may_decide=request.user.has_perm("identity.fraud_decide") and not own,
            is_open=is_open,
            refused=case.outcome == "BLOCKED",
            is_mine=case.assigned_to_id == request.user.pk,
            urls={name: self._url(name, case.pk) for name in ("release", "decline", "claim", "put_back", "note")},
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
            ("From", f"{customer.get_full_name() if customer else case.customer_id} {decision.account_label}".strip()),
            ("To", decision.beneficiary_label or decision.beneficiary_ref or "–"),
            ("When", date(decision.at, "j F Y, H:i:s e")),
            ("Asked for from", f"{geography.country_name(decision.country) or 'not known'}; at home in {home}"),
            ("Address", decision.ip or "–"),
            ("Channel", FEATURES["channel"].choices.get(decision.channel, decision.channel)),
        ]


@admin.register(Decision)
class DecisionAdmin(FileAdmin):
    list_display = ("at", "amount", "transfer_type", "payee", "result", "score", "latency")
    list_filter = ("outcome", "transfer_type", "channel")
    search_fields = ("beneficiary_label", "account_label", "beneficiary_ref")
    ordering = ("-at", "-id")

    @display(description="Amount")
    def amount(self, decision: Decision) -> str:
        return str(Money(decision.amount_minor, decision.currency))

    @display(description="Payee")
    def payee(self, decision: Decision) -> str:
        return decision.beneficiary_label or decision.beneficiary_ref or "–"

    @display(description="Outcome", label=OUTCOME_COLOURS)
    def result(self, decision: Decision) -> str:
        return decision.get_outcome_display()

    @display(description="Took")
    def latency(self, decision: Decision) -> str:
        return f"{decision.latency_ms:.1f} ms"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        decision: Decision = self._opened(request, object_id)
        vector = [
            (feature.label, wording.show(feature, decision.features.get(name), settings.BASE_CURRENCY))
            for name, feature in FEATURES.items()
        ]
        return self._page(
            request,
            "admin/fraud/decision.html",
            f"Decision {str(decision.pk)[:8]}",
            decision=decision,
            vector=vector,
            amount=self.amount(decision),
            payee=self.payee(decision),
            outcome_colour=OUTCOME_COLOURS[decision.get_outcome_display()],
            case=Case.objects.filter(decision=decision).first(),
        )


def _base(minor: int | None) -> str:
    return "not known" if minor is None else str(Money(minor, settings.BASE_CURRENCY))


def _recent_table(decisions: list[Decision]) -> dict[str, Any]:
    return {
        "headers": ["When", "Amount", "To", "From country", "Outcome"],
        "rows": [
            [
                date(decision.at, "j M Y H:i"),
                str(Money(decision.amount_minor, decision.currency)),
                decision.beneficiary_label or decision.beneficiary_ref or "–",
                decision.country or "–",
                decision.get_outcome_display(),
            ]
            for decision in decisions
        ],
    }


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
