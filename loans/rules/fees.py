"""What the bank charges beside interest: at disbursement, per instalment, and for lateness. Minor units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from loans.rules.amounts import divide_to
from loans.rules.calendar import percent_ratio
from loans.rules.terms import Disbursement, Fee, FeeBasis, FeeTiming, PenaltyBasis, Terms


def _share(terms: Terms, amount_minor: int, percent: Decimal) -> int:
    numerator, denominator = percent_ratio(percent)
    return divide_to(
        amount_minor * numerator, denominator, multiple=terms.amount_multiple_minor, rounding=terms.interest_rounding
    )


def at_disbursement(terms: Terms, part: Disbursement) -> int:
    """Fees taken when `part` is paid out; a flat one is taken once, with the first disbursement."""
    total = 0
    for fee in terms.fees:
        if fee.timing is not FeeTiming.DISBURSEMENT:
            continue
        if fee.basis is FeeBasis.PRINCIPAL:
            total += _share(terms, part.amount_minor, fee.percent)
        elif part is terms.disbursements[0]:
            total += fee.amount_minor
    return total


def of_instalment(terms: Terms, principal: int, interest: int) -> int:
    """The fees due with one instalment of these parts; none with an empty one."""
    total = 0
    for fee in terms.fees:
        if fee.timing is FeeTiming.INSTALMENT:
            total += _charge(terms, fee, principal, interest)
    return total


def _charge(terms: Terms, fee: Fee, principal: int, interest: int) -> int:
    if fee.basis is FeeBasis.FLAT:
        return fee.amount_minor
    return _share(terms, principal if fee.basis is FeeBasis.PRINCIPAL else principal + interest, fee.percent)


def per_instalment(terms: Terms, principal: Sequence[int], interest: Sequence[int]) -> Sequence[int]:
    if not any(fee.timing is FeeTiming.INSTALMENT for fee in terms.fees):
        return (0,) * len(principal)
    return [of_instalment(terms, *parts) for parts in zip(principal, interest, strict=True)]


def late(terms: Terms, overdue_principal: int, overdue_interest: int) -> int:
    """The penalty for one late instalment of which these amounts are unpaid; 0 where the terms have none."""
    penalty = terms.penalty
    if penalty is None or overdue_principal + overdue_interest == 0:
        return 0
    if penalty.basis is PenaltyBasis.FLAT:
        return penalty.amount_minor
    with_interest = penalty.basis is PenaltyBasis.PRINCIPAL_AND_INTEREST
    return _share(terms, overdue_principal + (overdue_interest if with_interest else 0), penalty.percent)
