"""Whether a process keeps its size: resident memory and references to None, noted along a long run."""

from __future__ import annotations

import ctypes
import gc
import sys
from statistics import median

import psutil

GROWTH = 8.0
"""MB by which the memory may still move after the run has warmed up."""
DRIFT = 4.0
"""MB by which the second half may differ: allocators return pages when they like."""
MORE_BLOCKS = 25.0
"""Thousands by which Python's blocks may be more: a percent of those of the window."""
LOST = 100
"""References that may be missing at the end: a handful in all, where a fault loses one again and again."""


class _Heap(ctypes.Structure):
    """What glibc tells of its heap: ``struct mallinfo2``."""

    _fields_ = [
        ("before", ctypes.c_size_t * 4),
        ("mapped", ctypes.c_size_t),
        ("between", ctypes.c_size_t * 2),
        ("used", ctypes.c_size_t),
        ("free", ctypes.c_size_t),
        ("after", ctypes.c_size_t),
    ]


def settle_heap() -> tuple[float, float] | None:
    """Collect garbage, give free memory back, and return the MB in use and those free between them; None without glibc.

    Resident memory also counts what lies free on the pages of blocks in use, which comes and goes with their order.
    """
    gc.collect()
    try:
        library = ctypes.CDLL("libc.so.6")
        library.malloc_trim(0)
        library.mallinfo2.restype = _Heap
        heap = library.mallinfo2()
    except (OSError, AttributeError):
        return None
    return (heap.used + heap.mapped) / 1e6, heap.free / 1e6


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
        self._in_use: list[float] = []
        self._blocks: list[int] = []
        self._modules = set(sys.modules)

    def note(self, count: int, *, settle: bool = False) -> None:
        """Take and print a reading; with ``settle`` after :func:`settle_heap`."""
        self._counts.append(count)
        heap = settle_heap() if settle else None
        self._in_use.append(float("nan") if heap is None else heap[0])
        self._blocks.append(sys.getallocatedblocks())
        memory = self._process.memory_info()
        self._memory.append(memory.rss / 1e6)
        self._references.append(sys.getrefcount(None))
        parts = "" if heap is None else f", {heap[0]:.1f} MB in use, {heap[1]:.1f} MB free"
        if heap is not None:
            # Above all the code of libraries, as far as it was ever used: the system takes it back when it needs room.
            parts += f", {memory.shared / 1e6:.1f} MB of files"
        print(
            f"{count:6,} {self._what}  {self._memory[-1]:6.1f} MB{parts}"
            f"  {self._blocks[-1] / 1e3:,.0f} thousand blocks of Python's"
            f"  {self._references[-1]:,} references to None",
            flush=True,
        )
        # Code that is read late is memory too, and would look like a leak.
        late = sys.modules.keys() - self._modules
        if late:
            self._modules |= late
            print(f"       {len(late):,} modules read since: {', '.join(sorted(late)[:12])}", flush=True)

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

    def judge_halves(self) -> bool:
        """Print how the halves after the warm-up differ in the median, and return whether they do not.

        For runs whose readings scatter, as what happened last before each leaves more or less in the caches. Judged are
        what is in use, of C and C++ in MB and of Python in blocks, and what is resident: what the user sees.
        """
        in_use = self._halves("MB in use", self._in_use)
        blocks = self._halves("thousand blocks of Python's in use", [count / 1e3 for count in self._blocks])
        resident = self._halves("MB resident", self._memory)
        lost = self._references[self._warm] - min(self._references[self._warm :])
        print(f"references to None from then on: {-lost:+,} at the lowest")
        # Without glibc there is nothing to be said of what is in use.
        reached = resident < GROWTH and not in_use >= GROWTH and blocks < MORE_BLOCKS and lost < LOST
        print(f"flat memory: {'reached' if reached else 'MISSED'}")
        return reached

    def _halves(self, what: str, values: list[float]) -> float:
        """Print how far two halves are apart in the median, and return it."""
        after = values[self._warm :]
        early, late = after[: len(after) // 2], after[len(after) // 2 :]
        growth = median(late) - median(early)
        print(
            f"{what}: median {median(early):,.1f} in the first {len(early)} readings from {self._counts[self._warm]:,}"
            f" on, {median(late):,.1f} in the last {len(late)}: {growth:+,.1f}"
        )
        return growth
