"""A grid of 10⁹ configurations on a Dask cluster of two workers: how many fit into 24 GiB, in bounded memory.

Run as `python tests/benchmarks/dask_grid.py [POINTS]`; needs the extra `scale`.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass

import symcost
from symcost.sweep import Sweep, sweep

FITS = 24 * 2**30
CHUNK = 2**18  # points: 2 MiB a chunk


@dataclass(frozen=True)
class Run:
    """What a run found, and what it took."""

    points: int
    fitting: int
    seconds: float
    largest_worker: int  # bytes, of the whole process with all its libraries

    def __str__(self) -> str:
        return (
            f"{self.points:,} points, {self.fitting:,} of them within 24 GiB: {self.seconds:.1f} s, "
            f"{self.points / self.seconds / 1e6:.1f} M points/s, largest worker {self.largest_worker / 2**20:.0f} MiB"
        )


def grid(points: int) -> Sweep:
    """Peak memory of the lecture's model over about so many combinations of b, c, d and L."""
    depths = max(2, points // (100 * 250 * 400))
    memory = symcost.derive("cs190c", given={"h": 16, "v": 32000})["peak_memory"]
    if points < 10**7:
        return sweep(memory, b="1:10", c="128:1280:128", d="64:640:64", L=f"1:{max(2, points // 1000)}")
    return sweep(memory, b="1:100", c="128:32000:128", d="64:25600:64", L=f"1:{depths}")


def run(points: int, workers: int = 2) -> Run:
    """Counts the configurations that fit, chunk by chunk on a local cluster."""
    from distributed import Client, LocalCluster

    swept = grid(points)
    with (
        LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(_warm, swept)
        start = time.perf_counter()
        fitting = int((swept.on_dask(CHUNK) <= FITS).sum().compute())
        seconds = time.perf_counter() - start
        largest = max(client.run(_peak).values())
    return Run(swept.grid.size, fitting, seconds, largest)


def _warm(swept: Sweep) -> None:
    swept.function(*([1.0] * len(swept.grid.letters)))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    print(run(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**9))
