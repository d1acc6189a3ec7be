"""The look of the back office. Its navigation and start page are in `bankportal.office`, which may import models."""

from __future__ import annotations

from django.templatetags.static import static
from django.urls import reverse_lazy

UNFOLD = {
    "SITE_TITLE": "Bankportal back office",
    "SITE_HEADER": "Bankportal",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")},
    ],
    "STYLES": [lambda request: static("css/back-office.css")],
    # The audit trail is the history; Django keeps one of edits alone.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "bankportal.office.start_page",
    # The portal's greys and its one accent, pine.
    "COLORS": {
        "base": {
            "50": "#f5f7f5",
            "100": "#ebefec",
            "200": "#dce2de",
            "300": "#c3cbc6",
            "400": "#94a099",
            "500": "#65716a",
            "600": "#4b5650",
            "700": "#39433e",
            "800": "#232b27",
            "900": "#141a17",
            "950": "#0d1311",
        },
        "primary": {
            "50": "#eef8f3",
            "100": "#e1f0e9",
            "200": "#c5e3d7",
            "300": "#a9cfbf",
            "400": "#6dd3ac",
            "500": "#3aa783",
            "600": "#0b5f49",
            "700": "#0a5441",
            "800": "#08493a",
            "900": "#0a3a2e",
            "950": "#06241a",
        },
    },
    # Beside logging out, in the menu of whoever is logged in.
    "ACCOUNT": {
        "navigation": [
            {"title": "Your sign-ins", "link": reverse_lazy("admin:identity_user_own_sign_ins")},
            {"title": "Two-step verification", "link": reverse_lazy("mfa_index")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ],
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "bankportal.office.navigation",
    },
}
