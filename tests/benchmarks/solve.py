"""How long a limit takes: medians, with nothing remembered of the solve before, and again with it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from sympy.core.cache import clear_cache

import symcost
from symcost.solve import answering, solve, turning
from symcost.solve.limit import Limit

SHAPE = {"b": 4, "c": 256, "d": 1024, "h": 16, "L": 12, "v": 32_000}
RUN = {**SHAPE, "D": 1.03e8, "epochs": 5, "peak": 35.6e12, "MFU": 0.5}
ROWS = [
    ("linear: largest b", "peak_memory", "b", "24 GiB"),
    ("quadratic: longest c", "peak_memory", "c", "24 GiB"),
    ("quadratic with a tie: widest d", "peak_memory", "d", "24 GiB"),
    ("reciprocal: fewest n", "training_time", "n", "1 h"),
    ("a maximum: b by the worst moment", "worst_moment_memory", "b", "24 GiB"),
]


def median(run: Callable[[], object], times: int) -> float:
    """Milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


def cold(question: Callable[[], Limit]) -> Limit:
    """A solve as if it were the first: no shape and no evaluated form is remembered."""
    clear_cache()
    turning.shape.cache_clear()
    answering.evaluator.cache_clear()
    return question()


def main() -> None:
    costs = symcost.derive("cs190c")
    print(
        f"{'':36} {'solve, cold':>12} {'again':>8} {'certificate':>12}   aims: solve 15 ms, certificate 2 ms"
    )
    for name, quantity, letter, at_most in ROWS:
        terms = costs[quantity]
        given = {key: value for key, value in RUN.items() if key != letter}
        terms.total  # noqa: B018  deriving is another benchmark

        def ask(terms=terms, letter=letter, at_most=at_most, given=given) -> Limit:
            return solve(terms, letter, at_most=at_most, given=given)

        first, again = median(lambda ask=ask: cold(ask), 15), median(ask, 50)
        proof = ask().certificate

        def certify(terms=terms, letter=letter, given=given, proof=proof) -> None:
            assert terms.at(**given, **{letter: proof.k}) == proof.at_k
            assert terms.at(**given, **{letter: proof.next}) == proof.at_next

        print(f"{name:36} {first:9.2f} ms {again:5.2f} ms {median(certify, 50):9.2f} ms")


if __name__ == "__main__":
    main()
