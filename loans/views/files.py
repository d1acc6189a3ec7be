"""Papers of a loan to keep: key facts, schedule, certificate of interest."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone

from common import throttle
from common.downloads import attachment, csv_response
from common.errors import TooMany
from loans.models import Application
from loans.queries import papers
from loans.views.base import LoansSection


class _PaperPage(LoansSection):
    """A download; counted with the statements, because a PDF costs as much."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.is_authenticated:
            try:
                throttle.enforce(throttle.STATEMENT_EXPORTS, f"user:{request.user.pk}")
            except TooMany as error:
                return throttle.page(request, error)
        return super().dispatch(request, *args, **kwargs)


def _pdf(name: str, content: bytes) -> HttpResponseBase:
    return attachment(name=name, content_type="application/pdf", chunks=[content])


class OfferKeyFacts(_PaperPage):
    def get(self, request: HttpRequest, loan_application_id: UUID) -> HttpResponseBase:
        application = self.own_application(loan_application_id)
        if application.status != Application.Status.APPROVED:
            raise Http404
        return _pdf("key-facts.pdf", papers.offer_key_facts(application, now=timezone.now()))


class LoanKeyFacts(_PaperPage):
    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponseBase:
        return _pdf("key-facts.pdf", papers.loan_key_facts(self.own_loan(loan_id)))


class SchedulePdf(_PaperPage):
    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponseBase:
        return _pdf("schedule.pdf", papers.schedule_pdf(self.own_loan(loan_id), now=timezone.now()))


class ScheduleCsv(_PaperPage):
    def get(self, request: HttpRequest, loan_id: UUID) -> HttpResponseBase:
        return csv_response(name="schedule.csv", rows=papers.schedule_rows(self.own_loan(loan_id)))


class InterestCertificate(_PaperPage):
    def get(self, request: HttpRequest, loan_id: UUID, year: int) -> HttpResponseBase:
        loan = self.own_loan(loan_id)
        content = papers.interest_certificate(loan, year=year, now=timezone.now()) if 2000 <= year < 10_000 else None
        if content is None:
            raise Http404
        return _pdf(f"interest-{year}.pdf", content)
