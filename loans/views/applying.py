"""The application: three steps that resume, then the decision and the offer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts import queries as accounts
from common.errors import DomainError, NotFound
from common.money import Money, display
from identity import queries as identity
from kyc import queries as kyc
from loans import queries, services
from loans.forms import AcceptForm, ApplyForm, MeansForm
from loans.models import Application
from loans.rules import offering
from loans.views import figures
from loans.views.base import LoansSection, trail

_STEPS = (("Your wish", "loans:apply"), ("Your means", "loans:apply_means"), ("Check and send", "loans:apply_review"))


class _Step(LoansSection):
    number = 0

    def draft(self) -> Application | None:
        found = queries.open_application(self.actor)
        return found if found is not None and found.status == Application.Status.DRAFT else None

    def decided(self) -> HttpResponse | None:
        """Away to the application that is being decided or offered: there is one at a time."""
        found = queries.open_application(self.actor)
        if found is not None and found.status != Application.Status.DRAFT:
            return redirect("loans:application", loan_application_id=found.pk)
        return None

    def step(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        steps = [
            {
                "label": label,
                "state": "done" if index < self.number else "current" if index == self.number else "next",
                **({"url": reverse(name)} if index < self.number else {}),
            }
            for index, (label, name) in enumerate(_STEPS)
        ]
        return self.page(template, {"steps": steps, "crumbs": trail(("Apply", "")), **context}, status=status)


class WishStep(_Step):
    number = 0

    def get(self, request: HttpRequest) -> HttpResponse:
        if (away := self.decided()) is not None:
            return away
        draft, asked = self.draft(), request.GET
        initial: dict[str, Any] = {"product": "PERSONAL", "instalments": 36}
        if draft is not None:
            initial = {
                "product": draft.product_id,
                "amount": draft.amount.plain,
                "instalments": draft.instalments,
                "purpose": draft.purpose,
            }
            for number, part in enumerate(draft.tranches, start=2):
                initial |= {f"part_{number}": part["amount"], f"months_{number}": part["after_months"]}
        initial |= {name: asked[name] for name in ("product", "amount", "instalments") if asked.get(name)}
        return self._form(ApplyForm(initial=initial, products=queries.open_products()))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ApplyForm(request.POST, products=queries.open_products())
        if not form.is_valid():
            return self._form(form, status=422)
        facts = form.cleaned_data
        try:
            services.save_wish(
                actor=self.actor,
                product_code=facts["product"],
                amount=facts["amount"],
                instalments=facts["instalments"],
                purpose=facts["purpose"],
                parts=facts["later"],
                now=timezone.now(),
            )
        except DomainError as error:
            form.attach(error)
            return self._form(form, status=422)
        return redirect("loans:apply_means")

    def _form(self, form: ApplyForm, *, status: int = 200) -> HttpResponse:
        splitting = [product for product in queries.open_products() if product.max_tranches > 1]
        return self.step(
            "apply", {"form": form, "splitting": splitting, "kyc_done": kyc.is_approved(self.actor.pk)}, status=status
        )


class MeansStep(_Step):
    number = 1

    def get(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft()
        if draft is None:
            return self.decided() or redirect("loans:apply")
        initial = {
            "account": str(draft.account_id or ""),
            "employment": draft.employment,
            "income": _plain(draft.income_minor, draft.currency),
            "obligations": _plain(draft.obligations_minor, draft.currency),
        }
        return self._form(draft, MeansForm(initial=initial, holdings=self._holdings(draft)))

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft()
        if draft is None:
            return self.decided() or redirect("loans:apply")
        form = MeansForm(request.POST, holdings=self._holdings(draft))
        if not form.is_valid():
            return self._form(draft, form, status=422)
        facts = form.cleaned_data
        try:
            services.save_means(
                actor=self.actor,
                application_id=draft.pk,
                account_id=facts["account"],
                employment=facts["employment"],
                income=facts["income"],
                obligations=facts["obligations"],
                now=timezone.now(),
            )
        except DomainError as error:
            form.attach(error)
            return self._form(draft, form, status=422)
        return redirect("loans:apply_review")

    def _holdings(self, draft: Application) -> list[accounts.Holding]:
        held = accounts.accounts_for(self.actor)
        return [each for each in held if each.account.is_active and each.account.currency == draft.currency]

    def _form(self, draft: Application, form: MeansForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "application": draft, "has_account": bool(self._holdings(draft))}
        return self.step("apply_means", context, status=status)


class ReviewStep(_Step):
    number = 2

    def get(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft()
        if draft is None:
            return self.decided() or redirect("loans:apply")
        if draft.account_id is None or draft.income_minor is None:
            return redirect("loans:apply_means")
        return self._show(draft)

    def post(self, request: HttpRequest) -> HttpResponse:
        draft = self.draft()
        if draft is None:
            return self.decided() or redirect("loans:apply")
        try:
            services.submit(actor=self.actor, application_id=draft.pk, now=timezone.now())
        except DomainError as error:
            return self._show(draft, refusal=error.text, status=422)
        return redirect("loans:application", loan_application_id=draft.pk)

    def _show(self, draft: Application, *, refusal: str = "", status: int = 200) -> HttpResponse:
        context = {
            "application": draft,
            "rows": application_rows(draft),
            "rates": queries.rate_span(draft.product),
            "kyc_done": kyc.is_approved(self.actor.pk),
            "refusal": refusal,
        }
        return self.step("apply_review", context, status=status)


class ApplicationPage(LoansSection):
    """Where an application stands; an offer is read and accepted here."""

    def get(self, request: HttpRequest, loan_application_id: UUID) -> HttpResponse:
        return self._show(self.own_application(loan_application_id), AcceptForm())

    def post(self, request: HttpRequest, loan_application_id: UUID) -> HttpResponse:
        application = self.own_application(loan_application_id)
        form = AcceptForm(request.POST)
        if not form.is_valid():
            return self._show(application, form, status=422)
        try:
            loan = services.accept_offer(
                actor=self.actor, application_id=application.pk, pin=form.cleaned_data["pin"], now=timezone.now()
            )
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            form.attach(error)
            return self._show(application, form, status=422)
        messages.success(request, f"{display(loan.disbursed)} are on their way into your account: they are there now.")
        return redirect("loans:loan", loan_id=loan.pk)

    def _show(self, application: Application, form: AcceptForm, *, status: int = 200) -> HttpResponse:
        decision = queries.last_decision(application)
        context: dict[str, Any] = {
            "application": application,
            "rows": application_rows(application),
            "reasons": [text for _, text in decision.reasons] if decision else [],
            "form": form,
            "needs_pin": not identity.has_pin(self.actor),
            "loan": getattr(application, "loan", None),
            "crumbs": trail(("Application", "")),
        }
        if application.status == Application.Status.APPROVED:
            offer = queries.offer_of(offering.terms_on(application.offered_terms or {}, timezone.now().date()))
            plan = figures.in_view(figures.schedule_rows(offer))
            context["cooling_off_days"] = queries.promised(application).cooling_off_days
            context |= {"offer": offer, "offer_rows": figures.offer_rows(offer), "plan": plan}
        return self.page("application", context, status=status)


class WithdrawApplication(LoansSection):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, loan_application_id: UUID) -> HttpResponse:
        try:
            services.withdraw(actor=self.actor, application_id=loan_application_id, now=timezone.now())
        except NotFound as error:
            raise Http404 from error
        except DomainError as error:
            messages.error(request, error.text)
        else:
            messages.success(request, "You took your application back.")
        return redirect("loans:application", loan_application_id=loan_application_id)


def application_rows(application: Application) -> list[dict[str, Any]]:
    """What was asked for, as definition rows."""
    rows: list[dict[str, Any]] = [
        {"label": "Loan", "value": application.product.name},
        {"label": "Amount", "value": display(application.amount), "money": True},
        {"label": "Over", "value": application.product.rhythm.term(application.instalments)},
    ]
    for number, part in enumerate(queries.later_parts(application), start=2):
        rows.append(
            {
                "label": f"Part {number}",
                "value": display(Money(part.amount_minor, application.currency)),
                "money": True,
                "note": f"{part.after_months} month{'' if part.after_months == 1 else 's'} after the first",
            }
        )
    if application.purpose:
        rows.append({"label": "For", "value": application.purpose})
    if application.account is not None:
        rows.append({"label": "Into", "value": application.account.masked_number})
    if application.income_minor is not None:
        rows += [
            {"label": "You are", "value": application.get_employment_display()},
            {
                "label": "Income a month",
                "value": display(Money(application.income_minor, application.currency)),
                "money": True,
            },
            {
                "label": "Fixed payments a month",
                "value": display(Money(application.obligations_minor or 0, application.currency)),
                "money": True,
            },
        ]
    return rows


def _plain(minor: int | None, currency: str) -> str:
    return "" if minor is None else Money(minor, currency).plain
