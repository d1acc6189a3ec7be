"""The key facts as the customer reads them: every figure and every promise, word for word, also in another rhythm."""

from __future__ import annotations

import pypdfium2
import pytest

from common.money import display
from identity.models import User
from loans import queries, services
from loans.models import Application, LoanProduct
from loans.queries import papers
from loans.rules import offering
from loans.rules.spending import PRESETS, Preset
from tests.loans.factories import applied, customer_with_a_past, noon, running_loan
from tests.loans.test_tranches import in_parts
from tests.payments.factories import PIN

pytestmark = pytest.mark.django_db


def read(data: bytes) -> str:
    """All text of a PDF on one line."""
    pages = (page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))
    return " ".join(" ".join(pages).split())


def offered(user: User, **wish: str | int) -> Application:
    application = applied(user, customer_with_a_past(user), **wish)
    assert application.status == Application.Status.APPROVED
    return application


def test_says_what_the_loan_costs_and_promises(alice: User) -> None:
    application = offered(alice)
    offer = queries.offer_of(offering.terms_on(application.offered_terms, noon().date()))

    text = read(papers.offer_key_facts(application, now=noon()))

    for figure in (offer.principal, offer.paid_out, offer.instalment, offer.total, offer.total_cost, offer.interest):
        assert display(figure) in text
    assert display(offer.principal) == "€6,000.00"
    assert f"{offer.apr:.2f} %" in text
    assert f"{application.offered_rate:.2f} %, fixed" in text
    for words in (
        "Key facts about your loan",
        "12, one every month",
        "2 Apr 2026",
        "Directive 2008/48/EC, Annex I",
        "You may pay more at any time without a fee; it leads to fewer instalments.",
        "If there is not enough, we take what is there and try again every day, up to 10 times.",
        "In this order: what is past due, what is due today, then what comes next; of each, penalties, fees, interest, then principal.",
        "If an instalment is not paid 5 days after its day, we charge 2.00 % of the overdue principal and interest, once for each",
        "You may withdraw within 14 days without a reason",
    ):
        assert words in text, words


def test_says_the_same_of_a_fortnightly_loan(alice: User) -> None:
    LoanProduct.objects.filter(pk="FORTNIGHT").update(
        takes_partial=False,
        retries=2,
        retry_days=3,
        cooling_off_days=21,
        payoff_interest="TO_PERIOD_END",
        allocation=PRESETS[Preset.BY_PART],
        penalty_basis="FLAT",
        penalty_percent=0,
        penalty_minor=12_00,
        penalty_grace_days=2,
    )
    application = offered(alice, product="FORTNIGHT", amount="2600.00", instalments=26)

    text = read(papers.offer_key_facts(application, now=noon()))

    for words in (
        "26, one every 2 weeks",
        "16 Mar 2026",
        "ACTUAL/364",
        "the interest to the next due date",
        "we take nothing and try again every 3 days, up to 2 times.",
        "In this order: penalties, fees, interest, then principal; of each, what is past due, what is due today, then what comes next.",
        "If an instalment is not paid 2 days after its day, we charge €12.00, once for each instalment.",
        "You may withdraw within 21 days without a reason",
    ):
        assert words in text, words
    assert "month" not in text.replace("months", "month").split("Schedule")[0]


def test_the_loan_keeps_the_key_facts_it_was_agreed_with(alice: User) -> None:
    application = offered(alice)
    before = read(papers.offer_key_facts(application, now=noon()))
    loan = services.accept_offer(actor=alice, application_id=application.pk, pin=PIN, now=noon())
    LoanProduct.objects.filter(pk="PERSONAL").update(
        annual_rate=20, cooling_off_days=0, retries=0, penalty_percent=9, allocation=PRESETS[Preset.BY_PART]
    )
    loan.refresh_from_db()

    assert read(papers.loan_key_facts(loan)) == before


def test_says_when_each_part_comes_and_nothing_of_what_is_not_promised(alice: User, bob: User) -> None:
    text = read(papers.loan_key_facts(in_parts(alice)))
    assert "€12,000.00 at once, €8,000.00 on 2 May 2026, €4,000.00 on 2 Aug 2026" in text

    LoanProduct.objects.filter(pk="PERSONAL").update(cooling_off_days=0, penalty_percent=0)
    text = read(papers.loan_key_facts(running_loan(bob)))
    assert "Changing your mind" not in text
    assert "Paying late" not in text
