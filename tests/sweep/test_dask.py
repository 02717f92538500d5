"""The same function on a Dask cluster: a small run of the grid that the benchmark takes to 10⁹ points."""

import itertools
import runpy
from pathlib import Path

import pytest

pytest.importorskip("dask.array", reason="the extra scale (Dask) is not installed")
pytest.importorskip("distributed", reason="the extra scale (Dask) is not installed")

import symcost
from symcost.sweep import sweep

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "dask_grid.py"


def test_a_lazy_grid_has_an_axis_for_each_letter_and_every_value():
    memory = symcost.derive("llama-2-7b")["peak_memory"]
    swept = sweep(memory, b="1:5", c="128:1024:128", L=[16, 32])
    lazy = swept.on_dask(points=7)
    assert lazy.shape == (5, 8, 2) and max(map(len, lazy.chunks)) > 1
    expected = [
        memory.at(b=b, c=c, L=L)
        for b, c, L in itertools.product(range(1, 6), range(128, 1025, 128), (16, 32))
    ]
    assert lazy.compute(scheduler="synchronous").reshape(-1).tolist() == expected


def test_two_workers_count_what_one_loop_counts():
    script = runpy.run_path(str(SCRIPT))
    swept = script["grid"](3000)
    found = script["run"](3000)
    values = swept.function(*swept.grid.mesh())
    assert found.points == swept.grid.size
    assert found.fitting == int((values <= script["FITS"]).sum())
