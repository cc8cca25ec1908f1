"""Training on a loaded sequence: what is asked of it, what is held out, and what an honest guess would reach."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError, StudioError
from lstm_studio.sequences.columns import ColumnRole
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.sequences.scaling import offsets_and_factors
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet
from lstm_studio.tasks.score import TOLERANCE, Score, score
from lstm_studio.tasks.task import Batch, Readout
from lstm_studio.training.plan import Goal, Plan

_SPLIT = 100
"""Random stream of the choice of what is held out; the trainer's own have low numbers."""
_ONE_IN = 5
"""So many sequences are for training and one of them is held out."""
_LONG, _PIECE = 400, 100
"""Sequences that are asked at every step are cut into pieces where they are longer than this, unless it is said how."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Example:
    """One sequence with what is asked of it.

    Parameters
    ----------
    inputs, targets
        (T, F) and (T, K) float32.
    scored
        (T,) bool: the steps at which an answer is asked.
    """

    inputs: Array
    targets: Array
    scored: Array

    def part(self, start: int, stop: int) -> _Example:
        return _Example(self.inputs[start:stop], self.targets[start:stop], self.scored[start:stop])


class LoadedSequences:
    """A sequence file as something to be learned; made by :func:`load`.

    Parameters
    ----------
    sequences
        Unscaled.
    plan
        What is asked of them.

    Raises
    ------
    StudioError
        If that cannot be asked of them, or nothing can be held out.
    """

    def __init__(self, sequences: SequenceSet, plan: Plan) -> None:
        self.title = sequences.title
        self.goal = _goal(sequences, plan.goal)
        symbols = self.goal is Goal.NEXT_STEP and sequences[0].encoding is Encoding.ONE_HOT
        self.readout: Readout = "classes" if symbols or self.goal is Goal.CLASSES else "values"
        self.features = sequences.names
        self.answers = _answers(sequences, self.goal, self.readout)
        examples = [_example(sequence, self.goal, len(self.answers)) for sequence in sequences]
        at_every_step = all(example.scored.all() for example in examples)
        split = _Split.of(sequences, examples, plan.seed, at_every_step=at_every_step)
        offsets, factors = offsets_and_factors(split.training_set(sequences), plan.scaling)
        examples = [
            replace(example, inputs=((example.inputs - offsets) / factors).astype(np.float32)) for example in examples
        ]
        if self.readout == "values":
            examples = self._scaled_targets(examples, split, plan, (offsets, factors))
        length = plan.piece_length
        if length and not at_every_step:
            raise StudioError(
                "--piece-length: the answer is asked at the end of a whole sequence.", "Give --piece-length 0."
            )
        if not length and at_every_step and max(len(example.scored) for example in examples) > _LONG:
            length = _PIECE
        self._length = length
        self._training = split.training(examples)
        self._held_out = split.held_out(examples, length)
        self.split_words = split.words(len(self._held_out), length)
        self._guess = self._usual_answer()

    @property
    def test_size(self) -> int:
        """All that is held out."""
        return len(self._held_out)

    @property
    def sequences(self) -> int:
        """How many sequences are for training."""
        return len(self._training)

    @property
    def chance_words(self) -> str:
        """What the chance line answers."""
        if self._repeats:
            return "repeat the last value"
        if self.readout == "values":
            return "always the mean of the training part"
        return f"{self._guess_name!r}, the most frequent of the training part, with all others as likely as there"

    @property
    def solved_words(self) -> str:
        """The criterion of :meth:`solved`."""
        if self.readout == "classes":
            return "every held-out answer right"
        return f"mean squared error below that of the chance line ({self.chance_words})"

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences, or pieces that begin anywhere; all sequences once where there are no more."""
        whole = self._training
        if not self._length:
            chosen = range(len(whole)) if count >= len(whole) else rng.choice(len(whole), count, replace=False)
            return _batch([whole[index] for index in chosen])
        starts = np.array([max(len(example.scored) - self._length, 0) + 1 for example in whole])
        places = rng.integers(int(starts.sum()), size=count)
        ends = np.cumsum(starts)
        pieces = []
        for place in places:
            index = int(np.searchsorted(ends, place, side="right"))
            start = int(place - (ends[index] - starts[index]))
            pieces.append(whole[index].part(start, start + self._length))
        return _batch(pieces)

    def held_out(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` of the held-out sequences or pieces, in order; all where there are no more."""
        there = len(self._held_out)
        chosen = range(there) if count >= there else np.sort(rng.choice(there, count, replace=False))
        return _batch([self._held_out[index] for index in chosen])

    def score(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> Score:
        """Return how good answers are; of values in standard deviations, where they are scaled so."""
        return score(outputs, batch.targets, batch.scored, classes=self.readout == "classes")

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return what the chance line answers, (T, B, K)."""
        if self._repeats:
            return batch.inputs.astype(np.float64)
        return np.broadcast_to(self._guess, batch.targets.shape)

    def chance(self, batch: Batch) -> Score:
        """Return the score of the chance line."""
        return self.score(self.baseline(batch), batch)

    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether everything is right, or of values, whether the error is below that of the chance line."""
        return reached.accuracy == 1.0 if self.readout == "classes" else reached.loss < chance.loss

    @property
    def _repeats(self) -> bool:
        return self.goal is Goal.NEXT_STEP and self.readout == "values"

    @property
    def _guess_name(self) -> str:
        return self.answers[int(self._guess.argmax())]

    def _usual_answer(self) -> NDArray[np.float64]:
        """Return the mean of the targets of the training part; of classes, each one's share of it."""
        total, count = np.zeros(len(self.answers)), 0
        for example in self._training:
            total += example.targets[example.scored].sum(axis=0, dtype=np.float64)
            count += int(example.scored.sum())
        if self.readout == "classes":
            # One more of each: what never comes in the training part is unlikely, not impossible.
            return (total + 1.0) / (count + len(total))
        return total / count

    def _scaled_targets(
        self, examples: list[_Example], split: _Split, plan: Plan, inputs: tuple[Array, Array]
    ) -> list[_Example]:
        """Scale the targets as the inputs are, by the training part alone."""
        offsets, factors = inputs
        if self.goal is not Goal.NEXT_STEP:
            asked = [example.targets[example.scored] for example in split.training(examples)]
            targets = SequenceSet(tuple(Sequence(part, self.answers) for part in asked))
            offsets, factors = offsets_and_factors(targets, plan.scaling)
        return [
            replace(example, targets=((example.targets - offsets) / factors).astype(np.float32)) for example in examples
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """What is for training and what is held out: whole sequences, or the end of each where they are few.

    Parameters
    ----------
    out
        Indices of the held-out sequences; empty where the ends are held out.
    cuts
        Of each sequence, the step from which on it is held out.
    """

    out: frozenset[int]
    cuts: tuple[int, ...]

    @classmethod
    def of(cls, sequences: SequenceSet, examples: Many[_Example], seed: int, *, at_every_step: bool) -> _Split:
        count = len(examples)
        if count >= _ONE_IN:
            order = np.random.default_rng([seed, _SPLIT]).permutation(count)
            labels = [_label(sequence) for sequence in sequences]
            # One in five of each class, as nearly as can be.
            ranked = sorted(order.tolist(), key=lambda index: labels[index])
            return cls(frozenset(ranked[_ONE_IN // 2 :: _ONE_IN]), tuple(len(example.scored) for example in examples))
        if not at_every_step:
            raise SequenceError(
                f"{sequences.title} has {count} sequences with one answer each: too few to hold any out.",
                f"Give at least {_ONE_IN}, or ask for the next step (--goal next-step).",
            )
        cuts = tuple(len(example.scored) * (_ONE_IN - 1) // _ONE_IN for example in examples)
        if min(cuts) < 1 or any(cut == len(example.scored) for cut, example in zip(cuts, examples, strict=True)):
            raise SequenceError(
                f"{sequences.title} is too short to hold its last fifth out.", "Give a sequence of 10 steps or more."
            )
        return cls(frozenset(), cuts)

    def training_set(self, sequences: SequenceSet) -> SequenceSet:
        """Return the raw values that are for training, to take their statistics."""
        kept = [
            replace(sequence, values=_raw(sequence)[:cut], raw=None, time=None, target=None)
            for index, (sequence, cut) in enumerate(zip(sequences, self.cuts, strict=True))
            if index not in self.out
        ]
        return replace(sequences, sequences=tuple(kept))

    def training(self, examples: Many[_Example]) -> list[_Example]:
        return [
            example.part(0, cut)
            for index, (example, cut) in enumerate(zip(examples, self.cuts, strict=True))
            if index not in self.out
        ]

    def held_out(self, examples: Many[_Example], length: int) -> list[_Example]:
        """Return what is held out, in pieces of ``length`` steps; with 0, whole."""
        if self.out:
            found = [examples[index] for index in sorted(self.out)]
        elif length:
            found = [example.part(cut, len(example.scored)) for example, cut in zip(examples, self.cuts, strict=True)]
        else:
            # What came before is known when the end is foretold, and not asked for again.
            found = [
                replace(example, scored=example.scored & (np.arange(len(example.scored)) >= cut))
                for example, cut in zip(examples, self.cuts, strict=True)
            ]
        if not length:
            return found
        return [
            example.part(start, start + length) for example in found for start in range(0, len(example.scored), length)
        ]

    def words(self, count: int, length: int) -> str:
        """Say what is held out."""
        pieces = f", in {count:,} pieces of at most {length:,} steps" if length else ""
        if self.out:
            return f"{len(self.out):,} of {len(self.cuts):,} sequences, drawn with the seed{pieces}"
        return f"the last fifth of {'the sequence' if len(self.cuts) == 1 else 'each sequence'}{pieces}"


def load(plan: Plan) -> tuple[LoadedSequences, dict[str, Any]]:
    """Open the sequence of a plan.

    Parameters
    ----------
    plan
        For a sequence.

    Returns
    -------
    LoadedSequences, dict
        And what a run says of it.

    Raises
    ------
    StudioError
        If it cannot be read, or what is asked cannot be asked of it.
    """
    options = ReadOptions(columns=plan.columns, missing=plan.missing)
    asked = LoadedSequences(open_sequence(plan.sequence, options=options), plan)
    about = {
        "name": "",
        "sequence": plan.sequence,
        "title": asked.title,
        "shows": _SHOWS[asked.goal],
        "parameters": {},
        "goal": asked.goal,
        "sequences": asked.sequences,
        "held_out": asked.split_words,
        "scaling": plan.scaling,
        "chance": asked.chance_words,
        "solved": asked.solved_words,
        "caution": "The final test is on all that is held out, of which the evaluations have seen some or all.",
        "readout": asked.readout,
        "answers": list(asked.answers),
        "near": TOLERANCE,
    }
    return asked, about


_SHOWS = {
    Goal.NEXT_STEP: "At every step: what comes next?",
    Goal.CLASSES: "Which class is it?",
    Goal.TARGET: "What is the value of the target?",
}


def _goal(sequences: SequenceSet, wanted: Goal) -> Goal:
    """Return what is asked, and refuse what the file does not have."""
    has_target = all(sequence.target is not None for sequence in sequences)
    has_classes = has_target and bool(sequences.classes)
    if wanted is Goal.AUTO:
        return Goal.CLASSES if has_classes else Goal.TARGET if has_target else Goal.NEXT_STEP
    if wanted is Goal.CLASSES and not has_classes:
        raise SequenceError(
            f"{sequences.title} has no class for each sequence.", "Name its column: --column NAME=label."
        )
    if wanted is Goal.TARGET and (has_classes or not has_target):
        raise SequenceError(f"{sequences.title} has no target column.", "Name it: --column NAME=target.")
    return wanted


def _answers(sequences: SequenceSet, goal: Goal, readout: Readout) -> tuple[str, ...]:
    if goal is Goal.CLASSES:
        return sequences.classes
    if goal is Goal.NEXT_STEP:
        return sequences.names if readout == "classes" else tuple(f"next {name}" for name in sequences.names)
    named = tuple(column.name for column in sequences.columns if column.role is ColumnRole.TARGET)
    target = sequences[0].target
    count = 1 if target is None else target.shape[-1]
    return named if len(named) == count else tuple(f"target {number + 1}" for number in range(count))


def _example(sequence: Sequence, goal: Goal, answers: int) -> _Example:
    values = _raw(sequence)
    if goal is Goal.NEXT_STEP:
        if len(values) < 2:
            raise SequenceError(f"The sequence {sequence.name!r} has one step: nothing comes next.", "Leave it out.")
        return _Example(values[:-1], values[1:], np.ones(len(values) - 1, np.bool_))
    target = sequence.target
    if target is None:
        raise TypeError("a goal that the sequences do not have")
    if target.ndim == 2:
        return _Example(values, np.asarray(target, np.float32), np.ones(len(values), np.bool_))
    targets = np.zeros((len(values), answers), np.float32)
    if target.ndim == 0:
        targets[-1, int(target)] = 1.0
    else:
        targets[-1] = target
    scored = np.zeros(len(values), np.bool_)
    scored[-1] = True
    return _Example(values, targets, scored)


def _batch(examples: Many[_Example]) -> Batch:
    """Return examples side by side, padded with zeros at their end."""
    lengths = np.array([len(example.scored) for example in examples], np.int64)
    shape = int(lengths.max()), len(examples)
    inputs = np.zeros((*shape, examples[0].inputs.shape[1]), np.float32)
    targets = np.zeros((*shape, examples[0].targets.shape[1]), np.float32)
    scored = np.zeros(shape, np.bool_)
    for index, (example, length) in enumerate(zip(examples, lengths, strict=True)):
        inputs[:length, index], targets[:length, index] = example.inputs, example.targets
        scored[:length, index] = example.scored
    return Batch(inputs, targets, scored, lengths)


def _label(sequence: Sequence) -> int:
    """Return the class of a whole sequence, 0 where it has none."""
    target = sequence.target
    return int(target) if target is not None and target.ndim == 0 else 0


def _raw(sequence: Sequence) -> Array:
    return sequence.values if sequence.raw is None else sequence.raw
