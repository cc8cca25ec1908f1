"""Find similar against a plain loop over everything that real networks do; what is kept, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_studio.engine.search import Match, Pattern, SignalIndex, pattern_of
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import Cancelled, ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session import similar
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.similar import MOST_COLUMNS, FindSimilar, Similar, picture_of
from lstm_studio.session.state import Result, Setup

SIGNAL = "lstm.0.hidden_state"
Array = np.ndarray[Any, Any]


def make_data(count: int = 5, steps: int = 40) -> SequenceSet:
    generator = np.random.default_rng(0)
    return SequenceSet(
        tuple(
            Sequence(generator.choice([-2.0, 2.0], (steps + 7 * index, 2)).astype(np.float32), ("a", "b"))
            for index in range(count)
        )
    )


@pytest.fixture(scope="module")
def computer() -> Computer:
    return Computer()


def computed(computer: Computer, **changes: Any) -> Result:
    setup = Setup(make_data(), network=NetworkSpec("lstm", 6), companion=NetworkSpec("rnn", 6), device="cpu")
    return computer.compute(replace(setup, **changes), ignore_progress)


def search(computer: Computer, question: FindSimilar) -> Similar:
    answered = computer.answer(question, ignore_progress)
    assert isinstance(answered, Answered)
    assert isinstance(answered.content, Similar)
    return answered.content


def fitting(values: Array, start: int, question: FindSimilar) -> tuple[int, ...]:
    """The units that fit, one comparison at a time."""
    pattern, found = question.pattern, []
    for unit in (*pattern.on, *pattern.off):
        wanted = unit in pattern.on
        stop = start + pattern.length
        inside = all((values[step, unit] >= question.threshold) == wanted for step in range(start, stop))
        beside = [*range(max(0, start - pattern.margin), start), *range(stop, min(len(values), stop + pattern.margin))]
        if inside and all((values[step, unit] >= question.threshold) != wanted for step in beside):
            found.append(unit)
    return tuple(found)


def plain_search(arrays: dict[int, Array], question: FindSimilar) -> list[tuple[int, int, tuple[int, ...]]]:
    length = question.pattern.length
    every = [
        (item, start, fits)
        for item, values in sorted(arrays.items())
        for start in range(len(values) - length + 1)
        if (fits := fitting(values, start, question))
    ]
    chosen: list[tuple[int, int, tuple[int, ...]]] = []
    for item, start, fits in sorted(every, key=lambda one: (-len(one[2]), one[0], one[1])):
        if not any(item == other and abs(start - at) < length for other, at, _ in chosen):
            chosen.append((item, start, fits))
    return chosen[: question.count]


def listed(answer: Similar) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(one.item, one.start, one.units) for one in answer.found]


@pytest.mark.parametrize("margin", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_sequences_are_searched_as_a_plain_loop_does(computer: Computer, margin: int, dtype: str) -> None:
    result = computed(computer, item=2, dtype=dtype)
    from lstm_studio.engine.tracing import trace

    network = computer.networks_of(result)[0]
    arrays = {
        item: trace(network, sequence, gradients=False, device="cpu", dtype=dtype)[SIGNAL]
        for item, sequence in enumerate(result.sequences)
    }
    pattern = Pattern((0, 3, 5), (1,), 2, margin)
    question = FindSimilar(result, 0, SIGNAL, 0.02, pattern, everywhere=True, count=12)
    answer = search(computer, question)
    assert listed(answer) == plain_search(arrays, question)
    assert len(answer.found) >= 10
    assert (answer.searched, answer.of, answer.steps) == (5, 5, sum(len(array) for array in arrays.values()))


def test_the_shown_sequence_alone_is_searched_in_its_own_trace(computer: Computer) -> None:
    result = computed(computer, item=1)
    values = result.traces[1]["rnn.0.hidden_state"]
    question = FindSimilar(result, 1, "rnn.0.hidden_state", 0.1, Pattern((0, 1, 2, 4), (), 1, 1))
    answer = search(computer, question)
    assert listed(answer) == plain_search({1: values}, question)
    assert (answer.searched, answer.of, answer.steps) == (1, 1, len(values))


def test_what_was_marked_is_found_with_all_its_units(computer: Computer) -> None:
    result = computed(computer, item=3)
    trace = result.traces[0]
    patterns = [pattern_of(trace, SIGNAL, start, start + 2, 0.05) for start in range(30)]
    start = max(range(30), key=lambda start: len(patterns[start].on))
    pattern = patterns[start]
    assert pattern.on
    answer = search(computer, FindSimilar(result, 0, SIGNAL, 0.05, pattern, marked=start, everywhere=True))
    first = answer.found[0]
    assert (first.item, first.start, first.units) == (3, start, pattern.on)
    assert [len(one.units) for one in answer.found] == sorted((len(one.units) for one in answer.found), reverse=True)


def test_an_added_event_is_searched_with_the_rest(computer: Computer) -> None:
    result = computed(computer, item=0, events=((2.0, 2.0), (2.0, 2.0)))
    values = result.traces[0][SIGNAL]
    assert len(values) == 42
    question = FindSimilar(result, 0, SIGNAL, -2.0, Pattern((0,), (), 42, 0), everywhere=True)
    assert (0, 0, (0,)) in listed(search(computer, question))


def test_sequences_are_traced_and_indexed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_studio.engine import tracing

    traced: list[int] = []
    original = tracing.trace

    def counted(network: Any, sequence: Any, **arguments: Any) -> Trace:
        traced.append(len(sequence))
        return original(network, sequence, **arguments)

    indexed: list[float] = []

    def noted(traces: Any, signal: str, threshold: float, progress: Any) -> Any:
        indexed.append(threshold)
        return SignalIndex(traces, signal, threshold, progress)

    fresh = Computer()
    result = computed(fresh)
    monkeypatch.setattr(tracing, "trace", counted)
    monkeypatch.setattr(similar, "SignalIndex", noted)
    for threshold, on in ((0.1, (0,)), (0.1, (1, 2)), (0.2, (0,)), (0.1, (3,))):
        search(fresh, FindSimilar(result, 0, SIGNAL, threshold, Pattern(on, (), 2, 1), everywhere=True))
    assert len(traced) == 4, "the shown one is there already"
    assert indexed == [0.1, 0.2]
    other = computed(fresh, item=1, data=result.setup.data)
    traced.clear()
    search(fresh, FindSimilar(other, 0, SIGNAL, 0.2, Pattern((0,), (), 2, 1), everywhere=True))
    assert not traced
    assert indexed == [0.1, 0.2], "another sequence of the set is on the screen, not another set"
    search(fresh, FindSimilar(other, 0, "lstm.0.cell_state", 0.2, Pattern((0,), (), 2, 1), everywhere=True))
    assert len(traced) == 4
    renewed = computed(fresh, data=make_data())
    traced.clear()
    search(fresh, FindSimilar(renewed, 0, "lstm.0.cell_state", 0.2, Pattern((0,), (), 2, 1), everywhere=True))
    assert len(traced) == 4


def test_what_a_cancelled_search_has_traced_is_not_traced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_studio.engine import tracing

    fresh = Computer()
    result = computed(fresh)
    question = FindSimilar(result, 0, SIGNAL, 0.1, Pattern((0,), (), 2, 1), everywhere=True)

    def impatient(fraction: float, words: str) -> None:
        if fraction >= 0.6:
            raise Cancelled

    with pytest.raises(Cancelled):
        fresh.answer(question, impatient)
    traced: list[int] = []
    original = tracing.trace

    def counted(network: Any, sequence: Any, **arguments: Any) -> Trace:
        traced.append(len(sequence))
        return original(network, sequence, **arguments)

    monkeypatch.setattr(tracing, "trace", counted)
    assert search(fresh, question).searched == 5
    assert len(traced) == 2


def test_a_set_that_is_too_large_is_searched_as_far_as_it_fits_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Computer()
    result = computed(fresh, item=3)
    # Six units of four bytes: room for the shown sequence and the first two.
    monkeypatch.setattr(similar, "MOST_BYTES", 24 * (61 + 40 + 47) + 100)
    answer = search(fresh, FindSimilar(result, 0, SIGNAL, -2.0, Pattern((0,), (), 5, 0), everywhere=True, count=100))
    assert (answer.searched, answer.of, answer.steps) == (3, 5, 61 + 40 + 47)
    assert {one.item for one in answer.found} == {0, 1, 3}


def test_a_pattern_without_units_is_refused_in_words(computer: Computer) -> None:
    with pytest.raises(TraceError, match="names no unit"):
        search(computer, FindSimilar(computed(computer), 0, SIGNAL, 0.1, Pattern((), (), 2, 1)))


def test_the_picture_shows_the_units_of_the_pattern_around_the_match(computer: Computer) -> None:
    result = computed(computer)
    values = result.traces[0][SIGNAL]
    question = FindSimilar(result, 0, SIGNAL, 0.1, Pattern((4, 1), (2,), 6, 1))
    picture = picture_of(values, Match(0, 1, 7, 3), (4, 1, 2), question)
    assert (picture.first, picture.block) == (0, 1)
    np.testing.assert_array_equal(picture.values, values[0:10][:, [4, 1, 2]])
    assert not picture.values.flags.writeable


def test_the_picture_of_a_long_stretch_keeps_its_extremes(computer: Computer) -> None:
    values = np.zeros((5_000, 2), np.float32)
    values[2_345, 1] = -0.9
    question = FindSimilar(computed(computer), 0, SIGNAL, 0.1, Pattern((0, 1), (), 3_000, 0))
    picture = picture_of(values, Match(0, 1_000, 4_000, 2), (0, 1), question)
    assert len(picture.values) <= MOST_COLUMNS
    assert picture.block * len(picture.values) >= 5_000
    assert picture.values[(2_345 - picture.first) // picture.block, 1] == np.float32(-0.9)
    assert np.count_nonzero(picture.values) == 1
