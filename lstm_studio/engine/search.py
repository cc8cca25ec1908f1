"""Find similar: stretches in which the same units are switched on together, as in LSTMVis (Strobelt et al. 2018).

A unit is *on* where its value is at or above a threshold. A pattern says which units are on, and which off, all through
a stretch of some length, and the other way round in a margin on both sides: what begins and ends with the stretch. The
index keeps one bit per step and unit, the steps of one unit side by side, so that 64 steps are compared at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.arguments import each, instance, number, shown, text, whole_number, yes_or_no
from lstm_studio.engine.trace import OF_A_TRACE, Trace
from lstm_studio.errors import TraceError
from lstm_studio.progress import Progress, ignore_progress

Bits = NDArray[np.uint64]

_WORD = 64
"""Steps in a word; two traces lie at least so far apart on the common axis."""
_ALL = 2**_WORD - 1
_CHUNK = 1 << 16
"""Steps that are compared with the threshold at once while the index is made."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for.

    Parameters
    ----------
    on, off
        Units at or above the threshold, and below it, at every step of a stretch.
    length
        Steps of a stretch, at least 1.
    margin
        Steps on both sides in which each of these units is on the other side of the threshold, 0 … 64. A stretch at the
        edge of a sequence needs no more than there is.
    """

    on: tuple[int, ...]
    off: tuple[int, ...] = ()
    length: int = 1
    margin: int = 1


@dataclass(frozen=True, slots=True)
class Match:
    """One stretch that was found.

    Parameters
    ----------
    trace
        Which of the traces, from 0.
    start, stop
        Its steps, ``start`` … ``stop − 1``.
    units
        How many units of the pattern fit.
    """

    trace: int
    start: int
    stop: int
    units: int


def pattern_of(
    trace: Trace, signal: str, start: int, stop: int, threshold: float, *, margin: int = 1, with_off: bool = False
) -> Pattern:
    """Return the pattern of all units that are on throughout a stretch, and off in the margin on both sides.

    Parameters
    ----------
    trace, signal
        Where the stretch is, ``"lstm.0.hidden_state"``.
    start, stop
        Its steps, ``start`` … ``stop − 1``.
    threshold
        From which value on a unit is on.
    margin
        Steps on both sides, 0 … 64; those beyond the ends of the trace count as being on the other side.
    with_off
        Whether the pattern also has the units that are off throughout the stretch, and on in the margin.

    Raises
    ------
    TraceError
        If the signal or the stretch is not in the trace, or the margin is out of range.
    """
    values = _values(trace, signal)
    start, stop = (whole_number(name, step, TraceError) for name, step in (("start", start), ("stop", stop)))
    margin, threshold = _checked_margin(margin), number("threshold", threshold, TraceError)
    with_off = yes_or_no("with_off", with_off, TraceError)
    if not start < stop <= len(values):
        raise TraceError(
            f"The stretch (start={start}, stop={stop}) is not within the {len(values)} steps of {signal}.",
            "Choose one that begins before it ends.",
        )
    # Of the stretch and its margins alone: this is asked while the threshold is being chosen.
    inside = values[start:stop] >= threshold
    around = np.concatenate([values[max(0, start - margin) : start], values[stop : stop + margin]]) >= threshold
    on = np.flatnonzero(inside.all(axis=0) & ~around.any(axis=0))
    off = np.flatnonzero(~inside.any(axis=0) & around.all(axis=0)) if with_off else on[:0]
    return Pattern(tuple(on.tolist()), tuple(off.tolist()), stop - start, margin)


class SignalIndex:
    """One signal of one or many traces, as bits.

    Parameters
    ----------
    traces
        Where to search; all have the signal, with the same number of units.
    signal
        Canonical name, ``"lstm.0.hidden_state"``; any that has one value per step and unit.
    threshold
        From which value on a unit is on; NaN is off.
    progress
        Told after each chunk of steps.

    Raises
    ------
    TraceError
        If there is no trace, or one lacks the signal or has another number of units.
    """

    def __init__(
        self, traces: Sequence[Trace], signal: str, threshold: float, progress: Progress = ignore_progress
    ) -> None:
        every = each("traces", traces, TraceError, "Give a list of traces.")
        arrays = [_values(trace, signal, f"traces[{place}]") for place, trace in enumerate(every)]
        threshold = number("threshold", threshold, TraceError)
        if not arrays:
            raise TraceError("There is no trace to search in, traces is empty.", "Give at least one.")
        units = {array.shape[1] for array in arrays}
        if len(units) > 1:
            raise TraceError(
                f"{signal} has {' and '.join(map(str, sorted(units)))} units in different traces.",
                "Search in traces of networks of one size.",
            )
        self.signal, self.threshold = signal, threshold
        self.units = units.pop()
        lengths = np.array([len(array) for array in arrays])
        self._lengths: list[int] = lengths.tolist()
        # Before, between and after the traces one word stays empty, for the margins to reach into.
        words = -(-lengths // _WORD) + 1
        self._starts = (np.concatenate(([0], np.cumsum(words)[:-1])) + 1) * _WORD
        self._bits = np.zeros((self.units, int(words.sum()) + 1), np.uint64)
        self._inside = np.zeros((1, self._bits.shape[1]), np.uint64)
        done, total = 0, max(int(lengths.sum()), 1)
        for array, start in zip(arrays, self._starts, strict=True):
            for first in range(0, len(array), _CHUNK):
                chunk = array[first : first + _CHUNK]
                begin = (int(start) + first) // _WORD
                self._write(self._bits, begin, np.ascontiguousarray((chunk >= threshold).T))
                self._write(self._inside, begin, np.ones((1, len(chunk)), bool))
                done += len(chunk)
                progress(done / total, f"indexing {signal}")

    @property
    def nbytes(self) -> int:
        """Size in bytes: one bit per step and unit."""
        return self._bits.nbytes + self._inside.nbytes

    def find(self, pattern: Pattern, count: int = 20, first: tuple[int, int] | None = None) -> list[Match]:
        """Return the stretches that fit best, the most units first, then in the order of traces and steps.

        No two of them overlap: of those that would, the better one stays, or the earlier one of two alike. Stretches
        that fit no unit are left out.

        Parameters
        ----------
        pattern
            What to look for.
        count
            How many at most.
        first
            Trace and first step of the stretch that is looked for: it comes first if any unit fits, and no other that
            overlaps with it is found.

        Raises
        ------
        TraceError
            If the pattern names no unit, or one that there is not, its length or margin is out of range, ``count`` is
            below 1, or ``first`` is in none of the traces.
        """
        pattern, count, first = self._checked(pattern, count, first)
        chosen: list[Match] = []
        fitting = len(pattern.on) + len(pattern.off)
        planes = self._counts(pattern)
        # Where a stretch would overlap with one that was chosen.
        taken = np.zeros_like(self._inside[0])
        if first is not None:
            begin = int(self._starts[first[0]]) + first[1]
            units = _number_at(planes, begin)
            if units:
                chosen.append(Match(*first, first[1] + pattern.length, units))
                _fill(taken, begin - pattern.length + 1, begin + pattern.length, on=True)
                if count == 1:
                    return chosen
        for units in range(fitting, 0, -1):
            found = _equal(planes, units)
            if not found.any():
                continue
            found &= ~taken
            while (position := _first(found)) is not None:
                trace = int(np.searchsorted(self._starts, position, side="right")) - 1
                start = position - int(self._starts[trace])
                chosen.append(Match(trace, start, start + pattern.length, units))
                if len(chosen) == count:
                    return chosen
                for words in (taken, found):
                    _fill(words, position - pattern.length + 1, position + pattern.length, on=words is taken)
        return chosen

    def _counts(self, pattern: Pattern) -> list[Bits]:
        """Return how many units fit where a stretch starts, as binary numbers, the lowest digit first.

        Each is a plane of one digit for all steps. Three planes of one digit become one of it and one of the next, so
        that a unit takes five operations on words however many there are.
        """
        waiting: list[list[Bits]] = [[]]
        wanted = [(unit, True) for unit in pattern.on] + [(unit, False) for unit in pattern.off]
        for unit, is_on in wanted:
            bits = self._bits[unit] if is_on else ~self._bits[unit] & self._inside[0]
            fits = _throughout(bits, pattern.length)
            if pattern.margin:
                near = _anywhere(bits, pattern.margin)
                fits &= ~(_later(near, pattern.length) | _earlier(near, pattern.margin))
            waiting[0].append(fits)
            _add_up(waiting, 3)
        _add_up(waiting, 2)
        return [planes[0] for planes in waiting if planes]

    def _checked(
        self, pattern: Pattern, count: int, first: tuple[int, int] | None
    ) -> tuple[Pattern, int, tuple[int, int] | None]:
        instance("pattern", pattern, Pattern, TraceError, "Give a Pattern, or what pattern_of returned.")
        count = whole_number("count", count, TraceError, least=1)
        on, off = (
            tuple(_numbered(name, each(name, units, TraceError)))
            for name, units in (("on", pattern.on), ("off", pattern.off))
        )
        length = whole_number("length", pattern.length, TraceError, least=1)
        if first is not None:
            cure = "Give a trace and a step of it."
            place = _numbered("first", each("first", first, TraceError, cure))
            if len(place) != 2 or place[0] >= len(self._lengths) or place[1] > self._lengths[place[0]] - length:
                raise TraceError(f"The stretch that is looked for, {shown(first)}, is not in the traces.", cure)
            first = (place[0], place[1])
        named = [*on, *off]
        if not named:
            raise TraceError("The pattern names no unit.", "Lower the threshold, or choose units.")
        beyond = [unit for unit in named if unit >= self.units]
        if beyond:
            raise TraceError(f"{self.signal} has no unit {beyond[0]}.", f"Choose units from 0 to {self.units - 1}.")
        if len(set(named)) < len(named):
            raise TraceError("The pattern names a unit twice.", "Name each unit once, as on or as off.")
        return Pattern(on, off, length, _checked_margin(pattern.margin)), count, first

    @staticmethod
    def _write(bits: Bits, begin: int, flags: NDArray[np.bool_]) -> None:
        packed = np.packbits(flags, axis=1, bitorder="little")
        room = -packed.shape[1] % 8
        words = np.pad(packed, ((0, 0), (0, room))).view("<u8")
        bits[:, begin : begin + words.shape[1]] = words


def _values(trace: Trace, signal: str, name: str = "trace") -> NDArray[Any]:
    instance(name, trace, Trace, TraceError, OF_A_TRACE)
    if text("signal", signal, TraceError) not in trace:
        raise TraceError(f"The trace has no {signal!r}.", f"It has {', '.join(trace.names[:12])} …")
    values = trace[signal]
    if values.ndim != 2:
        raise TraceError(f"{signal} has one value per step, not one per unit.", "Search in a signal.")
    return values


def _numbered(name: str, values: Iterable[Any]) -> list[int]:
    """Return whole numbers, each with its place in what an error says."""
    return [whole_number(f"{name}[{place}]", value, TraceError) for place, value in enumerate(values)]


def _checked_margin(margin: int) -> int:
    return whole_number("margin", margin, TraceError, most=_WORD)


def _later(bits: Bits, steps: int) -> Bits:
    """Return at each step what is there ``steps`` later; nothing beyond the end."""
    whole, rest = divmod(steps, _WORD)
    moved = np.zeros_like(bits)
    if whole >= len(bits):
        return moved
    kept = len(bits) - whole
    np.right_shift(bits[whole:], np.uint64(rest), out=moved[:kept])
    if rest:
        moved[: kept - 1] |= bits[whole + 1 :] << np.uint64(_WORD - rest)
    return moved


def _earlier(bits: Bits, steps: int) -> Bits:
    """Return at each step what is there ``steps`` earlier; nothing before the beginning."""
    whole, rest = divmod(steps, _WORD)
    moved = np.zeros_like(bits)
    if whole >= len(bits):
        return moved
    kept = len(bits) - whole
    np.left_shift(bits[:kept], np.uint64(rest), out=moved[whole:])
    if rest:
        moved[whole + 1 :] |= bits[: kept - 1] >> np.uint64(_WORD - rest)
    return moved


def _throughout(bits: Bits, length: int) -> Bits:
    """Return where a run of at least ``length`` begins, by doubling."""
    found, covered = bits.copy(), 1
    while covered < length:
        step = min(covered, length - covered)
        found &= _later(found, step)
        covered += step
    return found


def _anywhere(bits: Bits, length: int) -> Bits:
    """Return where any of the ``length`` steps from here on is set, by doubling."""
    found, covered = bits.copy(), 1
    while covered < length:
        step = min(covered, length - covered)
        found |= _later(found, step)
        covered += step
    return found


def _equal(planes: list[Bits], number: int) -> Bits:
    """Return where the binary numbers equal ``number``."""
    if number >> len(planes):
        return np.zeros(0, np.uint64)
    found = np.full_like(planes[0], _ALL)
    for digit, plane in enumerate(planes):
        found &= plane if number >> digit & 1 else ~plane
    return found


def _add_up(waiting: list[list[Bits]], most: int) -> None:
    """Replace planes of one digit, as soon as there are ``most`` (3 or 2), by one of it and one of the next digit."""
    digit = 0
    while digit < len(waiting):
        while len(waiting[digit]) >= most:
            first, second, *others = waiting[digit]
            either = first ^ second
            carry = np.bitwise_and(first, second, out=first)
            third = others[0] if others else None
            if third is not None:
                carry |= either & third
                either ^= third
            waiting[digit] = [either, *others[1:]]
            if digit + 1 == len(waiting):
                waiting.append([])
            waiting[digit + 1].append(carry)
        digit += 1


def _number_at(planes: list[Bits], position: int) -> int:
    """Return the binary number of one step."""
    word, bit = divmod(position, _WORD)
    return sum((int(plane[word]) >> bit & 1) << digit for digit, plane in enumerate(planes))


def _first(bits: Bits) -> int | None:
    """Return the first step that is set."""
    word = int((bits != 0).argmax())
    value = int(bits[word])
    return word * _WORD + (value & -value).bit_length() - 1 if value else None


def _fill(bits: Bits, start: int, stop: int, *, on: bool) -> None:
    """Set or clear the steps from ``start`` to before ``stop``, as far as there are."""
    start, stop = max(start, 0), min(stop, len(bits) * _WORD)
    first, last = start // _WORD, (stop - 1) // _WORD
    mask = np.full(last - first + 1, _ALL, np.uint64)
    mask[0] &= np.uint64(_ALL << start % _WORD & _ALL)
    mask[-1] &= np.uint64(_ALL >> -stop % _WORD)
    if on:
        bits[first : last + 1] |= mask
    else:
        bits[first : last + 1] &= ~mask
