from __future__ import annotations

from common import errors


class InvalidCondition(errors.Invalid):
    """The condition of a rule cannot be accepted; `data["path"]` says where in the tree."""

    code = "invalid_condition"
    message = "This condition is not complete."

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message, field="condition", data={"path": path})
        self.path = path


class CaseNotFound(errors.NotFound):
    code = "case_not_found"
    message = "We could not find that case."


class CaseAlreadyDecided(errors.Conflict):
    """Its text says what became of the case and, where a person decided, who."""

    code = "case_already_decided"
    message = "This case was decided in the meantime."


class CaseTaken(errors.Conflict):
    """Its text says who has the case."""

    code = "case_taken"
    message = "A colleague has this case."


class ChecklistOpen(errors.Invalid):
    """`data["missing"]` lists what has not been checked yet."""

    code = "checklist_open"

    def __init__(self, missing: list[tuple[str, str]]) -> None:
        texts = "; ".join(text for _, text in missing)
        super().__init__(
            f"Not everything is checked yet: {texts}.", field="checks", data={"missing": [code for code, _ in missing]}
        )


class UnknownCheck(errors.Invalid):
    code = "unknown_check"
    message = "This is not on the checklist of the case."


class UnknownFraudKind(errors.Invalid):
    code = "unknown_fraud_kind"
    message = "Choose one of the kinds of fraud, and only for a fraud."


class GatewayUnknown(errors.Invalid):
    code = "gateway_unknown"
    message = "Choose one of the keys in use."


class WebhookNotFound(errors.NotFound):
    code = "webhook_not_found"
    message = "This address is not in use any more."


class DeliveryNotFound(errors.NotFound):
    code = "webhook_delivery_not_found"
    message = "This gateway was told no such thing, or it is already waiting to be sent."


class AlreadyAnswered(errors.Conflict):
    code = "already_answered"
    message = "You have answered already. Call us if that was a mistake."


class NotUnderReview(errors.Conflict):
    code = "not_under_review"
    message = "This payment is not under review any more."


class OwnCase(errors.Forbidden):
    code = "own_case"
    message = "This is your own payment: somebody else has to decide it."


class ReasonMissing(errors.Invalid):
    code = "reason_missing"
    message = "Give a reason."

    def __init__(self) -> None:
        super().__init__(field="reason")


class UnknownSubjectKind(errors.Conflict):
    code = "unknown_subject_kind"
    message = "Nobody handles decisions about this kind of payment."


class RuleNotFound(errors.NotFound):
    code = "rule_not_found"
    message = "We could not find that rule."


class RuleStateConflict(errors.Conflict):
    code = "rule_state_conflict"
    message = "This is not possible in the rule's present state."


class SameMakerAndChecker(errors.Forbidden):
    code = "same_maker_and_checker"
    message = "You wrote this rule: somebody else has to approve it."


class RuleCodeTaken(errors.Conflict):
    code = "rule_code_taken"
    message = "Another rule already has this code."


class BacktestUnfinished(errors.Conflict):
    code = "backtest_unfinished"
    message = "This backtest has no result yet."


class EntryNotFound(errors.NotFound):
    code = "entry_not_found"
    message = "We could not find that entry."


class EntryStateConflict(errors.Conflict):
    code = "entry_state_conflict"
    message = "This is not possible in the entry's present state."


class OneAuthor(errors.Forbidden):
    code = "one_author"
    message = "You wrote this entry: somebody else has to approve it."


class SnoozeNotFound(errors.NotFound):
    code = "snooze_not_found"
    message = "We could not find that snooze."


class SnoozeOver(errors.Conflict):
    code = "snooze_over"
    message = "This snooze is over already."


class OwnSnooze(errors.Forbidden):
    code = "own_snooze"
    message = "These are your own payments: somebody else has to decide about them."


class ModelNotFound(errors.NotFound):
    code = "model_not_found"
    message = "We could not find that model."


class ModelStateConflict(errors.Conflict):
    code = "model_state_conflict"
    message = "This is not possible in the model's present state."


class ModelUnusable(errors.Conflict):
    """The stored files of a model do not pass the checks; its text says which one."""

    code = "model_unusable"
    message = "This model cannot be used."


class ModelNotProven(errors.Conflict):
    """The labels say that a model is worse than the champion, or are too few to tell; its text says which."""

    code = "model_not_proven"
    message = "It is not known that this model is at least as good as the one in charge."


class SameNominatorAndPromoter(errors.Forbidden):
    code = "same_nominator_and_promoter"
    message = "You asked for this model: somebody else has to put it in charge."


class UnknownSwitch(errors.Invalid):
    code = "unknown_switch"
    message = "There is no such layer."


class UnknownFeature(errors.NotFound):
    code = "unknown_feature"
    message = "There is no such feature."


class TooLittleHistory(errors.Conflict):
    """There are too few decisions to learn from; its text says how many there are."""

    code = "too_little_history"
    message = "There are too few decisions to learn from."


class CreditNotFound(errors.NotFound):
    code = "credit_not_found"
    message = "We could not find that credit."


class CreditReviewed(errors.Conflict):
    code = "credit_reviewed"
    message = "Somebody has looked at this credit in the meantime."


class TrainingUnderWay(errors.Conflict):
    code = "training_under_way"
    message = "A training is under way already: wait for its end."


class BacktestNotFound(errors.NotFound):
    code = "backtest_not_found"
    message = "We could not find that backtest."


class TransactionIdReused(errors.Conflict):
    code = "transaction_id_reused"
    message = "This transaction id was used with another content."


class TransactionNotFound(errors.NotFound):
    code = "transaction_not_found"
    message = "We could not find that transaction."


class NotScoredInTime(errors.Unavailable):
    code = "not_scored_in_time"
    message = "There was no time left for this transaction. Send it again."
