"""Whether a process keeps its size: resident memory and references to None, noted along a long run."""

from __future__ import annotations

import sys

import psutil  # type: ignore[import-untyped]  # it ships no types

GROWTH = 8.0
"""MB by which the memory may still move after the run has warmed up."""
DRIFT = 4.0
"""MB by which the second half may differ: allocators return pages when they like."""
LOST = 100
"""References that may be missing at the end: a handful in all, where a fault loses one again and again."""


class Readings:
    """Memory and references along a run; each reading is printed.

    Parameters
    ----------
    what
        What is counted, in the plural: ``"steps"``.
    warm
        The reading from which on memory must be flat, 0-based.
    """

    def __init__(self, what: str, warm: int) -> None:
        self._what = what
        self._warm = warm
        self._process = psutil.Process()
        self._counts: list[int] = []
        self._memory: list[float] = []
        self._references: list[int] = []

    def note(self, count: int) -> None:
        """Take and print a reading."""
        self._counts.append(count)
        self._memory.append(self._process.memory_info().rss / 1e6)
        self._references.append(sys.getrefcount(None))
        print(
            f"{count:6,} {self._what}  {self._memory[-1]:6.1f} MB  {self._references[-1]:,} references to None",
            flush=True,
        )

    def judge(self) -> bool:
        """Print how flat memory was and whether references got lost, and return whether both stayed within limits."""
        warm, after = self._memory[self._warm], self._memory[self._warm + 1 :]
        growth = max(after) - warm
        half = self._memory[len(self._memory) // 2 :]
        drift = max(half) - half[0]
        lost = self._references[self._warm] - min(self._references[self._warm + 1 :])
        first = f"the first {self._counts[self._warm]:,}"
        print(f"memory after {first}: {growth:+.1f} MB at most, {after[-1] - warm:+.1f} MB at the end")
        print(f"memory in the second half: {drift:+.1f} MB at most, {half[-1] - half[0]:+.1f} MB at the end")
        print(f"references to None after {first}: {-lost:+,} at the lowest")
        reached = growth < GROWTH and drift < DRIFT and lost < LOST
        print(f"flat memory: {'reached' if reached else 'MISSED'}")
        return reached
