"""Shapes of the loans API; what comes in and what goes out are apart. Amounts are decimal text, dates ISO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.money import Money
from common.rest import MoneyTextField
from loans.models import Application, Instalment, Loan, LoanEvent, LoanProduct, Tranche
from loans.queries import Offer, last_decision, rate_span, tranches_of
from loans.rules.offering import MAX_TRANCHES
from loans.rules.rhythm import rhythm_of
from loans.rules.servicing import Amounts

_HOW_MANY = "One every `every` `frequency` of the product, such as every 1 MONTHS or every 2 WEEKS."


class LaterPartIn(serializers.Serializer[Any]):
    """A part of a loan that is paid out later."""

    after_months = serializers.IntegerField(min_value=1, max_value=1200, help_text="After the first part.")
    amount = MoneyTextField()


def _later_parts() -> serializers.ListSerializer[Any]:
    return serializers.ListSerializer(
        child=LaterPartIn(),
        required=False,
        max_length=MAX_TRANCHES - 1,
        help_text="What of the amount is paid out later, in order; the rest comes at once. Only where the product's "
        "`max_parts` is above 1.",
    )


class LaterPartOut(serializers.Serializer[Any]):
    after_months = serializers.IntegerField()
    amount = serializers.CharField()


class LoanPartOut(serializers.Serializer[Tranche]):
    """A later part of a loan."""

    number = serializers.IntegerField(help_text="The first part, paid out with the loan, is number 1 and not listed.")
    amount = serializers.SerializerMethodField()
    status = serializers.CharField(help_text="PLANNED, ASKED (a second officer decides), PAID or CANCELLED.")
    planned_date = serializers.DateField()
    paid_date = serializers.DateField(allow_null=True)

    def get_amount(self, tranche: Tranche) -> str:
        return Money(tranche.amount_minor, tranche.loan.currency).plain


class QuoteIn(serializers.Serializer[Any]):
    product = serializers.CharField(max_length=12, help_text="Code, as `GET /loans/products` lists it.")
    amount = MoneyTextField()
    instalments = serializers.IntegerField(min_value=1, max_value=1200, help_text=_HOW_MANY)
    later_parts = _later_parts()
    annual_rate = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        min_value=0,
        max_value=100,
        required=False,
        help_text="Per cent a year. Leave it out for the product's best rate.",
    )


class ApplyIn(serializers.Serializer[Any]):
    product = serializers.CharField(max_length=12)
    amount = MoneyTextField()
    instalments = serializers.IntegerField(min_value=1, max_value=1200, help_text=_HOW_MANY)
    later_parts = _later_parts()
    purpose = serializers.CharField(max_length=140, required=False, default="", allow_blank=True)
    account = serializers.UUIDField(help_text="Your account: the money goes there, instalments come from there.")
    employment = serializers.ChoiceField(choices=Application.Employment.choices)
    income = MoneyTextField(help_text="A month, after tax.")
    obligations = MoneyTextField(help_text="Fixed payments a month; 0 for none.")


class AcceptIn(serializers.Serializer[Any]):
    pin = serializers.CharField(max_length=6, write_only=True, help_text="Your transaction PIN.")


class RepaymentIn(serializers.Serializer[Any]):
    amount = MoneyTextField(required=False, help_text="Leave it out to pay what is due.")
    payoff = MoneyTextField(required=False, help_text="In place of `amount`: the pay-off, exactly as quoted today.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "amount" in attrs and "payoff" in attrs:
            raise serializers.ValidationError({"payoff": "Send amount or payoff, not both."})
        return attrs


class PrepaymentIn(serializers.Serializer[Any]):
    amount = MoneyTextField()


class LoanProductOut(serializers.Serializer[LoanProduct]):
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    description = serializers.CharField()
    min_amount = MoneyTextField()
    max_amount = MoneyTextField()
    frequency = serializers.CharField(help_text="MONTHS, WEEKS or DAYS: the unit of `every`.")
    every = serializers.IntegerField(help_text="An instalment comes every so many of `frequency`.")
    min_instalments = serializers.IntegerField()
    max_instalments = serializers.IntegerField()
    max_parts = serializers.IntegerField(source="max_tranches", help_text="1: paid out at once.")
    lowest_rate = serializers.SerializerMethodField(help_text="Per cent a year, for the best score.")
    highest_rate = serializers.SerializerMethodField()
    arrangement_fee_percent = serializers.DecimalField(max_digits=5, decimal_places=2)
    arrangement_fee = MoneyTextField(help_text="Beside the percentage.")
    instalment_fee = MoneyTextField()
    instalment_fee_percent = serializers.DecimalField(
        max_digits=5, decimal_places=2, help_text="Of what `instalment_fee_basis` says."
    )
    instalment_fee_basis = serializers.CharField(help_text="FLAT, PRINCIPAL or INSTALMENT (principal and interest).")
    penalty = MoneyTextField()
    penalty_percent = serializers.DecimalField(
        max_digits=5, decimal_places=2, help_text="Of what `penalty_basis` says is overdue."
    )
    penalty_basis = serializers.CharField(help_text="FLAT, PRINCIPAL or PRINCIPAL_AND_INTEREST.")
    penalty_grace_days = serializers.IntegerField()
    cooling_off_days = serializers.IntegerField()
    takes_partial = serializers.BooleanField(
        help_text="What is there is taken when the account holds less than is due."
    )
    retries = serializers.IntegerField(help_text="How often we try again after a due day.")
    retry_days = serializers.IntegerField(help_text="Days from one try to the next.")
    allocation = serializers.ListField(
        child=serializers.CharField(),
        help_text="What a payment is spent on, in this order: PAST_DUE, DUE or IN_ADVANCE with PENALTY, FEE, INTEREST or PRINCIPAL.",
    )

    def get_lowest_rate(self, product: LoanProduct) -> str:
        return str(rate_span(product)[0])

    def get_highest_rate(self, product: LoanProduct) -> str:
        return str(rate_span(product)[1])


class PlanRowOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    due_date = serializers.DateField()
    principal = serializers.CharField()
    interest = serializers.CharField()
    fees = serializers.CharField()
    total = serializers.CharField()
    outstanding = serializers.CharField(help_text="Principal owed after it.")


class QuoteOut(serializers.Serializer[Any]):
    product = serializers.CharField()
    currency = serializers.CharField()
    amount = serializers.CharField()
    paid_out = serializers.CharField(help_text="What reaches the account after the arrangement fee.")
    annual_rate = serializers.CharField()
    apr = serializers.CharField(allow_null=True, help_text="Directive 2008/48/EC, fees included.")
    frequency = serializers.CharField(help_text="MONTHS, WEEKS or DAYS.")
    every = serializers.IntegerField(help_text="An instalment every so many of them.")
    instalment = serializers.CharField()
    interest = serializers.CharField()
    fees = serializers.CharField()
    total = serializers.CharField()
    schedule = PlanRowOut(many=True)


class ReasonOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class LoanApplicationOut(serializers.Serializer[Application]):
    id = serializers.UUIDField()
    status = serializers.CharField()
    product = serializers.CharField(source="product_id")
    currency = serializers.CharField()
    amount = MoneyTextField()
    instalments = serializers.IntegerField()
    later_parts = LaterPartOut(source="tranches", many=True)
    submitted_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    offered_rate = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    offer_until = serializers.DateField(allow_null=True)
    reasons = serializers.SerializerMethodField(help_text="What is looked at, or what counted against it.")
    loan = serializers.SerializerMethodField(help_text="The id of the loan that came of it.")

    def get_reasons(self, application: Application) -> list[dict[str, str]]:
        decision = last_decision(application)
        return [{"code": code, "text": text} for code, text in decision.reasons] if decision else []

    def get_loan(self, application: Application) -> str | None:
        loan = getattr(application, "loan", None)
        return str(loan.pk) if loan is not None else None


class LoanOut(serializers.Serializer[Loan]):
    id = serializers.UUIDField()
    product = serializers.CharField(source="product_id")
    status = serializers.CharField()
    account = serializers.UUIDField(source="account_id")
    currency = serializers.CharField()
    principal = MoneyTextField(help_text="What was agreed.")
    disbursed = MoneyTextField(help_text="What of it is paid out.")
    later_parts = serializers.SerializerMethodField()
    frequency = serializers.SerializerMethodField(help_text="MONTHS, WEEKS or DAYS.")
    every = serializers.SerializerMethodField(help_text="An instalment every so many of them.")
    annual_rate = serializers.DecimalField(max_digits=5, decimal_places=2)
    apr = serializers.DecimalField(max_digits=9, decimal_places=2, allow_null=True)
    start_date = serializers.DateField()
    maturity_date = serializers.DateField()
    next_due_date = serializers.DateField(allow_null=True)
    principal_owed = serializers.SerializerMethodField()
    interest_owed = serializers.SerializerMethodField(help_text="Earned by the end of `accrued_to`, not paid.")
    charges_owed = serializers.SerializerMethodField()
    accrued_to = serializers.DateField()
    days_past_due = serializers.IntegerField()
    cooling_off_until = serializers.DateField()

    def get_frequency(self, loan: Loan) -> str:
        return rhythm_of(loan.terms).frequency.value

    def get_every(self, loan: Loan) -> int:
        return rhythm_of(loan.terms).every

    @extend_schema_field(LoanPartOut(many=True))
    def get_later_parts(self, loan: Loan) -> list[Any]:
        return [LoanPartOut(tranche).data for tranche in tranches_of(loan)]

    def get_principal_owed(self, loan: Loan) -> str:
        return Money(loan.principal_balance_minor, loan.currency).plain

    def get_interest_owed(self, loan: Loan) -> str:
        return Money(loan.interest_balance_minor, loan.currency).plain

    def get_charges_owed(self, loan: Loan) -> str:
        return Money(loan.fee_balance_minor + loan.penalty_balance_minor, loan.currency).plain


class InstalmentOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    due_date = serializers.DateField()
    principal = serializers.CharField()
    interest = serializers.CharField()
    fees = serializers.CharField()
    penalties = serializers.CharField()
    total = serializers.CharField()
    paid = serializers.CharField()
    outstanding = serializers.CharField()


class PartsOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    principal = serializers.CharField()
    interest = serializers.CharField()
    fees = serializers.CharField()
    penalties = serializers.CharField()
    total = serializers.CharField()


class RepaymentOut(PartsOut):
    id = serializers.UUIDField()
    date = serializers.DateField()
    loan_status = serializers.CharField()


class PayoffOut(PartsOut):
    valid_on = serializers.DateField(help_text="The only day (UTC) on which this amount closes the loan.")


class PrepaymentOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = serializers.CharField()
    instalment_before = serializers.CharField()
    instalment_after = serializers.CharField()
    end_before = serializers.DateField()
    end_after = serializers.DateField(allow_null=True, help_text="Null: the loan would be paid off.")
    instalments_left_before = serializers.IntegerField()
    instalments_left_after = serializers.IntegerField()
    interest_saved = serializers.CharField()


def parts_of(facts: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The later parts that a quote or a wish asks for, as services read them."""
    return [(part["after_months"], part["amount"]) for part in facts.get("later_parts", ())]


