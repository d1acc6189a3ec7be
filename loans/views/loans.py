"""The customer's loans: the list, one with its plan, and what can be paid of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from common.errors import DomainError, NotFound
from common.money import Money, display
from loans import queries, services
from loans.forms import ConfirmForm, ExtraForm, RecoverForm
from loans.models import OPEN_STATES, Application, Loan
from loans.rules.terms import PayoffInterest, Prepayment
from loans.views import figures
from loans.views.base import LoansSection, loan_crumbs


class LoansPage(LoansSection):
    def get(self, request: HttpRequest) -> HttpResponse:
        loans = list(queries.own_loans(self.actor))
        applications = [
            each for each in queries.own_applications(self.actor) if each.status != Application.Status.ACCEPTED
        ]
        context = {
            "running": [_card(loan) for loan in loans if loan.status == Loan.Status.ACTIVE],
            "over": [_card(loan) for loan in loans if loan.status != Loan.Status.ACTIVE],
            "open": queries.open_application(self.actor),
            "earlier": [each for each in applications if each.status not in OPEN_STATES][:5],
            "products": [(product, *queries.rate_span(product)) for product in queries.open_products()],
        }
        return self.page("loans", context)


class LoanPage(LoansSection):
    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        loan = self.own_loan(loan_id)
        today = max(timezone.now().date(), loan.last_event_date)
        rows = queries.instalments_of(loan)
        due = queries.due_minor(rows, today)
        active = loan.status == Loan.Status.ACTIVE
        coming = next((row for row in rows if row.unpaid_minor and row.due_date > today), None)
        context = {
            "loan": loan,
            "card": _card(loan),
            "due": Money(due, loan.currency) if active and due else None,
            "coming": coming if active else None,
            "late_days": max((today - loan.next_due_date).days, 0) if loan.next_due_date else 0,
            "bucket": queries.bucket_of(loan.days_past_due) if loan.days_past_due else None,
            "facts": _facts(loan),
            "parts": figures.tranche_rows(loan),
            "plan": figures.in_view(figures.instalment_rows(loan, rows, today)),
            "payments": queries.payments_of(loan)[:6],
            "still_owed": _still_owed(loan),
            "can_cancel": active and today <= loan.cooling_off_until,
            "years": _years(loan),
            "crumbs": loan_crumbs(loan),
        }
        return self.page("loan", context)


class PayDuePage(LoansSection):
    """What is due, on a page of its own before it is paid."""

    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        return self._show(self.own_loan(loan_id), ConfirmForm(initial={"client_id": uuid4()}))

    def post(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        def act(form: ConfirmForm) -> str:
            paid = services.pay_due(
                actor=self.actor, loan_id=loan_id, client_id=form.cleaned_data["client_id"], now=timezone.now()
            )
            return f"You paid {display(Money(paid.event.total_minor, paid.loan.currency))}."

        return _confirmed(self, loan_id, act, self._show)

    def _show(self, loan: Loan, form: ConfirmForm, *, status: int = 200) -> HttpResponse:
        due = Money(queries.due_minor(queries.instalments_of(loan), timezone.now().date()), loan.currency)
        context = {"loan": loan, "form": form, "due": due, "crumbs": loan_crumbs(loan, "Pay what is due")}
        return self.page("pay", context, status=status)


class ExtraPage(LoansSection):
    """An extra payment: what it would change, then the deed."""

    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        loan = self.own_loan(loan_id)
        if "amount" not in request.GET:
            return self._show(loan, ExtraForm())
        asked = ExtraForm(request.GET)
        return self._what_if(loan, asked) if asked.is_valid() else self._show(loan, asked, status=422)

    def post(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        def act(form: ConfirmForm) -> str:
            paid = services.repay(
                actor=self.actor,
                loan_id=loan_id,
                amount=form.cleaned_data["amount"],
                client_id=form.cleaned_data["client_id"],
                now=timezone.now(),
            )
            return f"You paid {display(Money(paid.event.total_minor, paid.loan.currency))}."

        def show(loan: Loan, form: ConfirmForm, *, status: int = 200) -> HttpResponse:
            asked = ExtraForm({"amount": form.data.get("amount", "")})
            if asked.is_valid():
                return self._what_if(loan, asked, form=form, status=status)
            return self._show(loan, asked, status=status)

        return _confirmed(self, loan_id, act, show)

    def _what_if(
        self, loan: Loan, asked: ExtraForm, *, form: ConfirmForm | None = None, status: int = 200
    ) -> HttpResponse:
        amount = asked.cleaned_data["amount"]
        try:
            shown = services.what_if(loan=loan, amount=amount, now=timezone.now())
        except DomainError as error:
            asked.attach(error)
            return self._show(loan, asked, status=422)
        confirm = form or ConfirmForm(initial={"client_id": uuid4(), "amount": shown.amount.plain})
        return self._show(loan, asked, shown=shown, confirm=confirm, status=status)

    def _show(self, loan: Loan, asked: ExtraForm, *, status: int = 200, **more: Any) -> HttpResponse:
        context = {"loan": loan, "form": asked, "crumbs": loan_crumbs(loan, "Extra payment"), **more}
        if shown := more.get("shown"):
            in_advance = queries.terms_of(loan).prepayment is Prepayment.NEXT_INSTALMENTS
            context |= {"rows": _what_if_rows(shown), "in_advance": in_advance}
        return self.page("extra", context, status=status)


class PayOffPage(LoansSection):
    """What closes the loan today, by part, and the deed."""

    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        return self._show(self.own_loan(loan_id), ConfirmForm(initial={"client_id": uuid4()}))

    def post(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        def act(form: ConfirmForm) -> str:
            services.pay_off(
                actor=self.actor,
                loan_id=loan_id,
                quoted_minor=form.cleaned_data["quoted_minor"] or 0,
                client_id=form.cleaned_data["client_id"],
                now=timezone.now(),
            )
            return "You paid your loan off. You owe nothing more."

        return _confirmed(self, loan_id, act, self._show)

    def _show(self, loan: Loan, form: ConfirmForm, *, status: int = 200) -> HttpResponse:
        context: dict[str, Any] = {"loan": loan, "form": form, "crumbs": loan_crumbs(loan, "Pay off")}
        try:
            parts = services.payoff_quote(loan=loan, day=timezone.now().date())
        except DomainError as error:
            context["refusal"] = error.text
        else:
            names = (("Principal", parts.principal), (_interest_label(loan), parts.interest), ("Fees", parts.fees))
            rows = [
                {"label": label, "value": display(Money(minor, loan.currency)), "money": True}
                for label, minor in (*names, ("Penalties", parts.penalties))
                if minor
            ]
            total = Money(parts.total, loan.currency)
            rows.append({"label": "You pay", "value": display(total), "money": True, "total": True})
            # A client id that was shown before stays; the figure is always that of now.
            kept = form["client_id"].value() or uuid4()
            shown = ConfirmForm(initial={"client_id": kept, "quoted_minor": parts.total})
            context |= {"rows": rows, "total": total, "shown": shown}
        return self.page("payoff", context, status=status)


class RecoverPage(LoansSection):
    """Paying something of a loan that was written off."""

    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        return self._show(self.own_loan(loan_id), RecoverForm(initial={"client_id": uuid4()}))

    def post(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        loan, form = self.own_loan(loan_id), RecoverForm(request.POST)
        if form.is_valid():
            try:
                services.recover(actor=self.actor, loan_id=loan.pk, now=timezone.now(), **form.cleaned_data)
            except NotFound as error:
                raise Http404 from error
            except DomainError as error:
                form.attach(error)
            else:
                messages.success(request, f"You paid {form.cleaned_data['amount']} {loan.currency}.")
                return redirect("loans:loan", loan_id=loan.pk)
        return self._show(loan, form, status=422)

    def _show(self, loan: Loan, form: RecoverForm, *, status: int = 200) -> HttpResponse:
        left = Money(loan.written_off_minor - loan.recovered_minor, loan.currency)
        context = {"loan": loan, "form": form, "left": left, "crumbs": loan_crumbs(loan, "Settle")}
        return self.page("recover", context, status=status)


class CancelPage(LoansSection):
    """Withdrawing within the first days."""

    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        return self._show(self.own_loan(loan_id), ConfirmForm(initial={"client_id": uuid4()}))

    def post(self, request: HttpRequest, loan_id: UUID) -> HttpResponse:
        def act(form: ConfirmForm) -> str:
            services.cancel(actor=self.actor, loan_id=loan_id, now=timezone.now())
            return "You withdrew from the loan. You owe nothing more."

        return _confirmed(self, loan_id, act, self._show)

    def _show(self, loan: Loan, form: ConfirmForm, *, status: int = 200) -> HttpResponse:
        rows = []
        if loan.status == Loan.Status.ACTIVE:
            owed = services.payoff_quote(loan=loan, day=timezone.now().date())
            fee = services.arrangement_fee(loan)
            back = Money(owed.total, loan.currency)
            rows = [
                {"label": "You pay back", "value": display(back), "money": True, "note": "with interest to today"},
                {"label": "Fee you get back", "value": display(fee), "money": True},
                {"label": "Leaves your account", "value": display(back - fee), "money": True, "total": True},
            ]
        context = {"loan": loan, "form": form, "rows": rows, "crumbs": loan_crumbs(loan, "Withdraw")}
        return self.page("cancel", context, status=status)


def _confirmed(
    view: LoansSection,
    loan_id: UUID,
    act: Callable[[ConfirmForm], str],
    show: Callable[..., HttpResponse],
) -> HttpResponse:
    """One confirming POST: the deed and back to the loan, or the page again with what is in the way."""
    loan = view.own_loan(loan_id)
    form = ConfirmForm(view.request.POST)
    if not form.is_valid():
        return show(loan, form, status=422)
    try:
        done = act(form)
    except NotFound as error:
        raise Http404 from error
    except DomainError as error:
        form.attach(error)
        return show(view.own_loan(loan_id), form, status=422)
    messages.success(view.request, done)
    return redirect("loans:loan", loan_id=loan_id)


def _interest_label(loan: Loan) -> str:
    whole = queries.terms_of(loan).payoff_interest is PayoffInterest.TO_PERIOD_END
    return "Interest to the next due date" if whole else "Interest to today"


def _still_owed(loan: Loan) -> Money | None:
    """What is left of a loan that was written off."""
    left = loan.written_off_minor - loan.recovered_minor
    return Money(left, loan.currency) if loan.status == Loan.Status.WRITTEN_OFF and left else None


def _card(loan: Loan) -> dict[str, Any]:
    repaid = loan.disbursed_minor - loan.principal_balance_minor
    if loan.status == Loan.Status.WRITTEN_OFF:
        repaid = loan.disbursed_minor - min(loan.written_off_minor, loan.disbursed_minor)
    return {
        "loan": loan,
        "left": Money(loan.principal_balance_minor, loan.currency),
        "repaid": Money(repaid, loan.currency),
        "percent": repaid * 100 // loan.disbursed_minor,
    }


def _facts(loan: Loan) -> list[dict[str, Any]]:
    return [
        {
            "label": "Borrowed",
            "value": display(loan.disbursed),
            "money": True,
            "note": "" if loan.disbursed == loan.principal else f"of {display(loan.principal)} agreed",
        },
        {"label": "Rate a year", "value": figures.rate(loan.annual_rate)},
        {"label": "APR", "value": figures.rate(loan.apr)},
        {"label": "Paid out", "value": figures.day(loan.start_date)},
        {"label": "Last instalment", "value": figures.day(loan.maturity_date)},
        {"label": "Account", "value": loan.account.masked_number},
        {
            "label": "Interest earned, not yet paid",
            "value": display(Money(loan.interest_balance_minor, loan.currency)),
            "money": True,
        },
    ]


def _years(loan: Loan) -> list[int]:
    """The tax years in which interest was paid, the newest first."""
    return sorted({event.day.year for event in queries.payments_of(loan) if event.interest_minor}, reverse=True)


def _what_if_rows(shown: services.WhatIf) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"label": "You pay now", "value": display(shown.amount), "money": True}]
    if shown.end_after is None:
        rows.append({"label": "Then", "value": "your loan is paid off"})
    else:
        rows += [
            {
                "label": "Instalment",
                "value": display(shown.instalment_after),
                "money": True,
                "note": f"now {display(shown.instalment_before)}",
            },
            {
                "label": "Last instalment",
                "value": figures.day(shown.end_after),
                "note": f"now {figures.day(shown.end_before)}",
            },
            {"label": "Instalments left", "value": str(shown.left_after), "note": f"now {shown.left_before}"},
        ]
    rows.append({"label": "Interest you save", "value": display(shown.interest_saved), "money": True, "total": True})
    return rows
