"""What we tell people, kind by kind: the one place for these texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """`title` and `body` are filled from the event's data. `by_mail`: also sent as e-mail. `url` is a path of ours."""

    title: str
    body: str
    by_mail: bool = True
    url: str = ""
    icon: str = "bell"


_SECURITY = "/security/"

KINDS: dict[str, Kind] = {
    "kyc_submitted": Kind(
        "We have your documents",
        "Thank you. We check who you are and tell you the outcome, usually within a working day.",
        icon="document",
    ),
    "kyc_approved": Kind(
        "Welcome: your identity is confirmed",
        "You can open your first account now.",
        url="/accounts/",
        icon="check-circle",
    ),
    "kyc_rejected": Kind("We could not confirm your identity", "{reason}", icon="alert"),
    "kyc_expired": Kind(
        "Your identity check has expired",
        "Apply again to open further accounts. We kept what you told us; your accounts work as before.",
        icon="document",
    ),
    "account_opened": Kind("Your account {account} is open", "You can pay in and send money at once.", icon="accounts"),
    "account_frozen": Kind(
        "Your account {account} is frozen",
        "No money moves in or out for now. We tell you as soon as this changes.",
        icon="lock",
    ),
    "account_unfrozen": Kind("Your account {account} works again", "You can use it as before.", icon="accounts"),
    "account_closed": Kind(
        "Your account {account} is closed", "Its statements stay available to you.", icon="accounts"
    ),
    "account_silent": Kind(
        "You have not used your account {account} for a long time",
        "Unless you use it, it becomes dormant on {day}: money still arrives, but none leaves until you reactivate it.",
        icon="clock",
    ),
    "account_dormant": Kind(
        "Your account {account} is dormant",
        "Your money is safe and money still arrives. Reactivate the account with your PIN to use it again.",
        icon="lock",
    ),
    "account_reactivated": Kind(
        "Your account {account} is active again",
        "If it was not you who asked for it, change your password at once and call us.",
        icon="accounts",
    ),
    "account_fee_open": Kind(
        "Your account {account} could not cover its fee of {amount}",
        "Nothing was taken. We take it at the end of a day on which the account holds enough.",
        icon="clock",
    ),
    "account_fee_waived": Kind(
        "We waived the fee of {amount} on your account {account}",
        "You do not owe it any more. If we had taken it, the money is back in your account.",
        icon="check",
    ),
    "fee_changes": Kind(
        "A fee of your {product} changes on {day}",
        "{operation}: {before} until then, {after} from then on. What you did before keeps its fee.",
        url="/accounts/",
        icon="document",
    ),
    "statement_ready": Kind(
        "Your statement for {month} is ready",
        "It covers your account {account} and stays available to you.",
        by_mail=False,
        icon="document",
    ),
    "transfer_completed": Kind(
        "You sent {amount} to {payee}", "It left your account {account}.", by_mail=False, icon="arrow-up-right"
    ),
    "transfer_held": Kind(
        "We are looking at your transfer of {amount}",
        "Your transfer to {payee} is under review. The amount is reserved in your account {account}; "
        "{payee} does not have it yet. Tell us on the page of the payment whether it was you: then we can decide sooner.",
        icon="clock",
    ),
    "payment_owned": Kind(
        "Thank you: the payment of {amount} was yours",
        "We noted that you know the payment to {payee}. A person still looks at it and decides soon.",
        by_mail=False,
        url="/activity/",
        icon="check-circle",
    ),
    "payment_disowned": Kind(
        "You told us that the payment of {amount} was not yours",
        "The payment to {payee} waits, and a person looks at it first of all. Cancel it under Activity if you like; "
        "change your password and your PIN now, and call us if other payments look strange.",
        url="/activity/",
        icon="alert",
    ),
    "transfer_released": Kind(
        "Your transfer of {amount} to {payee} has left",
        "The review is done, and we sent the money.",
        icon="check-circle",
    ),
    "transfer_declined": Kind(
        "We did not send your transfer of {amount}",
        "After a review we did not send the money to {payee}. The amount is free again in your account {account}. {reason}",
        icon="x-circle",
    ),
    "transfer_refused": Kind(
        "We refused your transfer of {amount}",
        "We did not send the money to {payee}. Nothing left your account {account}. {reason}",
        icon="x-circle",
    ),
    "transfer_expired": Kind(
        "Your transfer of {amount} was not sent",
        "Its review took too long. The amount is free again in your account {account}; you may send it again.",
        icon="clock",
    ),
    "transfer_reversed": Kind(
        "We took back a payment of {amount}", "It touched your account {account}. {reason}", icon="reverse"
    ),
    "money_received": Kind(
        "You received {amount} from {payer}", "It is in your account {account}.", icon="arrow-down-left"
    ),
    "deposit_received": Kind("You paid in {amount}", "It is in your account {account}.", icon="arrow-down-left"),
    "withdrawal_completed": Kind("You took out {amount}", "It left your account {account}.", icon="arrow-up-right"),
    "hold_placed": Kind(
        "{payee} reserved {amount}",
        "The amount stays in your account {account} and is not available until {payee} takes it or gives it up.",
        icon="clock",
    ),
    "hold_posted": Kind("{payee} took {amount}", "It left your account {account}.", icon="arrow-up-right"),
    "payee_saved": Kind(
        "You saved {payee} as a payee",
        "For the first 24 hours a lower limit holds. If it was not you, remove the payee, change your password and call us.",
        url="/payees/",
        icon="profile",
    ),
    "standing_order_made": Kind(
        "You set up a standing order of {amount} to {payee}",
        "It leaves your account {account}: {how_often}, first on {first}. "
        "If it was not you, cancel it, change your password and call us.",
        icon="clock",
    ),
    "standing_order_failed": Kind(
        "Your standing order of {amount} to {payee} was not paid",
        "It should have left your account {account}. {reason}",
        icon="alert",
    ),
    "bulk_file_done": Kind(
        "Your file {file} is paid", "{reason} Paid in all: {amount}. The result file has every row.", icon="document"
    ),
    "bulk_file_refused": Kind(
        "Nothing of your file {file} was paid",
        "You asked for all or nothing, and some of its payments cannot be made. The result file says which.",
        icon="alert",
    ),
    "loan_received": Kind(
        "We have your application for {amount}",
        "A colleague looks at it and answers within a working day.",
        icon="clock",
    ),
    "loan_approved": Kind(
        "Your {product} of {amount} is approved",
        "Read the offer in peace; it holds for 14 days. Once you accept it, the money is in your account.",
        icon="check-circle",
    ),
    "loan_declined": Kind("We cannot lend you {amount} now", "{reason}", icon="x-circle"),
    "loan_disbursed": Kind(
        "{amount} of your {product} are in your account",
        "The first instalment is due on {day}.",
        icon="arrow-down-left",
    ),
    "loan_part_disbursed": Kind(
        "Another {amount} of your {product} are in your account", "{text}", icon="arrow-down-left"
    ),
    "loan_rest_cancelled": Kind(
        "We do not pay out {amount} of your {product}",
        "What you have got stays as it is, and so do your instalments. You owe nothing for the rest.",
        icon="x-circle",
    ),
    "loan_instalment_due": Kind(
        "An instalment of {amount} is due on {day}",
        "We take it from your account {account}. Please see that the money is there.",
        icon="clock",
    ),
    "loan_paid": Kind("You paid {amount} for your {product}", "{text}", by_mail=False, icon="check-circle"),
    "loan_overdue": Kind("{amount} of your {product} are overdue", "{text}", icon="alert"),
    "loan_closed": Kind("Your {product} is paid off", "You owe nothing more. Thank you.", icon="check-circle"),
    "loan_cancelled": Kind(
        "You withdrew from your {product}", "You paid it back, and we gave back its fees. It is over.", icon="reverse"
    ),
    "loan_restructured": Kind("Your {product} has a new plan", "{text}", icon="document"),
    "loan_written_off": Kind(
        "We have ended your {product}", "It stays owed. Please call us about how to settle it.", icon="alert"
    ),
    "limits_changed": Kind(
        "Your limits have changed",
        "If it was not you who changed them, change your password at once and call us.",
        url="/limits/",
        icon="shield",
    ),
    "pin_set": Kind(
        "Your transaction PIN is new",
        "If it was not you who set it, change your password at once and call us.",
        url=_SECURITY,
        icon="shield",
    ),
    "pin_locked": Kind(
        "Your transaction PIN is locked",
        "Somebody entered a wrong PIN five times. Set a new one with your password to send money again.",
        url=_SECURITY,
        icon="lock",
    ),
    "password_changed": Kind(
        "Your password has changed",
        "All other sign-ins have ended. If it was not you, reset your password at once and call us.",
        url=_SECURITY,
        icon="shield",
    ),
    "email_changed": Kind(
        "Your e-mail address has changed",
        "From now on you log in with {after}; {before} no longer works. If it was not you, call us at once.",
        url=_SECURITY,
        icon="mail",
    ),
    "new_sign_in": Kind(
        "Somebody logged in from a new device",
        "If it was you, there is nothing to do. If not, change your password at once: that ends every sign-in.",
        url=_SECURITY,
        icon="shield",
    ),
    "second_factor_added": Kind(
        "Two-step verification is on", "From now on you log in with a code as well.", url=_SECURITY, icon="shield"
    ),
    "second_factor_removed": Kind(
        "Two-step verification is off",
        "If it was not you who turned it off, change your password at once and call us.",
        url=_SECURITY,
        icon="alert",
    ),
    "recovery_codes_made": Kind(
        "You have new recovery codes", "The old ones no longer work.", url=_SECURITY, icon="key"
    ),
}


class _Blank(dict[str, Any]):
    """A value that is missing reads as nothing: better a short text than none."""

    def __missing__(self, key: str) -> str:
        return ""


def write(kind: str, data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Title, body and path of an event. Raises KeyError for a kind that is not in the table."""
    entry = KINDS[kind]
    values = _Blank({key: str(value) for key, value in data.items() if value is not None})
    path = str(data.get("url") or entry.url)
    # Only a path of our own: a text from elsewhere must not become a link to elsewhere.
    safe = path if path.startswith("/") and not path.startswith("//") else entry.url
    title, body = (" ".join(text.format_map(values).split()) for text in (entry.title, entry.body))
    return title[:200], body, safe[:200]
