"""The models table: derived beside measured."""

import json
from pathlib import Path

from symcost.report.models import models_table

FACTS = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "published_shapes.json").read_text(encoding="utf-8")
)["models"]


def test_every_published_shape_is_derived_as_measured():
    rows = models_table(FACTS).splitlines()[2:]
    assert len(rows) == len(FACTS)
    assert all(
        row.endswith("| all equal |")
        for row, fact in zip(rows, FACTS.values(), strict=True)
        if "saved" in fact
    )
    assert all(
        "| equal; not measured: bytes kept |" in row
        for row, f in zip(rows, FACTS.values(), strict=True)
        if "saved" not in f
    )


def test_a_difference_is_shown_with_its_sign():
    fact = FACTS["tinyllama-1.1b"] | {"parameters": 1_100_048_385}
    assert "parameters: 1,100,048,385 (-1)" in models_table({"tinyllama-1.1b": fact})


def test_the_gallery_has_the_table_as_it_is_made_now():
    from tests.report.regenerate import GALLERY, models

    assert (GALLERY / "models.md").read_text(encoding="utf-8") == models()
