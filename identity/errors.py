from __future__ import annotations

from common import errors


class WrongPin(errors.Invalid):
    code = "wrong_pin"
    message = "That PIN is not right."


class PinLocked(errors.Forbidden):
    code = "pin_locked"
    message = "Your transaction PIN is locked after five wrong tries. Set a new one under Security."


class PinNotSet(errors.Conflict):
    code = "pin_not_set"
    message = "Set a transaction PIN under Security before you move money."


class WeakPin(errors.Invalid):
    code = "weak_pin"
    message = "Choose 4 to 6 digits that are not a simple row or repetition."


class PermissionMissing(errors.Forbidden):
    code = "permission_missing"


class EmailTaken(errors.Conflict):
    code = "email_taken"
    message = "This e-mail address cannot be used."
