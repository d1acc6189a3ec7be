"""Who may do what: the one table. Groups are written from it after each migrate, and the tests walk it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    CUSTOMER = "customer"
    TELLER = "teller"
    COMPLIANCE = "compliance"
    LENDING = "lending"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


PERMISSIONS: dict[str, str] = {
    "kyc_view": "Can see KYC applications",
    "kyc_document_view": "Can open the documents of KYC applications",
    "kyc_decide": "Can approve or reject KYC applications",
    "account_view": "Can see every account",
    "account_open_for_customer": "Can open an account for a customer",
    "account_freeze": "Can freeze and unfreeze accounts",
    "account_close": "Can close accounts",
    "account_reactivate": "Can reactivate dormant accounts",
    "fee_waive": "Can waive the monthly fee of accounts",
    "ledger_view": "Can see the ledger",
    "ledger_reconcile": "Can match outside statements with the ledger",
    "payment_view": "Can see every payment",
    "payment_deposit": "Can pay cash into an account",
    "payment_withdraw": "Can pay cash out of an account",
    "payment_reverse": "Can reverse a payment",
    "payment_limits": "Can set the limits of payments",
    "fraud_view": "Can see fraud cases, decisions and rules",
    "fraud_decide": "Can release or decline held transfers",
    "fraud_edit_rules": "Can edit fraud rules",
    "fraud_approve_rules": "Can put another person's fraud rule live",
    "fraud_switch": "Can switch features, layers and thresholds of the fraud engine",
    "loan_view": "Can see loans and applications",
    "loan_decide": "Can decide about loan applications",
    "loan_service": "Can restructure loans and write them off",
    "user_view": "Can see users",
    "user_manage": "Can create staff, assign roles and unlock users",
    "audit_view": "Can see the audit trail",
    "product_edit": "Can edit products and reference rates",
    "notification_view": "Can see sent messages",
    "health_view": "Can see the state of the installation",
}

_SEE_ALL = frozenset(codename for codename in PERMISSIONS if codename.endswith("_view"))

ROLE_PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.CUSTOMER: frozenset(),
    Role.TELLER: frozenset(
        {
            "account_view",
            "account_open_for_customer",
            "account_reactivate",
            "fee_waive",
            "payment_view",
            "payment_deposit",
            "payment_withdraw",
            "user_view",
        }
    ),
    Role.COMPLIANCE: frozenset(
        {
            "kyc_view",
            "kyc_document_view",
            "kyc_decide",
            "account_view",
            "account_freeze",
            "account_reactivate",
            "ledger_view",
            "ledger_reconcile",
            "payment_view",
            "payment_reverse",
            "payment_limits",
            "fraud_view",
            "fraud_decide",
            "fraud_edit_rules",
            "fraud_approve_rules",
            "fraud_switch",
            "user_view",
            "notification_view",
        }
    ),
    # Lending sees how far an application is; papers stay between their owner and compliance.
    Role.LENDING: frozenset(
        {"account_view", "payment_view", "user_view", "kyc_view", "loan_view", "loan_decide", "loan_service"}
    ),
    Role.AUDITOR: _SEE_ALL,
    Role.ADMINISTRATOR: frozenset(
        {
            "account_view",
            "account_close",
            "fee_waive",
            "ledger_view",
            "ledger_reconcile",
            "payment_view",
            "fraud_view",
            "user_view",
            "user_manage",
            "audit_view",
            "payment_limits",
            "loan_view",
            "product_edit",
            "notification_view",
            "health_view",
        }
    ),
}

# What an API key may do beside its user's own rights, by scope. Putting a rule live takes a person: no scope does.
SCOPE_PERMISSIONS: dict[str, frozenset[str]] = {
    "fraud:decide": frozenset({"fraud_view", "fraud_decide"}),
    "fraud:configure": frozenset({"fraud_view", "fraud_edit_rules", "fraud_switch"}),
}

STAFF_ROLES = frozenset(Role) - {Role.CUSTOMER}


def roles_with(codename: str) -> frozenset[Role]:
    """The roles that hold a permission."""
    return frozenset(role for role, held in ROLE_PERMISSIONS.items() if codename in held)


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    """What the scopes of an API key allow together."""
    return frozenset(codename for scope in scopes for codename in SCOPE_PERMISSIONS.get(scope, ()))
