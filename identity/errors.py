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


class UserUnknown(errors.NotFound):
    code = "user_unknown"
    message = "We could not find this user."


class WeakPassword(errors.Invalid):
    code = "weak_password"
    message = "Choose another password."


class WrongPassword(errors.Invalid):
    code = "wrong_password"
    message = "That password is not right."


class OwnAccount(errors.Forbidden):
    code = "own_account"
    message = "Another administrator has to do this for you."


class ConnectionKnown(errors.Conflict):
    code = "connection_known"
    message = "You declared this person already."


class ConnectionUnknown(errors.NotFound):
    code = "connection_unknown"
    message = "This declaration is not there, or has ended."


class RelationUnknown(errors.Invalid):
    code = "relation_unknown"
    message = "Choose how you are connected."


class RoleUnknown(errors.Invalid):
    code = "role_unknown"
    message = "This role does not exist."


class BadCredentials(errors.Unauthenticated):
    """Sign-in failed; never says whether the address or the password was at fault."""

    code = "bad_credentials"
    message = "The e-mail address or the password is not right."


class EmailNotVerified(errors.Forbidden):
    code = "email_not_verified"
    message = "Follow the link we sent to your e-mail address first."


class SecondFactorRequired(errors.Unauthenticated):
    code = "second_factor_required"
    message = "Send the code of your authenticator app as `otp`."


class SecondFactorMissing(errors.Forbidden):
    code = "second_factor_not_set_up"
    message = "Staff need two-step verification. Set it up in the browser first."


class WrongCode(errors.Invalid):
    code = "wrong_code"
    message = "That code is not right."


class SessionUnknown(errors.NotFound):
    code = "session_unknown"
    message = "This sign-in has ended already."


class SignInEnded(errors.Unauthenticated):
    code = "sign_in_ended"
    message = "This sign-in has ended. Log in again."


class ClientNameTaken(errors.Conflict):
    code = "client_name_taken"
    message = "An API client of this name exists."


class ScopeUnknown(errors.Invalid):
    code = "scope_unknown"
    message = "This scope does not exist."
