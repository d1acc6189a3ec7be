"""Countries: from an address (the offline table of geoip2fast) and for people (CLDR names through Babel)."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from geoip2fast import GeoIP2Fast

from common.money import LOCALE


@lru_cache(maxsize=1)
def _table() -> GeoIP2Fast:
    return GeoIP2Fast()


@lru_cache(maxsize=8192)
def country_of(ip: str) -> str:
    """ISO 3166 alpha-2 country of a public address; empty for private, unknown or malformed ones."""
    if not ip or ip.startswith(("127.", "10.", "192.168.")) or ip == "::1":
        return ""
    detail = _table().lookup(ip)
    code = str(detail.country_code or "")
    return code if len(code) == 2 and code.isalpha() and not detail.is_private else ""


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """(alpha-2 code, English name) of every country, by name."""
    territories = Locale.parse(LOCALE).territories
    pairs = [(code, name) for code, name in territories.items() if len(code) == 2 and code.isalpha()]
    unofficial = {"EU", "UN", "EZ", "ZZ", "XA", "XB", "QO"}
    return sorted(((code, name) for code, name in pairs if code not in unofficial), key=lambda pair: pair[1])


def country_name(code: str) -> str:
    return dict(countries()).get(code, code)
