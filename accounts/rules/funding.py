"""Where the opening deposit of an account comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class FundingKind(StrEnum):
    OWN_ACCOUNT = "OWN_ACCOUNT"
    SANDBOX = "SANDBOX"
    CASH = "CASH"


@dataclass(frozen=True, slots=True)
class FundingSource:
    """`account_id` is set for OWN_ACCOUNT only."""

    kind: FundingKind
    account_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.account_id is not None) != (self.kind is FundingKind.OWN_ACCOUNT):
            raise ValueError("an own account needs its id, other sources have none")


def own_account(account_id: UUID) -> FundingSource:
    """Money that the owner already holds with us."""
    return FundingSource(FundingKind.OWN_ACCOUNT, account_id)


def sandbox() -> FundingSource:
    """Play money from outside; exists in a sandbox only."""
    return FundingSource(FundingKind.SANDBOX)


def cash() -> FundingSource:
    """Notes handed to a teller."""
    return FundingSource(FundingKind.CASH)
