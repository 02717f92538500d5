"""A baseline accepts what is there today, wherever it moves to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symcost.check.baseline import read_baseline, without_accepted, write_baseline
from symcost.check.findings import Finding
from symcost.errors import UsageError

OLD = Finding("notes.md", 3, 1, 3, 12, "3d^2 = 2d*2d", "differs", "SC202")


def test_accepted_findings_are_not_told_again(tmp_path):
    assert write_baseline([OLD, OLD], tmp_path / "accepted.json") == 2
    assert without_accepted([OLD, OLD], read_baseline(tmp_path / "accepted.json")) == []


def test_a_finding_stays_accepted_where_lines_are_added_above_it(tmp_path):
    write_baseline([OLD], tmp_path / "accepted.json")
    assert without_accepted([replace(OLD, line=40)], read_baseline(tmp_path / "accepted.json")) == []


@pytest.mark.parametrize("change", [{"text": "3d^2 = 2d*3d"}, {"code": "SC201"}, {"file": "other.md"}])
def test_another_formula_code_or_file_is_new(tmp_path, change):
    write_baseline([OLD], tmp_path / "accepted.json")
    new = replace(OLD, **change)
    assert without_accepted([OLD, new], read_baseline(tmp_path / "accepted.json")) == [new]


def test_the_same_formula_once_more_is_new(tmp_path):
    write_baseline([OLD], tmp_path / "accepted.json")
    assert without_accepted([OLD, OLD], read_baseline(tmp_path / "accepted.json")) == [OLD]


def test_the_file_does_not_depend_on_the_order_of_findings(tmp_path):
    other = replace(OLD, file="a.md")
    write_baseline([OLD, other], tmp_path / "one.json")
    write_baseline([other, OLD], tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "accepted": [{}]}', "[" * 100_000, "\udcff"]
)
def test_a_file_that_is_no_baseline_is_told_in_one_line(tmp_path, content):
    (tmp_path / "bad.json").write_bytes(content.encode("utf-8", errors="surrogateescape"))
    with pytest.raises(UsageError, match="baseline"):
        read_baseline(tmp_path / "bad.json")


def test_a_baseline_that_is_missing_is_told_with_the_way_to_write_one(tmp_path):
    with pytest.raises(UsageError, match="--write-baseline"):
        read_baseline(tmp_path / "none.json")
