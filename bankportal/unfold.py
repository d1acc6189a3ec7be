"""The look and the side navigation of the back office."""

from __future__ import annotations

UNFOLD = {
    "SITE_TITLE": "Bankportal back office",
    "SITE_HEADER": "Bankportal",
    "SITE_SUBHEADER": "Back office",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
