"""Temporal order against its definition, read off the symbols."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.errors import StudioError
from lstm_studio.sequences.sequence import Sequence
from lstm_studio.tasks.temporal_order import TemporalOrder

PAPER = TemporalOrder()
CLASSROOM = TemporalOrder(length=50, spread=0)


def events(sequence: Sequence) -> list[tuple[int, str]]:
    """Return (step counted from 1, symbol) of every X and Y."""
    assert sequence.symbols is not None
    return [(step, symbol) for step, symbol in enumerate(sequence.symbols, start=1) if symbol in "XY"]


@pytest.mark.parametrize(
    ("task", "lengths", "first", "second"),
    [(PAPER, (100, 110), (10, 20), (50, 60)), (CLASSROOM, (50, 50), (5, 10), (25, 30))],
)
def test_every_sequence_follows_the_definition(
    task: TemporalOrder, lengths: tuple[int, int], first: tuple[int, int], second: tuple[int, int]
) -> None:
    drawn = task.generate(2000, seed=1)
    seen_lengths, seen_first, seen_second = set(), set(), set()
    for sequence in drawn:
        symbols = sequence.symbols
        assert symbols is not None
        assert np.array_equal(sequence.values.sum(axis=1), np.ones(len(sequence)))
        assert (symbols[0], symbols[-1]) == ("E", "B")
        (t1, one), (t2, two) = events(sequence)
        others = [s for step, s in enumerate(symbols, 1) if step not in {1, t1, t2, len(symbols)}]
        assert set(others) <= set("abcd")
        assert sequence.target is not None
        assert sequence.target.shape == ()
        assert drawn.classes[int(sequence.target)] == one + two
        seen_lengths.add(len(sequence))
        seen_first.add(t1)
        seen_second.add(t2)
    # 2,000 uniform draws from at most 11 values miss one with probability below 1e-80: the ranges are exact.
    for seen, (low, high) in ((seen_lengths, lengths), (seen_first, first), (seen_second, second)):
        assert seen == set(range(low, high + 1))


def test_the_classes_and_the_other_symbols_are_uniform() -> None:
    drawn = CLASSROOM.generate(4000, seed=2)
    classes = np.bincount([int(q.target) for q in drawn if q.target is not None], minlength=4)
    # Six standard deviations of a binomial count.
    assert np.abs(classes - 1000).max() < 6 * np.sqrt(4000 * 0.25 * 0.75)
    others = np.concatenate([q.values[:, 2:6] for q in drawn]).sum(axis=0)
    assert np.abs(others / others.sum() - 0.25).max() < 6 * np.sqrt(0.25 * 0.75 / others.sum())


def test_names_are_the_eight_symbols_of_the_paper() -> None:
    assert CLASSROOM.generate(1, seed=0).names == tuple("EBabcdXY")


def test_a_batch_is_padded_at_the_end_and_scored_at_the_last_step_only() -> None:
    batch = PAPER.draw(64, np.random.default_rng(3))
    assert batch.inputs.shape == (int(batch.lengths.max()), 64, 8)
    assert len(set(batch.lengths.tolist())) > 1
    for index, length in enumerate(batch.lengths):
        assert not batch.inputs[length:, index].any()
        assert batch.scored[:, index].nonzero()[0].tolist() == [length - 1]
        assert batch.targets[length - 1, index].sum() == 1.0


def test_the_chance_line_is_a_guess_among_four() -> None:
    chance = CLASSROOM.chance(CLASSROOM.draw(500, np.random.default_rng(4)))
    assert chance.loss == pytest.approx(np.log(4.0), rel=1e-12)
    assert chance.accuracy == pytest.approx(0.25, rel=1e-12)
    assert chance.within == 0.0


def test_solved_needs_two_thousand_sequences_all_within_tolerance() -> None:
    def reached(count: int, wrong: int, probability: float) -> bool:
        batch = CLASSROOM.draw(count, np.random.default_rng(5))
        outputs = np.where(batch.targets > 0.0, probability, (1.0 - probability) / 3.0)
        outputs[:, :wrong] = 0.25
        return CLASSROOM.solved(CLASSROOM.score(outputs, batch), CLASSROOM.chance(batch))

    assert reached(2000, 0, 0.95)
    assert not reached(1999, 0, 0.95)
    assert not reached(2000, 1, 0.95)
    assert not reached(2000, 0, 0.69)
    # Within 0.3 everywhere, but the squared error 0.29² + 3·(0.29/3)² = 0.112 is not below 0.1.
    assert not reached(2000, 0, 0.71)


@pytest.mark.parametrize("parameters", [{"length": 19}, {"spread": -1}])
def test_senseless_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(StudioError, match="at least"):
        TemporalOrder(**parameters)
