"""Every operation of the API, and what is expected of who calls it."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

Call = tuple[str, str]
API = "api/v1/"

# Open to everybody: what each does is tested where it lives.
OPEN: set[Call] = {
    ("POST", "auth/register"),
    ("POST", "auth/token"),
    ("POST", "auth/token/refresh"),
    ("GET", "products/"),
    ("GET", "loans/products"),
    ("POST", "loans/quote"),
}
# About the caller alone: 2xx for everybody who is logged in, and nothing of anybody else.
SELF: set[Call] = {
    ("GET", "accounts/"),
    ("GET", "loans/"),
    ("GET", "loans/applications"),
    ("GET", "auth/me"),
    ("GET", "bulk-files/"),
    ("GET", "holds/"),
    ("GET", "kyc/applications"),
    ("GET", "limits/"),
    ("GET", "payees/"),
    ("GET", "standing-orders/"),
    ("GET", "transactions/history"),
    ("GET", "users/profile"),
    ("PATCH", "users/profile"),
    ("POST", "users/pin"),
}
# About one thing: it is not there for anybody but its owner.
OWN: set[Call] = {
    ("GET", "accounts/<uuid:account_id>/"),
    ("GET", "accounts/<uuid:account_id>/balance"),
    ("GET", "accounts/<uuid:account_id>/statement"),
    ("GET", "accounts/<uuid:account_id>/closing"),
    ("POST", "accounts/<uuid:account_id>/close"),
    ("POST", "accounts/<uuid:account_id>/reactivate"),
    ("GET", "accounts/<uuid:account_id>/statements/"),
    ("GET", "accounts/<uuid:account_id>/statements/<str:month>"),
    ("POST", "bulk-files/"),
    ("GET", "bulk-files/<uuid:bulk_id>/"),
    ("GET", "bulk-files/<uuid:bulk_id>/rows"),
    ("GET", "bulk-files/<uuid:bulk_id>/result"),
    ("POST", "bulk-files/<uuid:bulk_id>/confirm"),
    ("POST", "bulk-files/<uuid:bulk_id>/cancel"),
    ("GET", "kyc/applications/<uuid:application_id>"),
    ("PATCH", "kyc/applications/<uuid:application_id>"),
    ("GET", "kyc/applications/<uuid:application_id>/documents"),
    ("POST", "kyc/applications/<uuid:application_id>/documents"),
    ("POST", "kyc/applications/<uuid:application_id>/submit"),
    ("GET", "kyc/documents/<uuid:document_id>"),
    ("DELETE", "kyc/documents/<uuid:document_id>"),
    ("GET", "loans/<uuid:loan_id>"),
    ("GET", "loans/<uuid:loan_id>/schedule"),
    ("POST", "loans/<uuid:loan_id>/repayments"),
    ("POST", "loans/<uuid:loan_id>/prepayment-quote"),
    ("GET", "loans/<uuid:loan_id>/payoff-quote"),
    ("GET", "loans/applications/<uuid:loan_application_id>"),
    ("POST", "loans/applications/<uuid:loan_application_id>/accept"),
    ("GET", "payees/<uuid:payee_id>/"),
    ("DELETE", "payees/<uuid:payee_id>/"),
    ("POST", "standing-orders/"),
    ("GET", "standing-orders/<uuid:order_id>/"),
    ("POST", "standing-orders/<uuid:order_id>/skip"),
    ("POST", "standing-orders/<uuid:order_id>/pause"),
    ("POST", "standing-orders/<uuid:order_id>/resume"),
    ("POST", "standing-orders/<uuid:order_id>/cancel"),
    ("GET", "transactions/history/<uuid:payment_id>"),
    ("POST", "transactions/batch"),
    ("POST", "transactions/transfer"),
    ("POST", "transactions/withdraw"),
}
# Each has a test of its own in test_api_roles.py.
APART: set[Call] = {
    ("POST", "loans/applications"),
    ("POST", "accounts/"),
    ("POST", "auth/logout"),
    # Integrators' own; tests/payments/test_integrator_holds.py tries them as everybody else.
    ("POST", "holds/"),
    ("GET", "holds/<uuid:hold_id>/"),
    ("POST", "holds/<uuid:hold_id>/post"),
    ("POST", "holds/<uuid:hold_id>/void"),
    ("POST", "kyc/applications"),
    ("POST", "payees/"),
    ("PUT", "limits/<str:channel>/"),
    # Gateways' and staff's own; tests/fraud/test_api_callers.py tries them as everybody else.
    ("GET", "analytics/risk-scores"),
    ("POST", "fraud/analyze"),
    ("POST", "fraud/score/batch"),
    ("GET", "fraud/transactions/pending"),
    ("GET", "fraud/transactions/<uuid:transaction_id>"),
    ("POST", "fraud/transactions/<uuid:transaction_id>/approve"),
    ("POST", "fraud/transactions/<uuid:transaction_id>/reject"),
    ("GET", "fraud/model"),
    ("GET", "fraud/features"),
    ("POST", "fraud/features/<str:name>/enable"),
    ("POST", "fraud/features/<str:name>/disable"),
    ("GET", "fraud/rules"),
    ("POST", "fraud/rules"),
    ("GET", "fraud/rules/<uuid:rule_id>"),
    ("GET", "fraud/rules/<uuid:rule_id>/backtests"),
    ("POST", "fraud/rules/<uuid:rule_id>/backtests"),
    ("GET", "fraud/rules/<uuid:rule_id>/backtests/<uuid:backtest_id>"),
    # Staff's own; tests/reconciliation/test_api.py tries them as each role.
    ("GET", "reconciliation/statements/"),
    ("POST", "reconciliation/statements/"),
    ("GET", "reconciliation/lines/"),
    ("POST", "reconciliation/rules"),
    ("POST", "reconciliation/matches/"),
    ("POST", "reconciliation/matches/<uuid:match_id>/undo"),
    ("POST", "transactions/deposit"),
    ("POST", "transactions/history/<uuid:payment_id>/reverse"),
}


def operations() -> set[Call]:
    """Every method of every address under /api/v1/, as the URLconf has them."""

    def walk(entries: list[URLPattern | URLResolver], prefix: str) -> Any:
        for entry in entries:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry.url_patterns, route)
            elif route.startswith(API):
                methods = [
                    name for name in ("get", "post", "put", "patch", "delete") if hasattr(entry.callback.cls, name)
                ]
                yield from ((method.upper(), route.removeprefix(API)) for method in methods)

    return set(walk(get_resolver().url_patterns, ""))
