"""What networks can be trained on: a teaching task, or a loaded sequence of which something is asked."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout


class Assignment(Protocol):
    """Every :class:`~lstm_studio.tasks.task.Task` is one; its attributes are described there."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def readout(self) -> Readout:
        """Whether classes or values are asked for."""

    @property
    def features(self) -> tuple[str, ...]:
        """F names of what enters."""

    @property
    def answers(self) -> tuple[str, ...]:
        """K names of what is asked for."""

    @property
    def test_size(self) -> int:
        """How many sequences show whether it is solved."""

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences to train on."""

    def held_out(self, count: int, rng: np.random.Generator) -> Batch:
        """Return up to ``count`` sequences that are not for training."""

    def score(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> Score:
        """Return how good answers are."""

    def chance(self, batch: Batch) -> Score:
        """Return the score of the chance line."""

    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether such a score counts as solved."""
