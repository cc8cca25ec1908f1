"""The search against a plain loop over all stretches and units."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio import Trace, TraceError
from lstm_studio.engine.search import Match, Pattern, SignalIndex, pattern_of

SIGNAL = "lstm.0.hidden_state"
Array = np.ndarray[Any, Any]


def traced(values: Array) -> Trace:
    return Trace({"input": values[:, :1], SIGNAL: values, "norm.grad.input": values[:, 0]}, ())


def fits(flags: Array, start: int, pattern: Pattern) -> bool:
    stop = start + pattern.length
    around = [*range(max(0, start - pattern.margin), start), *range(stop, min(len(flags), stop + pattern.margin))]
    return all(flags[step] for step in range(start, stop)) and not any(flags[step] for step in around)


def brute_force(arrays: list[Array], threshold: float, pattern: Pattern, count: int) -> list[Match]:
    every = []
    for index, array in enumerate(arrays):
        for start in range(len(array) - pattern.length + 1):
            units = sum(fits(array[:, unit] >= threshold, start, pattern) for unit in pattern.on)
            units += sum(fits(~(array[:, unit] >= threshold), start, pattern) for unit in pattern.off)
            if units:
                every.append(Match(index, start, start + pattern.length, units))
    chosen: list[Match] = []
    for match in sorted(every, key=lambda match: (-match.units, match.trace, match.start)):
        if not any(other.trace == match.trace and abs(other.start - match.start) < pattern.length for other in chosen):
            chosen.append(match)
    return chosen[:count]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=4),
    units=st.integers(1, 12),
    length=st.integers(1, 90),
    margin=st.integers(0, 64),
    slowness=st.sampled_from([1, 4, 40]),
    seed=st.integers(0, 2**32 - 1),
)
def test_finds_what_a_plain_loop_finds(
    *, lengths: list[int], units: int, length: int, margin: int, slowness: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    # Values that change sign every so many steps, so that long stretches and margins do occur.
    arrays = [
        generator.choice([-1.0, 0.5, 1.0], size=(steps // slowness + 1, units)).repeat(slowness, axis=0)[:steps]
        for steps in lengths
    ]
    named = generator.permutation(units)
    half = generator.integers(0, units + 1)
    pattern = Pattern(
        tuple(int(unit) for unit in named[:half]), tuple(int(unit) for unit in named[half:]), length, margin
    )
    index = SignalIndex([traced(array) for array in arrays], SIGNAL, 0.5)
    assert index.find(pattern, 5) == brute_force(arrays, 0.5, pattern, 5)


def test_the_stretch_that_is_looked_for_comes_first_and_keeps_others_from_overlapping_with_it() -> None:
    values = np.ones((90, 2))
    values[40, 1] = -1.0
    index = SignalIndex([traced(values), traced(values)], SIGNAL, 0.5)
    pattern = Pattern((0, 1), (), 10, 0)
    found = index.find(pattern, 50, (1, 35))
    assert found[0] == Match(1, 35, 45, 1)
    others = [match for match in found[1:] if match.trace == 1]
    assert [match.start for match in others if match.units == 2] == [0, 10, 20, 45, 55, 65, 75]
    assert not [match for match in others if abs(match.start - 35) < 10]
    assert [match.start for match in found if match.trace == 0 and match.units == 2] == [0, 10, 20, 30, 41, 51, 61, 71]
    assert index.find(pattern, 1, (1, 35)) == [Match(1, 35, 45, 1)]
    assert index.find(Pattern((), (0, 1), 10, 0), 5, (0, 0)) == []


def test_a_long_trace_is_indexed_in_pieces() -> None:
    values = np.full((70_000, 2), -1.0)
    values[65_530:65_545, 1] = 1.0
    values[69_990:, 1] = 1.0
    index = SignalIndex([traced(values)], SIGNAL, 0.0)
    assert index.find(Pattern((1,), (), 15)) == [Match(0, 65_530, 65_545, 1)]
    assert index.find(Pattern((1,), (), 10)) == [Match(0, 69_990, 70_000, 1)]
    assert index.nbytes < 70_000 * 3 / 8 + 100


def test_the_pattern_of_a_stretch_finds_the_stretch() -> None:
    values = np.random.default_rng(5).normal(size=(300, 40)).cumsum(axis=0)
    values[100:110, [3, 7, 9]] = 50.0
    values[[99, 110], 3] = values[[99, 110], 7] = -50.0
    values[99, 9] = 60.0
    values[100:110, [5, 6]] = -50.0
    values[[99, 110], 5] = 50.0
    assert pattern_of(traced(values), SIGNAL, 100, 110, 40.0) == Pattern((3, 7), (), 10, 1)
    pattern = pattern_of(traced(values), SIGNAL, 100, 110, 40.0, with_off=True)
    assert pattern == Pattern((3, 7), (5,), 10, 1)
    assert SignalIndex([traced(values)], SIGNAL, 40.0).find(pattern)[0] == Match(0, 100, 110, 3)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.integers(1, 30),
    margin=st.integers(0, 4),
    slowness=st.sampled_from([1, 3, 8]),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_the_pattern_of_a_stretch_has_the_units_that_fit_it_one_by_one(
    *, steps: int, margin: int, slowness: int, seed: int, data: st.DataObject
) -> None:
    values = np.random.default_rng(seed).choice([-1.0, 0.5, 1.0], size=(steps, 20)).repeat(slowness, axis=0)[:steps]
    start = data.draw(st.integers(0, steps - 1))
    stop = data.draw(st.integers(start + 1, steps))
    pattern = pattern_of(traced(values), SIGNAL, start, stop, 0.5, margin=margin, with_off=True)
    wanted = Pattern((0,), (), stop - start, margin)
    assert pattern.on == tuple(unit for unit in range(20) if fits(values[:, unit] >= 0.5, start, wanted))
    assert pattern.off == tuple(unit for unit in range(20) if fits(values[:, unit] < 0.5, start, wanted))


def test_what_is_no_number_is_off() -> None:
    values = np.array([[1.0], [np.nan], [1.0]])
    index = SignalIndex([traced(values)], SIGNAL, 0.5)
    assert index.find(Pattern((0,))) == [Match(0, 0, 1, 1), Match(0, 2, 3, 1)]
    assert index.find(Pattern((), (0,))) == [Match(0, 1, 2, 1)]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (Pattern(()), "names no unit"),
        (Pattern((4,)), "no unit 4"),
        (Pattern((), (-1,)), r"^off\[0\] is -1\."),
        (Pattern((1,), (1,)), "twice"),
        (Pattern((1,), (), 0), "length is 0"),
        (Pattern((1,), (), 1, 65), "margin is 65"),
    ],
)
def test_a_pattern_that_makes_no_sense_says_why(pattern: Pattern, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        SignalIndex([traced(np.ones((5, 4)))], SIGNAL, 0.0).find(pattern)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, r"^count is 0\..*at least 1"),
        ({"first": (1, 0)}, r"\(1, 0\), is not in the traces"),
        ({"first": (0, 7)}, r"\(0, 7\), is not in the traces"),
        ({"first": (0, -1)}, r"^first\[1\] is -1\."),
    ],
)
def test_a_search_for_nothing_says_why(arguments: dict[str, Any], message: str) -> None:
    index = SignalIndex([traced(np.ones((8, 3)))], SIGNAL, 0.5)
    assert index.find(Pattern((0,), length=2, margin=0), first=(0, 6))
    with pytest.raises(TraceError, match=message):
        index.find(Pattern((0,), length=2), **arguments)


def test_traces_that_cannot_be_searched_say_why() -> None:
    four, three = traced(np.ones((5, 4))), traced(np.ones((5, 3)))
    with pytest.raises(TraceError, match="3 and 4 units"):
        SignalIndex([four, three], SIGNAL, 0.0)
    with pytest.raises(TraceError, match="no trace"):
        SignalIndex([], SIGNAL, 0.0)
    with pytest.raises(TraceError, match=r"has no 'lstm\.1\.hidden_state'"):
        SignalIndex([four], "lstm.1.hidden_state", 0.0)
    with pytest.raises(TraceError, match="one value per step"):
        SignalIndex([four], "norm.grad.input", 0.0)
    with pytest.raises(TraceError, match=r"\(start=3, stop=6\) is not within the 5 steps"):
        pattern_of(four, SIGNAL, 3, 6, 0.0)


def test_long_stretches_that_fit_nearly_everywhere_are_found_without_going_through_every_step() -> None:
    values = np.ones((400_000, 3))
    values[::50_000, 0] = -1.0
    index = SignalIndex([traced(values)], SIGNAL, 0.0)
    began = time.perf_counter()
    found = index.find(Pattern((0, 1, 2), (), 45_000, 0), 50)
    assert time.perf_counter() - began < 1
    assert [(match.start, match.units) for match in found] == [(50_000 * place + 1, 3) for place in range(8)]
