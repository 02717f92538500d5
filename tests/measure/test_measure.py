"""What `measure` says where PyTorch is missing, and what it puts beside each other."""

import subprocess
import sys

import pytest

import symcost
from symcost.errors import UsageError
from symcost.measure import Measurement, Row, measure


def test_a_missing_pytorch_is_answered_with_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match=r"pip install 'symcost\[measure\]'"):
        measure("cs190c")


def test_pytorch_is_imported_by_nothing_but_measuring():
    code = "import sys, symcost.measure; symcost.derive('gpt'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_measurement_is_equal_when_no_row_differs():
    same, more = Row("parameters", "elements", 8, 8), Row("head.x", "bytes", 8, 12)
    rows = {"model": "m", "convention": "c", "numbers": {"b": 2}, "version": "0", "hooks_agree": True}
    assert Measurement(quantities=(same,), tensors=(), **rows).equal
    found = Measurement(quantities=(same,), tensors=(more,), **rows)
    assert not found.equal
    assert found.to_dict()["tensors"] == [
        {"name": "head.x", "unit": "bytes", "derived": 8, "measured": 12, "difference": 4}
    ]


def test_a_wrong_letter_is_refused_before_anything_is_built():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    with pytest.raises(symcost.errors.UnknownSymbol):
        measure("cs190c", given={"batch": 3})
