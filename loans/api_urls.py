from __future__ import annotations

from django.urls import path

from loans.api import applications, loans, quotes

urlpatterns = [
    path("loans/products", quotes.Products.as_view(), name="api-loan-products"),
    path("loans/quote", quotes.Quote.as_view(), name="api-loan-quote"),
    path("loans/applications", applications.Applications.as_view(), name="api-loan-applications"),
    path(
        "loans/applications/<uuid:loan_application_id>",
        applications.ApplicationEntry.as_view(),
        name="api-loan-application",
    ),
    path(
        "loans/applications/<uuid:loan_application_id>/accept",
        applications.Accept.as_view(),
        name="api-loan-application-accept",
    ),
    path("loans/", loans.Loans.as_view(), name="api-loans"),
    path("loans/<uuid:loan_id>", loans.LoanEntry.as_view(), name="api-loan"),
    path("loans/<uuid:loan_id>/schedule", loans.Schedule.as_view(), name="api-loan-schedule"),
    path("loans/<uuid:loan_id>/repayments", loans.Repayments.as_view(), name="api-loan-repayments"),
    path("loans/<uuid:loan_id>/prepayment-quote", loans.PrepaymentQuote.as_view(), name="api-loan-prepayment-quote"),
    path("loans/<uuid:loan_id>/payoff-quote", loans.PayoffQuote.as_view(), name="api-loan-payoff-quote"),
]
