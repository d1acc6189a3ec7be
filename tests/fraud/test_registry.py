"""Model versions: sealed, refused when anything about them changed, promoted by two people, switched without a restart."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from audit.models import AuditEvent
from common.db import use_case
from common.errors import Forbidden, Invalid
from fraud import services as fraud
from fraud.errors import ModelStateConflict, ModelUnusable, SameNominatorAndPromoter, UnknownFeature, UnknownSwitch
from fraud.models import Decision, ModelFile, ModelState, ModelVersion, Rule
from fraud.rules.deciding import _confidence
from fraud.rules.facts import Outcome
from fraud.rules.learning import artifact, boosting, unsupervised
from fraud.rules.learning.artifact import BrokenArtifact, Sealed, seal, unseal
from fraud.rules.learning.boosting import Balance, Choice, Library
from fraud.rules.learning.layers import UNSUPERVISED, LayerName
from fraud.rules.learning.stack import Scale, Scaled
from fraud.services import engine, registry, switches
from fraud.services.unsealing import signing_key
from tests.fraud.conftest import NOON
from tests.fraud.test_layers import payments

KEY = b"a key of this test"


@pytest.fixture(scope="module")
def stack() -> dict[LayerName, Scaled]:
    """A supervised layer that is sure of large amounts, and the others, which are hard to alarm."""
    rows, _ = payments(400)
    labels = (np.nan_to_num(rows[:, 0]) > 200_00).astype(np.int64)
    layer = boosting.fit_once(rows, labels, Choice(Library.XGBOOST, Balance.NONE, trees=60, rate=0.3), seed=1)
    found = {LayerName.SUPERVISED: Scaled(layer, Scale((0.0, 0.6, 0.999, 1.0), (0.0, 0.5, 0.8, 1.0)))}
    never = Scale((1e6, 2e6), (0.0, 0.79))
    return found | {name: Scaled(layer, never) for name, layer in unsupervised.fit(rows, seed=1).items()}


@pytest.fixture(scope="module")
def golden() -> np.ndarray:
    return payments(16, seed=9)[0]


@pytest.fixture
def sealed(stack: dict[LayerName, Scaled], golden: np.ndarray) -> Sealed:
    return seal(stack, golden=golden, about={"rows": 400}, key=KEY)


@pytest.fixture
def keep(db: None, stack: Any, golden: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModelVersion]:
    monkeypatch.setattr(engine, "_loaded", engine.NOTHING_LOADED)

    def make(**scales: Scale) -> ModelVersion:
        layers = {name: replace(scaled, scale=scales.get(str(name), scaled.scale)) for name, scaled in stack.items()}
        made = seal(layers, golden=golden, about={"rows": 400}, key=signing_key())
        with use_case():
            return registry.keep(sealed=made, trained_by=None, now=NOON)

    return make


@pytest.fixture
def in_charge(keep: Any, officer: Any, second_officer: Any) -> Callable[..., ModelVersion]:
    def make(at: Any = NOON, **scales: Scale) -> ModelVersion:
        version = keep(**scales)
        registry.nominate(actor=officer, version_id=version.pk, reason="Better", now=at)
        return registry.promote(actor=second_officer, version_id=version.pk, reason="Agreed", now=at, despite="A test")

    return make


def test_what_was_sealed_opens_and_scores_the_same(sealed: Sealed, stack: Any) -> None:
    rows, _ = payments(30, seed=11)
    opened = unseal(sealed, key=KEY)
    assert opened.manifest["rows"] == 400
    assert set(opened.manifest["libraries"]) >= {"numpy", "scikit-learn", "xgboost-cpu", "python"}
    for name, scaled in stack.items():
        assert np.array_equal(opened.stack[name].scores(rows), scaled.scores(rows))


def changed(sealed: Sealed, name: str, data: bytes) -> Sealed:
    return Sealed(sealed.manifest, sealed.signature, {**sealed.files, name: data})


def resigned(sealed: Sealed, **facts: Any) -> Sealed:
    text = json.dumps({**json.loads(sealed.manifest), **facts}, sort_keys=True)
    return Sealed(text, artifact._sign(text, KEY), sealed.files)


def test_whatever_changed_is_refused_by_name(sealed: Sealed) -> None:
    forest = sealed.files["isolation_forest"]
    cases = [
        (changed(sealed, "isolation_forest", forest[:-1] + b"x"), "isolation_forest is not what was sealed"),
        (changed(sealed, "more", b""), "not those of the manifest"),
        (Sealed(sealed.manifest.replace("400", "401"), sealed.signature, sealed.files), "signature"),
        (resigned(sealed, schema_hash="another"), "another table of features"),
    ]
    for broken, message in cases:
        with pytest.raises(BrokenArtifact, match=message):
            unseal(broken, key=KEY)
    with pytest.raises(BrokenArtifact, match="signature"):
        unseal(sealed, key=b"another key")


def test_layers_that_score_differently_from_when_they_were_sealed_are_refused(stack: Any, golden: Any) -> None:
    other = seal(stack, golden=golden * 2, about={}, key=KEY)
    mixed = seal(stack, golden=golden, about={}, key=KEY)
    manifest = json.loads(mixed.manifest)
    arrays = artifact._read(mixed.files["golden"], "golden")
    arrays["supervised"] = arrays["supervised"] + 1e-6
    data = artifact._write(arrays)
    manifest["sha256"]["golden"] = hashlib.sha256(data).hexdigest()
    text = json.dumps(manifest, sort_keys=True)
    with pytest.raises(BrokenArtifact, match="supervised does not give what it gave"):
        unseal(Sealed(text, artifact._sign(text, KEY), {**mixed.files, "golden": data}), key=KEY)
    assert unseal(other, key=KEY)


def test_a_pickle_is_never_loaded(sealed: Sealed) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, feature=np.array([{"an": "object"}], dtype=object))
    for data in (pickle.dumps({"trees": 1}), buffer.getvalue()):
        broken = changed(sealed, "supervised", data)
        digests = {**json.loads(sealed.manifest)["sha256"], "supervised": hashlib.sha256(data).hexdigest()}
        with pytest.raises(BrokenArtifact, match="cannot be read"):
            unseal(resigned(broken, sha256=digests), key=KEY)


def test_one_person_nominates_and_another_promotes(keep: Any, officer: Any, second_officer: Any, teller: Any) -> None:
    version = keep()
    with pytest.raises(Forbidden):
        registry.nominate(actor=teller, version_id=version.pk, reason="Mine", now=NOON)
    registry.nominate(actor=officer, version_id=version.pk, reason="Better", now=NOON)
    with pytest.raises(SameNominatorAndPromoter):
        registry.promote(actor=officer, version_id=version.pk, reason="Agreed", now=NOON)
    registry.turn_down(actor=second_officer, version_id=version.pk, reason="Not yet")
    with pytest.raises(ModelStateConflict):
        registry.promote(actor=second_officer, version_id=version.pk, reason="Agreed", now=NOON)
    registry.nominate(actor=officer, version_id=version.pk, reason="Better", now=NOON)
    registry.promote(actor=second_officer, version_id=version.pk, reason="Agreed", now=NOON)
    version.refresh_from_db()
    assert version.state == ModelState.CHAMPION
    told = AuditEvent.objects.filter(subject_id=str(version.pk)).order_by("pk").values_list("action", flat=True)
    assert [action.split("_", 1)[1] for action in told] == [
        "trained",
        "nominated",
        "turned_down",
        "nominated",
        "promoted",
    ]


def test_the_next_payment_follows_a_promotion_and_a_roll_back(
    in_charge: Any, screen: Any, officer: Any, stack: Any
) -> None:
    assert Decision.objects.get(pk=screen().decision_id).layers == {"rules": 0.0}
    first = in_charge()
    decision = Decision.objects.get(pk=screen(at=NOON + timedelta(hours=1)).decision_id)
    assert decision.model_id == first.pk
    assert set(decision.layers) == {"rules", *map(str, stack)}
    second = in_charge(at=NOON + timedelta(hours=1))
    assert Decision.objects.get(pk=screen(at=NOON + timedelta(hours=2)).decision_id).model_id == second.pk
    registry.roll_back(actor=officer, reason="Too many alarms", now=NOON + timedelta(hours=3))
    assert Decision.objects.get(pk=screen(at=NOON + timedelta(hours=4)).decision_id).model_id == first.pk
    second.refresh_from_db()
    assert second.state == ModelState.RETIRED


def test_there_is_nothing_to_roll_back_to_at_first(in_charge: Any, officer: Any) -> None:
    version = in_charge()
    with pytest.raises(ModelStateConflict):
        registry.roll_back(actor=officer, reason="Oops", now=NOON + timedelta(hours=1))
    version.refresh_from_db()
    assert version.state == ModelState.CHAMPION


def spoil(as_owner: Any, version: ModelVersion) -> None:
    with as_owner() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE fraud_modelfile SET data = 'x' WHERE version_id = %s AND name = 'supervised'", [version.pk]
        )
        cursor.execute("UPDATE fraud_ruleset SET token = gen_random_uuid()")
        cursor.execute("SET session_replication_role = origin")


def test_a_tampered_champion_is_refused_and_the_one_before_it_stays(
    in_charge: Any, screen: Any, as_owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = in_charge()
    second = in_charge(at=NOON + timedelta(hours=1))
    spoil(as_owner, second)
    verdict = screen(at=NOON + timedelta(hours=2))
    assert Decision.objects.get(pk=verdict.decision_id).model_id == first.pk
    spoil(as_owner, first)
    monkeypatch.setattr(engine, "_loaded", engine.NOTHING_LOADED)
    verdict = screen(at=NOON + timedelta(hours=3))
    assert verdict.outcome is Outcome.FLAGGED
    assert [reason.code for reason in verdict.reasons] == ["MODEL_MISSING"]


def test_a_tampered_challenger_cannot_be_nominated(keep: Any, officer: Any, as_owner: Any) -> None:
    version = keep()
    spoil(as_owner, version)
    with pytest.raises(ModelUnusable):
        registry.nominate(actor=officer, version_id=version.pk, reason="Better", now=NOON)


def test_files_and_manifests_are_fixed(keep: Any) -> None:
    version = keep()
    with pytest.raises(Exception, match=r"permission denied|Cannot update"):
        ModelFile.objects.filter(version=version).update(data=b"")


def test_the_supervised_layer_flags_and_blocks_with_what_weighed_most(in_charge: Any, screen: Any) -> None:
    in_charge(supervised=Scale((0.0, 0.05, 1.0), (0.0, 0.5, 0.75)))
    verdict = screen(amount_minor=450_00)
    assert verdict.outcome is Outcome.FLAGGED
    assert verdict.primary_method == "supervised"
    assert (verdict.confidence, verdict.agreement_percent, verdict.risk_level) == ("LOW", 20, "SUSPICIOUS")
    reason = verdict.reasons[0]
    assert reason.code == "MODEL_SUPERVISED"
    assert "Amount as models see it: €450.00" in reason.detail
    in_charge(at=NOON + timedelta(hours=1), supervised=Scale((0.0, 0.05, 1.0), (0.0, 0.9, 0.95)))
    blocked = screen(amount_minor=450_00, at=NOON + timedelta(hours=2))
    assert (blocked.outcome, blocked.risk_level) == (Outcome.BLOCKED, "CRITICAL")


def test_layers_without_labels_flag_and_never_block(in_charge: Any, screen: Any) -> None:
    certain = Scale((-1e6, -1e5), (0.0, 1.0))
    safe = Scale((0.0, 1.0), (0.0, 0.0))
    in_charge(supervised=safe, **{str(name): certain for name in UNSUPERVISED})
    verdict = screen()
    assert verdict.outcome is Outcome.FLAGGED
    assert verdict.score == 0.79
    assert verdict.confidence == "MEDIUM"
    assert {reason.code for reason in verdict.reasons} == {f"MODEL_{name.upper()}" for name in UNSUPERVISED}


def test_layers_features_and_thresholds_are_switched_at_run_time(in_charge: Any, screen: Any, officer: Any) -> None:
    in_charge(supervised=Scale((0.0, 0.05, 1.0), (0.0, 0.6, 0.7)))
    hours = iter(range(1, 9))

    def ask() -> tuple[Any, Decision]:
        verdict = screen(amount_minor=450_00, at=NOON + timedelta(hours=next(hours)))
        return verdict, Decision.objects.get(pk=verdict.decision_id)

    assert ask()[0].outcome is Outcome.FLAGGED
    switches.set_thresholds(actor=officer, flag_at=0.75, block_at=0.9, reason="Too many", now=NOON)
    assert ask()[0].outcome is Outcome.APPROVED
    switches.set_thresholds(actor=officer, flag_at=0.3, block_at=0.5, reason="Too few", now=NOON)
    assert ask()[0].outcome is Outcome.BLOCKED
    switches.switch_layer(actor=officer, layer="supervised", enabled=False, reason="Broken", now=NOON)
    verdict, decision = ask()
    assert verdict.outcome is Outcome.APPROVED
    assert "supervised" not in decision.layers
    switches.switch_layer(actor=officer, layer="supervised", enabled=True, reason="Mended", now=NOON)
    switches.switch_feature(actor=officer, name="transaction_amount", enabled=False, reason="Wrong", now=NOON)
    decision = ask()[1]
    assert decision.features["transaction_amount"] is None
    assert AuditEvent.objects.filter(subject_kind="fraud_switch").count() == 5


def test_switches_refuse_what_cannot_be(db: None, officer: Any, teller: Any) -> None:
    with pytest.raises(UnknownFeature):
        switches.switch_feature(actor=officer, name="amount_base", enabled=False, reason="x", now=NOON)
    with pytest.raises(UnknownSwitch):
        switches.switch_layer(actor=officer, layer="rules", enabled=False, reason="x", now=NOON)
    with pytest.raises(Invalid):
        switches.set_thresholds(actor=officer, flag_at=0.8, block_at=0.5, reason="x", now=NOON)
    with pytest.raises(Forbidden):
        switches.switch_layer(actor=teller, layer="autoencoder", enabled=False, reason="x", now=NOON)


def test_a_hard_rule_blocks_whatever_the_model_says(in_charge: Any, screen: Any, officer: Any) -> None:
    in_charge(supervised=Scale((0.0, 1.0), (0.0, 0.0)))
    rule = Rule.objects.get(code="VERY_LARGE_AWAY_TO_NEW_PAYEE")
    fraud.approve_rule(actor=officer, rule_id=rule.pk, reason="Agreed", now=NOON)
    verdict = screen(amount_minor=20_000_01, country="NG")
    assert (verdict.outcome, verdict.primary_method) == (Outcome.BLOCKED, "rules")
    assert verdict.score == 0.95


@pytest.mark.parametrize(
    ("agreeing", "layers", "confidence"),
    [(1, 1, "LOW"), (2, 2, "HIGH"), (5, 5, "HIGH"), (4, 5, "MEDIUM"), (2, 5, "MEDIUM"), (1, 5, "LOW"), (0, 5, "LOW")],
)
def test_confidence_counts_voices(agreeing: int, layers: int, confidence: str) -> None:
    assert _confidence(agreeing, layers) == confidence
