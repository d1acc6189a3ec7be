"""The calculator: open to everybody, works without JavaScript, writes nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from common.errors import DomainError
from loans import queries, services
from loans.forms import CalculatorForm
from loans.queries import Offer
from loans.views import figures

_FIRST = {"product": "PERSONAL", "amount": "10000.00", "instalments": "36"}


class CalculatorPage(View):
    """Amount, term, rate in the address: instalment, total, APR and the years as a chart."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponse:
        products = queries.open_products()
        codes = [product.code for product in products]
        first = _FIRST | {"product": codes[0] if codes and "PERSONAL" not in codes else "PERSONAL"}
        form = CalculatorForm({**first, **request.GET.dict()}, products=products)
        offer, best = self._offer(form) if form.is_valid() else (None, None)
        context: dict[str, Any] = {"form": form, "nav_active": "loans", "products": products}
        if offer is not None:
            wish = {name: form.cleaned_data[name] for name in ("product", "amount", "instalments")}
            context |= {
                "offer": offer,
                "rows": figures.offer_rows(offer),
                "chart": figures.yearly_chart(offer),
                "plan": figures.schedule_rows(offer)[: figures.ROWS_IN_VIEW],
                "longer": len(offer.schedule.rows) > figures.ROWS_IN_VIEW,
                "best": best,
                "apply_url": f"{reverse('loans:apply')}?{urlencode(wish)}",
            }
        return render(request, "loans/calculator.html", context, status=422 if offer is None else 200)

    def _offer(self, form: CalculatorForm) -> tuple[Offer | None, Decimal | None]:
        facts = form.cleaned_data
        try:
            product = queries.get_product(facts["product"])
            best = queries.rate_span(product)[0]
            rate = best if facts["rate"] is None else facts["rate"]
            today = timezone.now().date()
            offer = services.quote(
                product=product, amount=facts["amount"], instalments=facts["instalments"], rate=rate, day=today
            )
        except DomainError as error:
            form.attach(error)
            return None, None
        return offer, best
