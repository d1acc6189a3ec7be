from __future__ import annotations

import io
from datetime import date

from PIL import Image

from kyc.demo import render_specimens
from kyc.rules import documents


def test_specimens_are_documents_that_the_gate_accepts() -> None:
    person = {
        "full_name": "Zoë Łukasik",
        "date_of_birth": date(1990, 4, 12),
        "number": "C01X00T47",
        "address": "Lindenstrasse 12, 10969 Berlin",
        "country": "DE",
    }
    made = render_specimens(**person, seed=7)
    assert set(made) == {"IDENTITY", "ADDRESS", "SELFIE"}
    assert made == render_specimens(**person, seed=7), "the same input gives the same pictures"
    for data in made.values():
        clean = documents.sanitise(data)
        with Image.open(io.BytesIO(clean.data)) as image:
            assert min(image.size) > 700
