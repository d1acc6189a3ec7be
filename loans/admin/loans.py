"""Loans in the back office: the list with its late ones, one loan with its books, the portfolio, and the officers' deeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import display

from common.errors import DomainError, Invalid
from common.money import Money
from identity import queries as identity
from identity.backoffice import ReadOnlyAdmin, decision_page, record_refusal
from loans import queries, services
from loans.admin import drawings, plans
from loans.admin.payouts import Payouts, loan_facts, parts
from loans.models import Loan, Restructure
from loans.queries.portfolio import portfolio

LABELS = {"ACTIVE": "success", "CLOSED": "info", "CANCELLED": "info", "WRITTEN_OFF": "danger"}
# Why a collection failed, as people say it.
REASONS = {
    "insufficient_funds": "Not enough money",
    "account_frozen": "Account frozen",
    "account_closed": "Account closed",
}
DECIDED = {"PROPOSED": "warning", "APPROVED": "success", "REFUSED": "danger"}


class LateFilter(admin.SimpleListFilter):
    title = "lateness"
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Late"), ("30", "30 days and more"), ("60", "60 days and more"), ("90", "Non-performing")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loan]) -> QuerySet[Loan]:
        days = self.value()
        if days not in ("1", "30", "60", "90"):
            return queryset
        return queryset.filter(status=Loan.Status.ACTIVE, days_past_due__gte=int(days)).order_by("-days_past_due", "pk")


@admin.register(Loan)
class LoanAdmin(Payouts, ReadOnlyAdmin):
    view_permission: ClassVar[str] = "loan_view"
    list_display = ["person", "product", "lent", "owed", "shown_status", "late", "next_due_date", "start_date"]
    list_display_links = ["person"]
    list_filter = [LateFilter, "status", "product"]
    search_fields = ["customer__full_name", "customer__email", "account__number"]
    search_help_text = "Name, e-mail address or account number"
    list_select_related = ["customer", "product"]
    ordering = ["-disbursed_at", "id"]

    @display(description="Customer", ordering="customer__full_name")  # type: ignore[untyped-decorator]
    def person(self, loan: Loan) -> str:
        return loan.customer.full_name or loan.customer.email

    @display(description="Lent", ordering="principal_minor")  # type: ignore[untyped-decorator]
    def lent(self, loan: Loan) -> str:
        return str(loan.principal)

    @display(description="Owed", ordering="principal_balance_minor")  # type: ignore[untyped-decorator]
    def owed(self, loan: Loan) -> str:
        return str(Money(loan.owed_minor, loan.currency))

    @display(description="State", label=LABELS, ordering="status")  # type: ignore[untyped-decorator]
    def shown_status(self, loan: Loan) -> tuple[str, str]:
        return loan.status, loan.get_status_display()

    @display(description="Days late", ordering="days_past_due")  # type: ignore[untyped-decorator]
    def late(self, loan: Loan) -> str:
        return str(loan.days_past_due) if loan.days_past_due else "–"

    def get_urls(self) -> list[Any]:
        pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("portfolio/", self.portfolio_view, "loans_portfolio_changelist"),
            ("<path:object_id>/plan/", self.plan_view, "loans_loan_plan"),
            ("<path:object_id>/propose/", self.propose_view, "loans_loan_propose"),
            ("<path:object_id>/payout/", self.payout_view, "loans_loan_payout"),
            ("<path:object_id>/payout/agree/", self.agree_payout_view, "loans_loan_payout_agree"),
            ("<path:object_id>/payout/refuse/", self.refuse_payout_view, "loans_loan_payout_refuse"),
            ("<path:object_id>/cancel-rest/", self.cancel_rest_view, "loans_loan_cancel_rest"),
            ("<path:object_id>/write-off/", self.write_off_view, "loans_loan_write_off"),
        ]
        own = [path(route, self.admin_site.admin_view(view), name=name) for route, view, name in pages]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """One loan with its plan, events and bookings. It only shows."""
        self._require(request)
        loan = self._loan(object_id)
        may = loan.status == Loan.Status.ACTIVE and request.user.has_perm("identity.loan_service")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": loan,
            "title": f"{loan.customer.full_name}: {loan.product.name}",
            "loan": loan,
            "colour": LABELS[loan.status],
            "facts": loan_facts(loan),
            "books": _books(loan),
            "rows": [_row(row, loan.currency) for row in queries.instalments_of(loan)],
            "events": [
                _event(event, loan.currency) for event in loan.events.select_related("actor").order_by("-number")
            ],
            "movements": [_movement(each, loan.currency) for each in loan.movements.order_by("-pk")[:30]],
            "collections": [
                (each, REASONS.get(each.reason, each.reason.replace("_", " ").capitalize()))
                for each in loan.collections.order_by("-day")[:15]
            ],
            "parts": parts(loan),
            "proposals": loan.restructures.select_related("maker", "checker").order_by("-made_at"),
            "may_serve": may
            and loan.customer_id != request.user.pk
            and not identity.are_connected(request.user, loan.customer),
        }
        return TemplateResponse(request, "admin/loans/loan.html", context)

    def portfolio_view(self, request: HttpRequest) -> HttpResponse:
        """What is out, what comes in, how late it is, how each month's loans do."""
        self._require(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Loan portfolio",
            "books": [(book, drawings.vintages(book.vintages)) for book in portfolio(today=timezone.now().date())],
        }
        return TemplateResponse(request, "admin/loans/portfolio.html", context)

    def plan_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What another plan would come to, beside today's. Changes nothing."""
        loan = self._loan(object_id)
        if not request.user.has_perm("identity.loan_service"):
            record_refusal(request, permission="loan_service", subject=("loan", loan.pk))
            raise PermissionDenied
        asked = any(request.GET.get(name) for name in plans.FIELDS)
        form, new = plans.TrialForm(request.GET if asked else None), None
        if asked and form.is_valid():
            proposal = Restructure(loan=loan, **{name: form.cleaned_data[name] for name in plans.FIELDS})
            try:
                new = services.preview(proposal, day=timezone.now().date())
            except DomainError as error:
                form.attach(error)
        now = queries.instalments_of(loan)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": loan,
            "title": f"Try another plan for {loan.customer.full_name}",
            "form": form,
            "new": plans.compared(new, now, loan) if new is not None else None,
            "back": self._address(loan),
            "propose": f"{reverse('admin:loans_loan_propose', args=[loan.pk])}?{request.GET.urlencode()}",
        }
        return TemplateResponse(request, "admin/loans/plan.html", context, status=422 if form.errors else 200)

    def propose_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        loan = self._loan(object_id)

        def decide(data: dict[str, Any]) -> object:
            if not any(data[name] is not None for name in plans.FIELDS):
                raise Invalid("Change the instalments, the rate or the next due date, or pause.", field="instalments")
            return services.propose(
                actor=request.user,
                loan_id=loan.pk,
                instalments=data["instalments"],
                annual_rate=data["annual_rate"],
                first_due_date=data["first_due_date"],
                pause_instalments=data["pause_instalments"],
                reason=data["reason"],
                now=timezone.now(),
            )

        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"Another plan for {loan.customer.full_name}",
            facts=loan_facts(loan),
            decide=decide,
            done="You proposed another plan. A second officer decides.",
            confirm="Propose",
            back=self._address(loan),
            note="What is due stays due; the plan changes what comes after. Leave empty what stays.",
            form_class=plans.PlanForm,
            initial={name: request.GET[name] for name in plans.FIELDS if request.GET.get(name)},
            audit_subject=("loan", loan.pk),
        )

    def write_off_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        loan = self._loan(object_id)
        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"Write off the loan of {loan.customer.full_name}",
            facts=loan_facts(loan),
            decide=lambda data: services.write_off(
                actor=request.user, loan_id=loan.pk, reason=data["reason"], now=timezone.now()
            ),
            done="You wrote the loan off. What is paid later is booked as recovered.",
            confirm="Write off",
            danger=True,
            back=self._address(loan),
            note="Only a loan that is 90 days late or more. It leaves the books for good.",
            audit_subject=("loan", loan.pk),
        )

    def _require(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            record_refusal(request, permission=self.view_permission)
            raise PermissionDenied

    def _loan(self, object_id: str) -> Loan:
        try:
            key = UUID(object_id)
        except ValueError as error:
            raise Http404 from error
        found = Loan.objects.select_related("customer", "product", "account", "application").filter(pk=key).first()
        if found is None:
            raise Http404
        return found

    def _address(self, loan: Loan) -> str:
        return reverse("admin:loans_loan_change", args=[loan.pk])


@admin.register(Restructure)
class RestructureAdmin(ReadOnlyAdmin):
    """Plans that officers proposed for loans in trouble; a second officer answers."""

    view_permission: ClassVar[str] = "loan_view"
    list_display = ["person", "plan", "shown_status", "maker", "made_at", "checker"]
    list_display_links = ["person"]
    list_filter = ["status"]
    list_select_related = ["loan__customer", "maker", "checker"]
    ordering = ["-made_at", "id"]
    fields = ["loan", "plan", "reason", "maker", "made_at", "shown_status", "checker", "checked_at", "answer"]
    readonly_fields = ["plan", "shown_status"]

    @display(description="Customer", ordering="loan__customer__full_name")  # type: ignore[untyped-decorator]
    def person(self, proposal: Restructure) -> str:
        return proposal.loan.customer.full_name

    @display(description="Plan")  # type: ignore[untyped-decorator]
    def plan(self, proposal: Restructure) -> str:
        parts = []
        if proposal.instalments is not None:
            parts.append(f"{proposal.instalments} instalments")
        if proposal.annual_rate is not None:
            parts.append(f"{proposal.annual_rate:.2f} % a year")
        if proposal.first_due_date is not None:
            parts.append(f"from {date_format(proposal.first_due_date, 'j M Y')}")
        if proposal.pause_instalments is not None:
            parts.append(f"a pause of {proposal.pause_instalments} instalments")
        return ", ".join(parts)

    @display(description="State", label=DECIDED, ordering="status")  # type: ignore[untyped-decorator]
    def shown_status(self, proposal: Restructure) -> tuple[str, str]:
        return proposal.status, proposal.get_status_display()

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/agree/", wrap(self.agree_view), name="loans_restructure_agree"),
            path("<path:object_id>/refuse/", wrap(self.refuse_view), name="loans_restructure_refuse"),
            *super().get_urls(),
        ]

    def agree_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, object_id, approved=True)

    def refuse_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._answer(request, object_id, approved=False)

    def _answer(self, request: HttpRequest, object_id: str, *, approved: bool) -> HttpResponse:
        try:
            proposal = Restructure.objects.select_related("loan__customer", "loan__product", "maker").get(
                pk=UUID(object_id)
            )
        except (ValueError, Restructure.DoesNotExist) as error:
            raise Http404 from error
        facts = [("Plan", self.plan(proposal)), ("Proposed by", proposal.maker.full_name), ("Because", proposal.reason)]
        return decision_page(
            self,
            request,
            permission="loan_service",
            title=f"{'Approve' if approved else 'Refuse'} another plan for {proposal.loan.customer.full_name}",
            facts=[*facts, *plans.outcome(proposal), *loan_facts(proposal.loan)],
            decide=lambda data: services.answer(
                actor=request.user,
                restructure_id=proposal.pk,
                approved=approved,
                reason=data["reason"],
                now=timezone.now(),
            ),
            done="The new plan holds from today." if approved else "You refused the plan.",
            confirm="Approve the plan" if approved else "Refuse the plan",
            danger=not approved,
            back=reverse("admin:loans_loan_change", args=[proposal.loan_id]),
            audit_subject=("loan", proposal.loan_id),
        )


