"""What every teaching task is: a generator, a chance line, a "solved" test and a sentence on what it shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import StudioError
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet
from lstm_studio.tasks.score import TOLERANCE, Score, right_answers, score

Readout = Literal["classes", "values"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences side by side, time first as in ``torch.nn.LSTM``; shorter ones are padded with zeros at their end.

    Parameters
    ----------
    inputs
        (T, B, F) float32.
    targets
        (T, B, K) float32: probabilities of the K classes, or K values.
    scored
        (T, B) bool: the steps at which an answer is asked; never in the padding.
    lengths
        (B,) int64, each in 1…T.
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]
    scored: NDArray[np.bool_]
    lengths: NDArray[np.int64]


@dataclass(frozen=True)
class Task(ABC):
    """A generated task. A subclass is a frozen dataclass whose fields are the task's parameters, all with defaults."""

    name: ClassVar[str]
    """What the command line and the samples call it, ``"temporal-order"``."""
    title: ClassVar[str]
    """The same for people, ``"Temporal order"``."""
    shows: ClassVar[str]
    """One sentence on what it shows."""
    readout: ClassVar[Readout]
    """Whether the answers are classes (cross-entropy) or values (mean squared error)."""
    encoding: ClassVar[Encoding]
    features: ClassVar[tuple[str, ...]]
    """F feature names; for one-hot encoding, the symbols."""
    answers: ClassVar[tuple[str, ...]]
    """K names: the classes, or the values that are asked for."""
    chance_words: ClassVar[str]
    """The predictor that draws the chance line, in words."""
    solved_words: ClassVar[str]
    """The criterion of :meth:`solved`, in words."""
    caution: ClassVar[str] = ""
    """Why success proves little, where that is known; else empty."""
    tolerance: ClassVar[float] = TOLERANCE
    """An output is near its target if it is nearer than this; see :attr:`Score.within`."""
    test_size: ClassVar[int] = 2000
    """So many new sequences show whether it is solved."""

    @property
    def near(self) -> float:
        """The tolerance of this very task."""
        return self.tolerance

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` new sequences; the same generator state gives the same sequences.

        Parameters
        ----------
        count
            B, at least 1.
        rng
            The only source of chance.
        """

    def held_out(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences that are not for training: here, new ones as well."""
        return self.draw(count, rng)

    @abstractmethod
    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return what the predictor of the chance line answers, (T, B, K) float64: probabilities or values."""

    @abstractmethod
    def solved(self, reached: Score, chance: Score) -> bool:
        """Return whether held-out answers with this score count as solved.

        Parameters
        ----------
        reached, chance
            Scores of the network and of the chance line on the same held-out sequences.
        """

    def score(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> Score:
        """Return how good answers are.

        Parameters
        ----------
        outputs
            (T, B, K): probabilities where ``readout`` is ``"classes"``, else values.
        batch
            The sequences they answer.
        """
        return score(outputs, batch.targets, batch.scored, classes=self.readout == "classes", near=self.near)

    def chance(self, batch: Batch) -> Score:
        """Return the score of the chance line on these sequences."""
        return self.score(self.baseline(batch), batch)

    def right(self, outputs: NDArray[np.floating[Any]], batch: Batch) -> NDArray[np.bool_]:
        """Return which sequences are answered right, (B,) bool: the likeliest class is right at every scored step."""
        return right_answers(outputs, batch.targets, batch.scored)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as plain values, enough to build the same task again."""
        return asdict(self)

    def generate(self, count: int, seed: int) -> SequenceSet:
        """Return ``count`` sequences with their targets, the same for the same seed.

        Parameters
        ----------
        count
            At least 1.
        seed
            0 … 2**63 − 1.

        Returns
        -------
        SequenceSet
            Each target is the class index where one class is asked at the last step, else (T, K) float32: what is
            asked at each step.
        """
        return self.as_set(self.draw(count, np.random.default_rng(seed)), seed)

    def as_set(self, batch: Batch, seed: int) -> SequenceSet:
        """Return the sequences of a batch, one by one and without padding.

        Parameters
        ----------
        batch
            What :meth:`draw` returned.
        seed
            The seed it was drawn with, for the title line.
        """
        count = len(batch.lengths)
        sequences = []
        for index, length in enumerate(batch.lengths):
            target: NDArray[Any] = batch.targets[:length, index]
            if self.readout == "classes" and not batch.scored[: length - 1, index].any():
                target = np.asarray(target[-1].argmax(), np.int64)
            sequences.append(
                Sequence(
                    values=batch.inputs[:length, index].copy(),
                    names=self.features,
                    target=target.copy(),
                    name=f"Sequence {index + 1}",
                    encoding=self.encoding,
                )
            )
        shortest, longest = int(batch.lengths.min()), int(batch.lengths.max())
        length_words = str(shortest) if shortest == longest else f"{shortest}–{longest}"
        return SequenceSet(
            tuple(sequences),
            source=f"generated · length {length_words} · seed {seed}",
            title=self.title,
            classes=self.answers if self.readout == "classes" else (),
            facts=(("task", self.name), ("sequences", str(count)), ("length", length_words), ("seed", str(seed))),
        )


def at_least(task: str, parameter: str, value: float, minimum: float) -> None:
    """Refuse a parameter that is too small for the task to make sense.

    Raises
    ------
    StudioError
        If ``value`` is below ``minimum``.
    """
    if value < minimum:
        raise StudioError(f"task {task!r}: {parameter} is {value}.", f"Give at least {minimum}.")
