"""Each task against its definition, read off the sequences and their targets."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from lstm_studio.errors import StudioError
from lstm_studio.tasks.adding_halves import AddingHalves
from lstm_studio.tasks.bits import Latch, Parity
from lstm_studio.tasks.copy_memory import CopyMemory
from lstm_studio.tasks.counting import Counting
from lstm_studio.tasks.long_lag import Form, LongLag
from lstm_studio.tasks.marked_values import Adding, MarkedValues, Multiplication
from lstm_studio.tasks.next_symbol import NextSymbol
from lstm_studio.tasks.parentheses import Parentheses
from lstm_studio.tasks.pen_strokes import LETTERS, PenStrokes
from lstm_studio.tasks.reber import Reber
from lstm_studio.tasks.registry import new_task
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch
from lstm_studio.tasks.temporal_order_three import TemporalOrderThree
from lstm_studio.tasks.tones import FORMANTS, Tones
from lstm_studio.tasks.two_sequence import TwoSequence

RNG = np.random.default_rng


def text(batch: Batch, index: int, names: tuple[str, ...]) -> str:
    """Return the symbols of one sequence."""
    length = int(batch.lengths[index])
    assert np.array_equal(batch.inputs[:length, index].sum(axis=-1), np.ones(length))
    assert not batch.inputs[length:, index].any()
    return "".join(names[symbol] for symbol in batch.inputs[:length, index].argmax(axis=-1))


def allowed(batch: Batch, index: int, names: tuple[str, ...]) -> list[set[str]]:
    """Return which symbols may follow each one."""
    return [
        {names[symbol] for symbol in np.flatnonzero(batch.targets[step, index])}
        for step in range(int(batch.lengths[index]))
    ]


# Strings.


def accepts(string: str) -> bool:
    """Return whether Reber's grammar accepts a string, written down once more as a regular expression's automaton."""
    graph = {
        "0": {"B": "1"},
        "1": {"T": "2", "P": "3"},
        "2": {"S": "2", "X": "4"},
        "3": {"T": "3", "V": "5"},
        "4": {"X": "3", "S": "6"},
        "5": {"P": "4", "V": "6"},
        "6": {"E": "end"},
    }
    state = "0"
    for symbol in string:
        if symbol not in graph.get(state, {}):
            return False
        state = graph[state][symbol]
    return state == "end"


def test_plain_reber_strings_are_accepted_and_both_ways_out_are_equally_likely() -> None:
    task = Reber("plain")
    batch = task.draw(2000, RNG(1))
    strings = [text(batch, index, task.features) + "E" for index in range(2000)]
    assert all(accepts(string) for string in strings)
    second = Counter(string[1] for string in strings)
    assert abs(second["T"] - 1000) < 6 * math.sqrt(500)
    # The shortest strings: BTXSE and BPVVE, each with probability 1/8.
    assert abs(Counter(strings)["BTXSE"] - 250) < 6 * math.sqrt(250)


def test_what_may_follow_is_what_some_string_has_there() -> None:
    task = Reber("plain")
    batch = task.draw(3000, RNG(2))
    seen: dict[str, set[str]] = {}
    said: dict[str, set[str]] = {}
    for index in range(3000):
        string = text(batch, index, task.features)
        for step, follows in enumerate(allowed(batch, index, task.features)):
            begin = string[: step + 1]
            said[begin] = follows
            seen.setdefault(begin, set()).add((string + "E")[step + 1])
    common = [begin for begin in seen if len(begin) <= 3]
    assert len(common) > 5
    for begin in common:
        assert said[begin] == seen[begin], begin


def test_embedded_reber_ends_with_the_branch_it_began_with() -> None:
    task = Reber()
    batch = task.draw(500, RNG(3))
    for index in range(500):
        string = text(batch, index, task.features)
        assert string[0] == "B"
        assert string[1] in "TP"
        assert string[-1] == string[1]
        assert accepts(string[2:-1])
        follows = allowed(batch, index, task.features)
        assert follows[0] == {"T", "P"}
        assert follows[-2:] == [{string[1]}, {"E"}]


def test_the_continual_stream_is_embedded_strings_without_gaps() -> None:
    task = Reber("continual", length=120)
    batch = task.draw(20, RNG(4))
    for index in range(20):
        stream = text(batch, index, task.features)
        assert len(stream) == 120
        follows = allowed(batch, index, task.features)
        # What follows is always among what may follow.
        assert all(after in can for after, can in zip(stream[1:], follows, strict=False))
        begin = 0
        while (end := stream.find("E", stream.find("E", begin) + 1)) > 0 and begin < end:
            whole = stream[begin : end + 1]
            assert accepts(whole[2:-2]), whole
            assert whole[1] == whole[-2]
            begin = end + 1
        assert begin > 0


def test_counting_strings_and_what_follows() -> None:
    task = Counting(2, 5)
    batch = task.draw(300, RNG(5))
    seen = set()
    for index in range(300):
        string = text(batch, index, task.features)
        n = string.count("a")
        assert string == "S" + "a" * n + "b" * n
        seen.add(n)
        assert allowed(batch, index, task.features) == [{"a"}] + [{"a", "b"}] * n + [{"b"}] * (n - 1) + [{"T"}]
    assert seen == {2, 3, 4, 5}


def test_parentheses_balance_and_keep_within_depth_and_length() -> None:
    task = Parentheses(depth=3, longest=12)
    batch = task.draw(500, RNG(6))
    deepest, longest = 0, 0
    for index in range(500):
        string = text(batch, index, task.features)
        depth = 0
        for step, symbol in enumerate(string):
            depth += {"S": 0, "(": 1, ")": -1}[symbol]
            assert 0 <= depth <= 3
            expected = ({"("} if depth < 3 else set()) | ({")"} if depth else ({"T"} if step else set()))
            assert allowed(batch, index, task.features)[step] == expected
            deepest = max(deepest, depth)
        assert depth == 0
        longest = max(longest, len(string) - 1)
    assert (deepest, longest) == (3, 12)


@pytest.mark.parametrize("task", [Reber(), Counting(), Parentheses()])
def test_right_is_when_all_that_may_follow_is_more_active_than_all_else(task: NextSymbol) -> None:
    batch = task.draw(8, RNG(7))
    perfect = batch.targets.astype(np.float64)
    assert task.right(perfect, batch).all()
    # Unequal activities of two allowed symbols are as good.
    noisy = perfect * RNG(8).uniform(0.2, 1.0, perfect.shape)
    assert task.solved(task.score(noisy, batch), task.chance(batch))
    wrong = perfect.copy()
    wrong[2, 3] = np.where(batch.targets[2, 3] > 0, 0.0, 1.0)
    assert task.right(wrong, batch).tolist() == [index != 3 for index in range(8)]
    assert not task.solved(task.score(wrong, batch), task.chance(batch))


# Marked values.


@pytest.mark.parametrize("task", [Adding(40), Multiplication(40)])
def test_marked_values_follow_the_definition(task: MarkedValues) -> None:
    count = 4000
    batch = task.draw(count, RNG(9))
    firsts, seconds = set(), set()
    assert set(batch.lengths.tolist()) == set(range(40, 45))
    for index in range(count):
        length = int(batch.lengths[index])
        values, markers = batch.inputs[:length, index].T.astype(np.float64)
        assert markers[0] == markers[-1] == -1.0
        marked = np.flatnonzero(markers == 1.0).tolist()
        # Where the first step was chosen its marker is −1, and its value changes nothing.
        places = marked if len(marked) == 2 else [0, *marked]
        assert len(places) == 2
        assert places[0] < 10
        assert places[1] < 19
        first, second = values[places]
        wanted = 0.5 + (first + second) / 4 if isinstance(task, Adding) else first * second
        assert batch.targets[length - 1, index, 0] == pytest.approx(wanted, abs=1e-6)
        if len(marked) < 2:
            assert values[0] == task.neutral
        else:
            firsts.add(places[0])
            seconds.add(places[1])
        assert values.min() >= task.low
        assert values.max() <= 1.0
    assert set(range(1, 10)) <= firsts
    assert set(range(10, 19)) <= seconds


@pytest.mark.parametrize(
    ("task", "expected"), [(Adding(22), 1 / 24), (Multiplication(22), 1 / 9 - 1 / 16), (AddingHalves(22), 1 / 6)]
)
def test_the_chance_lines_of_marked_values_are_those_of_their_words(
    task: MarkedValues | AddingHalves, expected: float
) -> None:
    batch = task.draw(40_000, RNG(10))
    # Without the rare first step, which the words leave out.
    usual = (batch.inputs[..., 1] == 1.0).sum(axis=0) == 2
    last = batch.lengths[usual] - 1
    errors = (batch.targets[last, usual, 0] - task.baseline(batch)[last, usual, 0]) ** 2
    assert errors.mean() == pytest.approx(expected, rel=0.05)


def test_adding_is_solved_by_the_papers_criterion_alone() -> None:
    task = Adding()
    batch = task.draw(2000, RNG(11))
    assert task.solved(task.score(batch.targets + 0.039, batch), task.chance(batch))
    assert not task.solved(task.score(batch.targets + 0.041, batch), task.chance(batch))
    few = task.draw(1999, RNG(11))
    assert not task.solved(task.score(few.targets, few), task.chance(few))


def test_multiplication_allows_thirteen_wrong_ones() -> None:
    task = Multiplication()
    batch = task.draw(2000, RNG(12))
    for wrong, solved in ((13, True), (14, False)):
        outputs = batch.targets.astype(np.float64)
        outputs[:, :wrong] += 0.05
        assert task.solved(task.score(outputs, batch), task.chance(batch)) is solved


def test_adding_halves_has_one_mark_in_each_half() -> None:
    task = AddingHalves(9)
    batch = task.draw(1000, RNG(13))
    marks = batch.inputs[..., 1]
    assert (marks[:4].sum(axis=0) == 1).all()
    assert (marks[4:].sum(axis=0) == 1).all()
    assert np.allclose((batch.inputs[..., 0] * marks).sum(axis=0), batch.targets[-1, :, 0], atol=1e-6)
    assert task.solved(task.score(batch.targets, batch), task.chance(batch))


# One symbol, much later.


@pytest.mark.parametrize("form", ["2a", "2b", "2c"])
def test_long_lags_follow_the_definition(form: Form) -> None:
    task = LongLag(form, lag=12)
    batch = task.draw(2000, RNG(14))
    symbols = batch.inputs.argmax(axis=-1)
    lengths = set()
    for index in range(2000):
        length = int(batch.lengths[index])
        names = [task.features[symbol] for symbol in symbols[:length, index]]
        if form == "2c":
            assert (names[0], names[-1]) == ("b", "e")
            names = names[1:-1]
        first, between = names[0], names[1:]
        assert first in "xy"
        assert task.answers[int(batch.targets[length - 1, index].argmax())] == first
        assert all(name[0] == "a" and 1 <= int(name[1:]) <= 12 for name in between)
        if form == "2a":
            assert between == [f"a{number}" for number in range(1, 13)]
        lengths.add(len(between))
    assert lengths == {12} if form != "2c" else min(lengths) == 12
    if form == "2c":
        # A geometric number of further symbols: 9 on average.
        assert float(batch.lengths.mean()) == pytest.approx(2 + 12 + 9 + 1, abs=6 * math.sqrt(90 / 2000))


def test_long_lag_tolerances_are_the_papers() -> None:
    tolerances: dict[Form, float] = {"2a": 0.25, "2b": 0.25, "2c": 0.2}
    for form, near in tolerances.items():
        task = LongLag(form, lag=3)
        batch = task.draw(10_000, RNG(15))
        for off, solved in ((near - 0.01, True), (near + 0.01, False)):
            outputs = np.abs(batch.targets - off)
            assert task.solved(task.score(outputs, batch), task.chance(batch)) is solved
    with pytest.raises(StudioError, match="at most 100"):
        LongLag(lag=101)


def test_temporal_order_with_three_events() -> None:
    task = TemporalOrderThree()
    batch = task.draw(1500, RNG(16))
    seen: list[set[int]] = [set(), set(), set()]
    for index in range(1500):
        string = text(batch, index, task.features)
        assert (string[0], string[-1]) == ("E", "B")
        events = [(step, symbol) for step, symbol in enumerate(string, 1) if symbol in "XY"]
        assert len(events) == 3
        for place, (step, _) in zip(seen, events, strict=True):
            place.add(step)
        answer = task.answers[int(batch.targets[len(string) - 1, index].argmax())]
        assert answer == "".join(symbol for _, symbol in events)
    assert seen == [set(range(10, 21)), set(range(33, 44)), set(range(66, 77))]


def test_two_sequence_signal_and_noise() -> None:
    task = TwoSequence(50)
    batch = task.draw(4000, RNG(17))
    last = batch.targets[batch.lengths - 1, np.arange(4000)]
    assert set(np.round(last[:, 1], 3).tolist()) == {0.2, 0.8} or np.allclose(sorted(set(last[:, 1])), [0.2, 0.8])
    sign = np.where(last[:, 1] > 0.5, 1.0, -1.0)
    start = batch.inputs[:3, :, 0]
    assert (start * sign).mean() == pytest.approx(1.0, abs=6 * math.sqrt(0.2 / 12_000))
    rest = batch.inputs[3:50, :, 0]
    assert rest.var() == pytest.approx(0.2, rel=0.02)
    assert abs(rest.mean()) < 6 * math.sqrt(0.2 / rest.size)


# Copy, bits, and what is not about memory alone.


def test_copy_memory_layout_and_its_chance_line() -> None:
    task = CopyMemory(wait=7)
    batch = task.draw(300, RNG(18))
    for index in range(300):
        string = text(batch, index, task.features)
        assert len(string) == 27
        assert set(string[:10]) <= set("abcdefgh")
        assert string[10:16] == "_" * 6
        assert string[16] == "!"
        assert string[17:] == "_" * 10
        wanted = "".join(task.answers[k] for k in batch.targets[:, index].argmax(axis=-1))
        assert wanted == "_" * 17 + string[:10]
    assert task.chance(batch).loss == pytest.approx(10 * math.log(8) / 27)
    assert task.solved(task.score(batch.targets, batch), task.chance(batch))


def test_parity_and_latch_say_that_they_prove_little() -> None:
    parity, latch = Parity(9), Latch(9)
    batch = parity.draw(500, RNG(19))
    odd = (batch.inputs[..., 0] > 0).sum(axis=0) % 2
    assert np.array_equal(batch.targets[-1].argmax(axis=-1), odd)
    batch = latch.draw(500, RNG(20))
    assert np.array_equal(batch.targets[-1].argmax(axis=-1), (batch.inputs[0, :, 0] > 0).astype(int))
    assert parity.caution
    assert latch.caution
    assert Adding().caution == ""


def test_tones_last_four_to_twelve_frames_and_peak_at_their_formants() -> None:
    task = Tones(length=120, noise=0.0)
    batch = task.draw(60, RNG(21))
    labels = batch.targets.argmax(axis=-1)
    centres = np.array([float(name.split()[0]) for name in task.features])
    lengths = set()
    for index in range(60):
        changes = [0, *(np.flatnonzero(np.diff(labels[:, index])) + 1).tolist()]
        lengths |= {after - before for before, after in pairwise(changes)}
        for begin, end in pairwise(changes):
            frame = batch.inputs[end - 1, index]
            formant = list(FORMANTS.values())[int(labels[end - 1, index])][0]
            low = centres < 1.25 * formant
            # The band with the most energy near the first formant is within a speaker's factor and half a band of it.
            found = centres[low][int(frame[low].argmax())]
            assert 0.75 < found / formant < 1.3, (begin, found, formant)
    assert lengths == set(range(4, 13))


def test_pen_strokes_return_to_where_their_letters_end() -> None:
    task = PenStrokes(letters=3, noise=0.0)
    batch = task.draw(400, RNG(22))
    ends = batch.targets[..., 2]
    # A letter has twelve moves; the last of the sequence is not asked for.
    assert np.array_equal(np.flatnonzero(ends[:, 0]), [11, 23])
    assert np.array_equal(batch.targets[:-1, :, :2], batch.inputs[1:, :, :2])
    widths = {points[-1][0] for points in LETTERS.values()}
    moved = batch.inputs[:12, :, 0].sum(axis=0)
    # The width of one of the six letters, times a size in 0.8…1.2 and with a slant of at most 0.3 on a rise of 0.5.
    assert moved.min() > 0.8 * min(widths) - 0.15
    assert moved.max() < 1.2 * max(widths) + 0.15
    lifted = batch.inputs[..., 2]
    assert set(np.flatnonzero(lifted.any(axis=1)).tolist()) == {11, 23}
    assert lifted[[11, 23]].mean() == pytest.approx(0.15, abs=6 * math.sqrt(0.15 * 0.85 / 800))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Adding(5), "at least 22"),
        (lambda: CopyMemory(0), "at least 1"),
        (lambda: Counting(3, 2), "at least 3"),
        (lambda: new_task("reber", form="loose"), "Give one of"),
        (lambda: Tones(3), "at least 12"),
    ],
)
def test_parameters_without_sense_are_a_users_error(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(StudioError, match=words):
        make()


def test_a_score_within_follows_the_tasks_tolerance() -> None:
    batch = Adding().draw(10, RNG(23))
    score: Score = Adding().score(batch.targets + 0.05, batch)
    assert score.within == 0.0