def quote_facts(product: str, offer: Offer) -> dict[str, Any]:
    """A quote as `QuoteOut` shows it."""
    currency = offer.terms.currency

    def plain(minor: int) -> str:
        return Money(minor, currency).plain

    return {
        "product": product,
        "currency": currency,
        "amount": offer.principal.plain,
        "paid_out": offer.paid_out.plain,
        "annual_rate": f"{offer.terms.annual_rate:.2f}",
        "apr": None if offer.apr is None else f"{offer.apr:.2f}",
        "frequency": offer.terms.frequency.value,
        "every": offer.terms.every,
        "instalment": offer.instalment.plain,
        "interest": offer.interest.plain,
        "fees": offer.fees.plain,
        "total": offer.total.plain,
        "schedule": [
            {
                "number": row.number,
                "due_date": row.due_date,
                "principal": plain(row.principal),
                "interest": plain(row.interest),
                "fees": plain(row.fees),
                "total": plain(row.total),
                "outstanding": plain(row.outstanding),
            }
            for row in offer.schedule.rows
        ],
    }


def instalment_facts(row: Instalment, currency: str) -> dict[str, Any]:
    def plain(minor: int) -> str:
        return Money(minor, currency).plain

    return {
        "number": row.number,
        "due_date": row.due_date,
        "principal": plain(row.principal_minor),
        "interest": plain(row.interest_minor),
        "fees": plain(row.fee_minor),
        "penalties": plain(row.penalty_minor),
        "total": plain(row.total_minor),
        "paid": plain(row.paid_minor),
        "outstanding": plain(row.outstanding_minor),
    }


def parts_facts(parts: Amounts, currency: str) -> dict[str, Any]:
    named = {name: Money(amount, currency).plain for name, amount in parts._asdict().items()}
    return {"currency": currency, **named, "total": Money(parts.total, currency).plain}


def repayment_facts(event: LoanEvent, loan: Loan) -> dict[str, Any]:
    parts = Amounts(event.principal_minor, event.interest_minor, event.fee_minor, event.penalty_minor)
    return {
        "id": event.pk,
        "date": event.day,
        "loan_status": loan.status,
        **parts_facts(parts, loan.currency),
    }
