from __future__ import annotations

from django.urls import path

from loans.views import applying, calculator, files, loans

app_name = "loans"
urlpatterns = [
    path("loans/", loans.LoansPage.as_view(), name="loans"),
    path("loans/calculator/", calculator.CalculatorPage.as_view(), name="calculator"),
    path("loans/apply/", applying.WishStep.as_view(), name="apply"),
    path("loans/apply/means/", applying.MeansStep.as_view(), name="apply_means"),
    path("loans/apply/review/", applying.ReviewStep.as_view(), name="apply_review"),
    path("loans/applications/<uuid:loan_application_id>/", applying.ApplicationPage.as_view(), name="application"),
    path(
        "loans/applications/<uuid:loan_application_id>/withdraw/",
        applying.WithdrawApplication.as_view(),
        name="application_withdraw",
    ),
    path(
        "loans/applications/<uuid:loan_application_id>/key-facts.pdf",
        files.OfferKeyFacts.as_view(),
        name="offer_key_facts",
    ),
    path("loans/<uuid:loan_id>/", loans.LoanPage.as_view(), name="loan"),
    path("loans/<uuid:loan_id>/pay/", loans.PayDuePage.as_view(), name="pay"),
    path("loans/<uuid:loan_id>/extra/", loans.ExtraPage.as_view(), name="extra"),
    path("loans/<uuid:loan_id>/pay-off/", loans.PayOffPage.as_view(), name="payoff"),
    path("loans/<uuid:loan_id>/settle/", loans.RecoverPage.as_view(), name="recover"),
    path("loans/<uuid:loan_id>/withdraw/", loans.CancelPage.as_view(), name="cancel"),
    path("loans/<uuid:loan_id>/key-facts.pdf", files.LoanKeyFacts.as_view(), name="key_facts"),
    path("loans/<uuid:loan_id>/schedule.pdf", files.SchedulePdf.as_view(), name="schedule_pdf"),
    path("loans/<uuid:loan_id>/schedule.csv", files.ScheduleCsv.as_view(), name="schedule_csv"),
    path("loans/<uuid:loan_id>/interest-<int:year>.pdf", files.InterestCertificate.as_view(), name="certificate"),
]