def _books(loan: Loan) -> list[tuple[str, Money]]:
    figures = [
        ("Principal owed", loan.principal_balance_minor),
        ("Interest earned, not paid", loan.interest_balance_minor),
        ("of it suspended", loan.suspended_minor),
        ("Fees", loan.fee_balance_minor),
        ("Penalties", loan.penalty_balance_minor),
        ("Set aside", loan.allowance_minor),
    ]
    if loan.written_off_minor:
        figures += [("Written off", loan.written_off_minor), ("Recovered since", loan.recovered_minor)]
    return [(label, Money(minor, loan.currency)) for label, minor in figures]


def _money(minor: int, currency: str) -> Money | str:
    """An amount; a dash where there is none, so that a table shows what there is."""
    return Money(minor, currency) if minor else "–"


def _row(row: Any, currency: str) -> tuple[Any, ...]:
    parts = (
        row.principal_minor,
        row.interest_minor,
        row.fee_minor + row.penalty_minor,
        row.total_minor,
        row.paid_minor,
    )
    return (row.number, row.due_date, *(_money(part, currency) for part in parts))


def _event(event: Any, currency: str) -> tuple[Any, ...]:
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in event.fields.items() if name != "amount")
    amount = Money(event.total_minor, currency) if event.total_minor else ""
    return (event.day, event.get_type_display().replace("_", " "), amount, told, event.actor or "by itself")


def _movement(each: Any, currency: str) -> tuple[Any, ...]:
    parts = (each.principal_minor, each.interest_minor, each.fee_minor + each.penalty_minor, each.allowance_minor)
    return (each.day, each.get_kind_display(), *(_money(part, currency) for part in parts), each.entry_id)
