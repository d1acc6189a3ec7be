"""The whole transfer in process: what a customer's payment costs with limits, rules, ledger, audit and outbox."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence

from django.utils import timezone

from bankportal.bench.people import Member
from payments import services
from payments.models import Channel, Status


def submit_transfer(members: Sequence[Member], dice: random.Random) -> None:
    """One customer pays another a cent, as the API does it once the PIN is checked. Raises RuntimeError unless it completes."""
    payer, payee = dice.sample(members, 2)
    payment = services.submit_transfer(
        actor=payer.user,
        debit_account_id=payer.account_id,
        payee_number=payee.number,
        payee_name=payee.user.full_name,
        amount="0.01",
        client_id=uuid.uuid4(),
        channel=Channel.API,
        now=timezone.now(),
    )
    if payment.status != Status.COMPLETED:
        raise RuntimeError(f"a measured transfer ended as {payment.status}: {payment.reasons or payment.refusal_text}")
