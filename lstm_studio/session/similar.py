"""Find similar: where else in this sequence, or in all that are open, the same units are on together.

A search reads one bit a step and unit, see :mod:`lstm_studio.engine.search`. To search all sequences, each is traced
once and one signal of it is kept, until other sequences are opened: at most :data:`MOST_BYTES`. What does not fit is
not searched, and the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.search import Match, Pattern, SignalIndex
from lstm_studio.engine.trace import Trace
from lstm_studio.progress import Progress
from lstm_studio.session.question import Question, Tools
from lstm_studio.session.state import Result

MOST_BYTES = 1 << 30
"""Of one signal of all sequences: a million steps of 256 units in single precision."""
MOST_COLUMNS = 256
"""Steps, or blocks of steps, that the little picture of a match holds."""
_MOST_INDICES = 4
"""Thresholds whose bits are kept for the next search."""

Indices = dict[tuple[object, ...], SignalIndex]


@dataclass(frozen=True, slots=True)
class Picture:
    """The pattern's units around a match.

    Parameters
    ----------
    values
        (S, P) float32: the pattern's units, those that should be on first, over the steps from ``first`` on; for more
        than :data:`MOST_COLUMNS` steps over blocks of ``block`` steps, each with the value farthest from the threshold.
    first
        The step at which it begins.
    around
        Steps that it shows before and after the match, where the sequence has as many.
    block
        Steps in a row of ``values``.
    """

    values: NDArray[np.float32]
    first: int
    around: int
    block: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """A stretch that was found.

    Parameters
    ----------
    item
        Index of the sequence.
    start, stop
        Its steps, ``start`` … ``stop − 1``.
    units
        Those of the pattern that fit, in its order.
    picture
        What they do there.
    """

    item: int
    start: int
    stop: int
    units: tuple[int, ...]
    picture: Picture


@dataclass(frozen=True, eq=False, slots=True)
class Similar:
    """Answer to :class:`FindSimilar`.

    Parameters
    ----------
    found
        The best first.
    searched, of
        How many sequences were searched, and how many were to be.
    steps
        Of the searched ones together.
    """

    found: tuple[Found, ...]
    searched: int
    of: int
    steps: int


@dataclass(frozen=True, eq=False, slots=True)
class FindSimilar(Question):
    """Find the stretches in which most of a pattern's units fit.

    Parameters
    ----------
    result
        What is on the screen.
    network
        Index of the network.
    signal
        Canonical name of one of its signals, ``"lstm.0.hidden_state"``.
    threshold
        From which value on a unit is on.
    pattern
        Which units are on together, for how long, and with what margin.
    marked
        First step, in the shown sequence, of the stretch that the pattern is about: it comes first among what is found.
        None where there is no such stretch.
    everywhere
        Whether to search all sequences of the set; else the shown one.
    count
        How many stretches at most.
    """

    title: ClassVar[str] = "Searching for similar stretches"
    result: Result
    network: int
    signal: str
    threshold: float
    pattern: Pattern
    marked: int | None = None
    everywhere: bool = False
    count: int = 20

    def answer(self, tools: Tools, progress: Progress) -> Similar:
        """Return the best stretches.

        Raises
        ------
        TraceError
            If the pattern names no unit or the signal is not there.
        """
        items, arrays, indices = self._searched(tools, progress)
        index = self._index(arrays, indices, progress)
        progress(-1.0, self.title)
        first = None if self.marked is None else (items.index(self.result.setup.item), self.marked)
        found = tuple(
            self._found(match, items[match.trace], arrays[match.trace])
            for match in index.find(self.pattern, self.count, first)
        )
        of = len(self.result.sequences) if self.everywhere else 1
        return Similar(found, len(items), of, sum(len(array) for array in arrays))

    def _searched(self, tools: Tools, progress: Progress) -> tuple[tuple[int, ...], tuple[NDArray[Any], ...], Indices]:
        """Return which sequences are searched, the signal of each, and the bits that are there of them already."""
        shelf: _Shelf = tools.shelf(FindSimilar).setdefault("", _Shelf())
        result, shown = self.result, self.result.traces[self.network]
        here = result.setup.item
        if not self.everywhere or len(result.sequences) == 1:
            return (here,), (shown[self.signal],), shelf.shown.setdefault(shown, {})
        kept = shelf.signal_of(self)
        kept.fill(self, tools, progress)
        arrays = dict(kept.arrays)
        if result.setup.events:
            # The shown sequence has steps that the set does not know: it is searched as it is, and nothing is kept.
            arrays[here] = shown[self.signal]
        items = tuple(sorted(arrays))
        return items, tuple(arrays[item] for item in items), {} if result.setup.events else kept.indices

    def _index(self, arrays: tuple[NDArray[Any], ...], indices: Indices, progress: Progress) -> SignalIndex:
        key = (self.signal, self.threshold)
        if key not in indices:
            traces = [Trace({"input": array[:, :0], self.signal: array}, ()) for array in arrays]
            made = SignalIndex(traces, self.signal, self.threshold, progress)
            while len(indices) >= _MOST_INDICES:
                del indices[next(iter(indices))]
            indices[key] = made
        return indices[key]

    def _found(self, match: Match, item: int, values: NDArray[Any]) -> Found:
        pattern = self.pattern
        units = (*pattern.on, *pattern.off)
        chosen = values[max(0, match.start - pattern.margin) : match.stop + pattern.margin, units] >= self.threshold
        chosen[:, len(pattern.on) :] ^= True
        before = match.start - max(0, match.start - pattern.margin)
        inside = chosen[before : before + pattern.length].all(axis=0)
        beside = np.delete(chosen, slice(before, before + pattern.length), axis=0).any(axis=0)
        fitting = tuple(units[place] for place in np.flatnonzero(inside & ~beside))
        return Found(item, match.start, match.stop, fitting, picture_of(values, match, units, self))


def picture_of(values: NDArray[Any], match: Match, units: tuple[int, ...], question: FindSimilar) -> Picture:
    """Return what units do in a stretch and around it: half its length, at least two steps, on both sides."""
    around = max(2, question.pattern.margin, -(-(match.stop - match.start) // 2))
    first, stop = max(0, match.start - around), min(len(values), match.stop + around)
    block = -(-(stop - first) // MOST_COLUMNS)
    window = np.asarray(values[first:stop, units], np.float32)
    if block == 1:
        return Picture(_frozen(window), first, around)
    starts = np.arange(0, len(window), block)
    high, low = np.fmax.reduceat(window, starts, axis=0), np.fmin.reduceat(window, starts, axis=0)
    farther = np.abs(high - question.threshold) >= np.abs(low - question.threshold)
    return Picture(_frozen(np.where(farther, high, low)), first, around, block)


@dataclass(eq=False, slots=True)
class _SetSignal:
    """One signal of the sequences of a set, traced one after the other, as far as they fit."""

    key: tuple[object, ...]
    arrays: dict[int, NDArray[Any]] = field(default_factory=dict)
    indices: Indices = field(default_factory=dict)

    def fill(self, question: FindSimilar, tools: Tools, progress: Progress) -> None:
        """Trace what is missing; what a cancelled search has traced is not traced again."""
        result = question.result
        shown = result.traces[question.network][question.signal]
        wanted = _fitting(result, shown.shape[1] * shown.itemsize)
        missing = [item for item in wanted if item not in self.arrays]
        if not missing:
            return
        from lstm_studio.engine.tracing import trace

        setup, info = result.setup, result.infos[question.network]
        network = tools.networks_of(result)[question.network]
        for number, item in enumerate(missing):
            progress(number / len(missing), f"Tracing all sequences, {info.title}")
            if item == setup.item and not setup.events:
                self.arrays[item] = shown.copy()
                continue
            sequence = result.sequences[item]
            traced = trace(network, sequence, gradients=False, device=setup.device, dtype=setup.dtype)
            # A copy: the array itself may be a part of a larger one, which would stay alive with it.
            self.arrays[item] = traced[question.signal].copy()


def _fitting(result: Result, bytes_per_step: int) -> list[int]:
    """Return the sequences whose signal fits into the memory: the shown one, and as many from the first on."""
    shown = result.setup.item
    left = MOST_BYTES - result.sequences[shown].steps * bytes_per_step
    chosen = [shown]
    for item, sequence in enumerate(result.sequences):
        needed = sequence.steps * bytes_per_step
        if item == shown:
            continue
        if needed > left:
            break
        left -= needed
        chosen.append(item)
    return sorted(chosen)


class _Shelf:
    """What the next search is likely to need again."""

    def __init__(self) -> None:
        self.shown: WeakKeyDictionary[Trace, Indices] = WeakKeyDictionary()
        self._all: _SetSignal | None = None

    def signal_of(self, question: FindSimilar) -> _SetSignal:
        """Return what is kept of a signal of all sequences; of another signal, network or set nothing is."""
        result = question.result
        setup = result.setup
        fingerprint = result.infos[question.network].fingerprint
        key = (result.sequences, fingerprint, question.signal, setup.device, setup.dtype)
        if self._all is None or self._all.key != key:
            self._all = _SetSignal(key)
        return self._all


def _frozen(values: NDArray[Any]) -> NDArray[np.float32]:
    made = np.ascontiguousarray(values, np.float32)
    made.flags.writeable = False
    return made
