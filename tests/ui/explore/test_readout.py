"""What the networks say: the trace's own numbers, with the right answer marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.readout import MOST_ROWS, readout_at
from tests.ui.explore.fakes import CLASSES, answer, number_set, small_setup, softmax


def with_outputs(result: Result, outputs: np.ndarray, sequence: Sequence | None = None) -> Result:
    traces = tuple(Trace({**trace.arrays, "output": outputs}, trace.layers) for trace in result.traces)
    return replace(result, traces=traces, sequence=sequence or result.sequence)


def test_probabilities_are_those_of_both_traces_and_the_class_is_marked() -> None:
    result = answer(small_setup())
    readout = readout_at(result, 4)
    assert readout is not None
    assert readout.probabilities
    assert [row.name for row in readout.rows] == list(CLASSES)
    for network in range(2):
        numbers = [row.numbers[network] for row in readout.rows]
        assert numbers == pytest.approx(result.traces[network]["output"][4].tolist())
    target = result.sequence.target
    assert target is not None
    assert [row.target for row in readout.rows].index(True) == int(target)
    assert readout.target == CLASSES[int(target)]


def test_a_class_at_every_step_is_that_of_the_step() -> None:
    result = answer(small_setup())
    classes = np.eye(4, dtype=np.float32)[np.arange(20) % 4]
    result = replace(result, sequence=replace(result.sequence, target=classes))
    for step in (0, 5, 19):
        readout = readout_at(result, step)
        assert readout is not None
        assert readout.target == CLASSES[step % 4]


def test_values_stand_beside_the_true_ones() -> None:
    data = number_set(features=1)
    sequence = replace(data[0], target=np.arange(12, dtype=np.float32)[:, None])
    result = answer(small_setup(SequenceSet((sequence,))))
    readout = readout_at(with_outputs(result, np.full((12, 1), 0.5, np.float32)), 3)
    assert readout is not None
    assert not readout.probabilities
    assert (readout.rows[0].name, readout.rows[0].numbers, readout.rows[0].truth) == ("next x0", (0.5, 0.5), 3.0)


def test_a_target_at_the_end_is_no_truth_before_it() -> None:
    data = number_set(features=3)
    sequence = replace(data[0], target=np.array([1.0, 2.0], np.float32))
    result = with_outputs(answer(small_setup(SequenceSet((sequence,)))), np.zeros((12, 2), np.float32))
    before, end = readout_at(result, 10), readout_at(result, 11)
    assert before is not None
    assert end is not None
    assert [row.truth for row in before.rows] == [None, None]
    assert [row.truth for row in end.rows] == [1.0, 2.0]


def test_of_many_classes_the_likeliest_and_the_right_one_are_shown() -> None:
    classes = tuple(f"class {index}" for index in range(30))
    data = number_set()
    sequence = replace(data[0], target=np.asarray(29))
    scores = np.tile(-np.arange(30.0), (12, 1))
    result = answer(small_setup(SequenceSet((sequence,), classes=classes)))
    readout = readout_at(with_outputs(result, softmax(scores)), 0)
    assert readout is not None
    assert len(readout.rows) == MOST_ROWS
    assert readout.left_out == 30 - MOST_ROWS
    assert [row.name for row in readout.rows] == [*classes[: MOST_ROWS - 1], "class 29"]


def test_without_a_read_out_there_is_nothing() -> None:
    assert readout_at(answer(small_setup(number_set())), 0) is None


def test_added_events_have_no_right_answer() -> None:
    event = tuple(np.eye(8)[2].tolist())
    plain = answer(small_setup())
    longer = answer(small_setup(events=(event, event)))
    last = plain.sequence.steps - 1
    for step, asked in ((last, True), (last + 1, False), (last + 2, False)):
        readout = readout_at(longer, step)
        assert readout is not None
        assert bool(readout.target) is asked
        assert any(row.target for row in readout.rows) is asked
