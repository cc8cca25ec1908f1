"""What all tasks share in which the next symbol of a string is to be foretold, and often more than one may follow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task

String = tuple[Many[int], Many[Many[int]]]
"""The symbols of a string, and for each of them the symbols that may follow."""


@dataclass(frozen=True)
class NextSymbol(Task):
    """Say after every symbol which symbols may follow.

    The target is the same probability for each symbol that may follow, so that the cross-entropy is smallest, and not
    zero, for a network that knows exactly what is allowed. Where the strings of a paper have unequal probabilities of
    two allowed symbols, these are still asked for alike: the criterion is what is allowed.
    """

    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    chance_words: ClassVar[str] = "every symbol equally likely"
    solved_words: ClassVar[str] = (
        "after every symbol of every string, all symbols that may follow are the most active outputs"
    )

    @abstractmethod
    def string(self, rng: np.random.Generator) -> String:
        """Return one string of at least one symbol."""

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` strings; every step is scored."""
        drawn = [self.string(rng) for _ in range(count)]
        lengths = np.array([len(symbols) for symbols, _ in drawn], np.int64)
        longest = int(lengths.max())
        inputs = np.zeros((longest, count, len(self.features)), np.float32)
        targets = np.zeros((longest, count, len(self.answers)), np.float32)
        for index, (symbols, following) in enumerate(drawn):
            inputs[np.arange(len(symbols)), index, list(symbols)] = 1.0
            for step, allowed in enumerate(following):
                targets[step, index, list(allowed)] = 1.0 / len(allowed)
        scored = np.arange(longest)[:, None] < lengths
        return Batch(inputs, targets, scored, lengths)

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for every symbol."""
        return np.full(batch.targets.shape, 1.0 / len(self.answers))

    def right(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> NDArray[np.bool_]:
        """Return for which strings every allowed symbol is more active than every other, at every step; (B,) bool."""
        allowed = batch.targets > 0
        least = np.where(allowed, outputs, np.inf).min(axis=-1)
        most = np.where(allowed, -np.inf, outputs).max(axis=-1)
        return np.asarray(((least > most) | ~batch.scored).all(axis=0), np.bool_)

    def score(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> Score:
        """Return how good answers are; ``within`` is the share of strings with all steps right."""
        return replace(super().score(outputs, batch), within=float(self.right(outputs, batch).mean()))

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - what is allowed is allowed
        """Return whether all symbols of all held-out strings are right."""
        return reached.within == 1.0
