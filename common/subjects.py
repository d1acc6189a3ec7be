"""What the trail, the ledger and the cases speak about, in words, and its page in the back office.

Names only: whoever asks needs no import of the app that owns the thing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Admin = ModelAdmin[Any]
else:
    _Admin = object


class Subject(NamedTuple):
    """`page` is the admin's name of the table and `permission` what opens it; both empty: there is no page."""

    words: str
    page: str = ""
    permission: str = ""


SUBJECTS: dict[str, Subject] = {
    "account": Subject("Account", "accounts_account", "account_view"),
    "api_client": Subject("API key", "identity_apiclient", "user_view"),
    "bulk_file": Subject("File of payments", "payments_bulkfile", "payment_view"),
    "demo": Subject("Demo bank"),
    "end_of_day": Subject("End of a day"),
    "fee": Subject("Fee", "accounts_feeversion", "account_view"),
    "fraud_backtest": Subject("Backtest", "fraud_backtest", "fraud_view"),
    "fraud_case": Subject("Fraud case", "fraud_case", "fraud_view"),
    "fraud_credit": Subject("Credit of an account", "fraud_creditscore", "fraud_view"),
    "fraud_entry": Subject("Entry of a fraud list", "fraud_listentry", "fraud_view"),
    "fraud_model": Subject("Fraud model", "fraud_modelversion", "fraud_view"),
    "fraud_rule": Subject("Fraud rule", "fraud_rule", "fraud_view"),
    "fraud_snooze": Subject("Snooze of a fraud rule", "fraud_snooze", "fraud_view"),
    "fraud_switch": Subject("Switch of the fraud engine"),
    "fraud_training": Subject("Training of a fraud model"),
    "kyc_application": Subject("Identity check", "kyc_application", "kyc_view"),
    "kyc_document": Subject("Document"),
    "ledger_account": Subject("Ledger account", "ledger_ledgeraccount", "ledger_view"),
    "ledger_seal": Subject("Seal of the ledger", "ledger_seal", "ledger_view"),
    "limit": Subject("Limits", "payments_limit", "payment_view"),
    "loan": Subject("Loan", "loans_loan", "loan_view"),
    "loan_application": Subject("Loan application", "loans_application", "loan_view"),
    "loan_bucket": Subject("Bucket of late loans", "loans_bucket", "loan_view"),
    "loan_policy": Subject("Lending policy", "loans_policy", "loan_view"),
    "loan_product": Subject("Loan product", "loans_loanproduct", "loan_view"),
    "loans": Subject("Loans"),
    "match": Subject("Match", "reconciliation_match", "ledger_view"),
    "outside_statement": Subject("Outside statement", "reconciliation_outsidestatement", "ledger_view"),
    "page": Subject("Page"),
    "payee": Subject("Payee", "payments_payee", "payment_view"),
    "payment": Subject("Payment", "payments_payment", "payment_view"),
    "product": Subject("Product", "accounts_product", "account_view"),
    "reference_rate": Subject("Reference rate", "accounts_referencerate", "account_view"),
    "standing_order": Subject("Standing order", "payments_standingorder", "payment_view"),
    "user": Subject("User", "identity_user", "user_view"),
}
MayOpen = Callable[[str], bool]


def words(kind: str) -> str:
    """A kind of thing in words."""
    known = SUBJECTS.get(kind)
    return known.words if known else kind.replace("_", " ").capitalize()


def page_of(kind: str, subject_id: object, may: MayOpen) -> str:
    """The address of a thing's page, or empty for a thing without one and for whoever may not open it.

    `may` says whether the reader holds a permission, such as `user.has_perm`.
    """
    known = SUBJECTS.get(kind)
    if known is None or not known.page or not may(f"identity.{known.permission}"):
        return ""
    try:
        return reverse(f"admin:{known.page}_change", args=[subject_id])
    except NoReverseMatch:
        return ""


def link(kind: str, subject_id: object, may: MayOpen) -> str:
    """A thing in words with its short id, as a link for whoever may open its page."""
    url = page_of(kind, subject_id, may)
    text = f"{words(kind)} {str(subject_id)[:8]}"
    return format_html('<a class="office-link" href="{}" title="{}">{}</a>', url, subject_id, text) if url else text


class LinksForReader(_Admin):
    """Gives each row that an admin page shows its `reader`, so that a column can leave out links closed to them."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        for row in changelist.result_list:
            row.reader = request.user
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.reader = request.user
        return row
