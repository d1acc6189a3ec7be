"""A stack of layers as files that can be trusted: hashed, signed, bound to the features, and tried out when opened.

Nothing is unpickled. A file that changed, a manifest that was not signed with our key, another table of features, or
layers that no longer give what they gave when they were sealed: each is refused with its reason.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import platform
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraud.rules.features import SCHEMA_HASH, VECTOR_FEATURES
from fraud.rules.learning.layers import KINDS, Autoencoder, Isolation, LayerName, OneClass, Preparation
from fraud.rules.learning.stack import Scale, Scaled, Stack
from fraud.rules.learning.trees import BrokenArrays, Floats

GOLDEN = "golden"
GOLDEN_ROWS = 16
TOLERANCE = 1e-9
_LIBRARIES = ("numpy", "scikit-learn", "xgboost-cpu", "lightgbm", "imbalanced-learn")


class BrokenArtifact(ValueError):
    """The stored model must not be served; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """`manifest` is the signed text, `signature` its HMAC-SHA-256 in hex, `files` the arrays by name."""

    manifest: str
    signature: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    manifest: Mapping[str, Any]
    stack: Stack


def seal(stack: Stack, *, golden: Floats, about: Mapping[str, Any], key: bytes) -> Sealed:
    """`golden` are rows to try the layers on whenever they are opened; `about` is data window, metrics and the like."""
    golden = golden[:GOLDEN_ROWS]
    files = {str(name): _write(scaled.layer.arrays()) for name, scaled in stack.items()}
    files[GOLDEN] = _write({"rows": golden} | {str(name): scaled.layer.raw(golden) for name, scaled in stack.items()})
    manifest = {
        **about,
        "schema_hash": SCHEMA_HASH,
        "layers": {str(name): asdict(scaled.scale) for name, scaled in stack.items()},
        "libraries": {name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    text = json.dumps(manifest, sort_keys=True, default=str)
    return Sealed(text, _sign(text, key), files)


def unseal(sealed: Sealed, *, key: bytes) -> Opened:
    """Check everything, then try the layers on the golden rows. Raises BrokenArtifact."""
    if not hmac.compare_digest(sealed.signature, _sign(sealed.manifest, key)):
        raise BrokenArtifact("the manifest's signature does not match")
    manifest = json.loads(sealed.manifest)
    if manifest["schema_hash"] != SCHEMA_HASH:
        raise BrokenArtifact("it was trained on another table of features")
    if set(manifest["sha256"]) != set(sealed.files):
        raise BrokenArtifact("its files are not those of the manifest")
    for name, data in sealed.files.items():
        if hashlib.sha256(data).hexdigest() != manifest["sha256"][name]:
            raise BrokenArtifact(f"the file {name} is not what was sealed")
    golden = _read(sealed.files[GOLDEN], GOLDEN)
    stack = {
        LayerName(name): _layer(LayerName(name), scale, sealed.files) for name, scale in manifest["layers"].items()
    }
    for name, scaled in stack.items():
        apart = np.abs(scaled.layer.raw(golden["rows"]) - golden[str(name)])
        if golden["rows"].shape[1] != len(VECTOR_FEATURES) or not (apart <= TOLERANCE).all():
            raise BrokenArtifact(f"{name} does not give what it gave when it was sealed")
    return Opened(manifest, _sharing(stack))


def _sharing(stack: Stack) -> Stack:
    """The same layers; those fitted behind one preparation have one again, so that a payment is prepared once."""
    known: dict[bytes, Preparation] = {}
    found = {}
    for name, scaled in stack.items():
        layer = scaled.layer
        if isinstance(layer, Isolation | OneClass | Autoencoder):
            own = layer.preparation
            text = b"".join(part.tobytes() for part in (own.medians, own.means, own.deviations))
            layer = replace(layer, preparation=known.setdefault(text, own))
        found[name] = Scaled(layer, scaled.scale)
    return found


def _layer(name: LayerName, scale: Mapping[str, Any], files: Mapping[str, bytes]) -> Scaled:
    try:
        layer = KINDS[name].from_arrays(_read(files[name], name))
    except BrokenArrays as error:
        raise BrokenArtifact(f"{name} cannot be read: {error}") from error
    return Scaled(layer, Scale(tuple(scale["knots"]), tuple(scale["scores"])))


def _sign(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _write(arrays: Mapping[str, NDArray]) -> bytes:
    buffer = io.BytesIO()
    parts: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **parts)
    return buffer.getvalue()


def _read(data: bytes, name: str) -> dict[str, NDArray]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {part: stored[part] for part in stored.files}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenArtifact(f"the file {name} cannot be read") from error
