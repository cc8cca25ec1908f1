"""Copy memory: an honest limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

_COPIED, _SYMBOLS = 10, 8
_BLANK, _DELIMITER = 8, 9


@dataclass(frozen=True)
class CopyMemory(Task):
    """Ten symbols, a long wait, and all ten again (Hochreiter & Schmidhuber 1997; this form: Arjovsky et al. 2016).

    A sequence has length T + 20: ten symbols, each uniform among eight; T − 1 blanks; a delimiter; ten blanks. Asked
    for are a blank at each of the first T + 10 steps and then the ten symbols in their order.

    Parameters
    ----------
    wait
        T, at least 1.
    """

    wait: int = 30

    name: ClassVar[str] = "copy-memory"
    title: ClassVar[str] = "Copy memory"
    shows: ClassVar[str] = "An honest limit: with a long wait an LSTM fails here, too."
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    features: ClassVar[tuple[str, ...]] = ("a", "b", "c", "d", "e", "f", "g", "h", "_", "!")
    answers: ClassVar[tuple[str, ...]] = ("a", "b", "c", "d", "e", "f", "g", "h", "_")
    chance_words: ClassVar[str] = "blanks while waiting, then all eight symbols equally likely: loss 10 ln 8 / (T + 20)"
    solved_words: ClassVar[str] = "all ten symbols right on every sequence"

    def __post_init__(self) -> None:
        at_least(self.name, "wait", self.wait, 1)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; every step is scored."""
        steps = self.wait + 2 * _COPIED
        symbols = rng.integers(_SYMBOLS, size=(_COPIED, count))
        given = np.full((steps, count), _BLANK)
        given[:_COPIED] = symbols
        given[_COPIED + self.wait - 1] = _DELIMITER
        wanted = np.full((steps, count), _BLANK)
        wanted[-_COPIED:] = symbols
        return Batch(
            inputs=np.eye(len(self.features), dtype=np.float32)[given],
            targets=np.eye(len(self.answers), dtype=np.float32)[wanted],
            scored=np.ones((steps, count), np.bool_),
            lengths=np.full(count, steps, np.int64),
        )

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return a blank with certainty, then the same probability for each of the eight symbols."""
        found = np.zeros(batch.targets.shape)
        found[:-_COPIED, :, _BLANK] = 1.0
        found[-_COPIED:, :, :_SYMBOLS] = 1.0 / _SYMBOLS
        return found

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - right is right
        """Return whether every answer at every step is right."""
        return reached.accuracy == 1.0
