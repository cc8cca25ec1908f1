"""Long time lags: the first symbol decides the last one, and everything between is in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import StudioError
from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

Form = Literal["2a", "2b", "2c"]

MOST = 100
"""Distractor symbols that there are; with a shorter lag some of them never come."""

_FIRST = ("x", "y")
_BEGIN, _TRIGGER = MOST + 2, MOST + 3


@dataclass(frozen=True)
class LongLag(Task):
    """Experiments 2a, 2b and 2c of Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9 (8), 1997.

    A sequence begins with x or y, each with probability 1/2, and what is asked at its end is that symbol again.

    - ``"2a"``: between them stand a1, a2, …, always in this order: everything but the last symbol can be foretold from
      the one before.
    - ``"2b"``: between them stand as many symbols, each drawn anew from a1, a2, …: nothing can be foretold.
    - ``"2c"``: the sequence begins with b, then x or y, then ``lag`` and on average a tenth more random symbols, then
      the trigger e, after which x or y is asked. In the paper the number of further symbols has no limit, as e comes
      with probability 1/10 at each of them; here likewise.

    The paper asks for the next symbol at every step of 2a and 2b; here only the last one is asked, as everywhere else
    it is either trivial or impossible. Its nets have one output for every symbol; here there are two, x and y.

    Parameters
    ----------
    form
        One of the three.
    lag
        Distractors between the first and the last symbol, 1 … 100; p − 1 in the paper's 2a and 2b, q in 2c.
    """

    form: Form = "2b"
    lag: int = 100

    name: ClassVar[str] = "long-lag"
    title: ClassVar[str] = "Long time lag"
    shows: ClassVar[str] = "One symbol at the start, asked for at the end: the vanishing gradient at its purest."
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.ONE_HOT
    features: ClassVar[tuple[str, ...]] = (*_FIRST, *(f"a{number}" for number in range(1, MOST + 1)), "b", "e")
    answers: ClassVar[tuple[str, ...]] = _FIRST
    tolerance: ClassVar[float] = 0.25
    test_size: ClassVar[int] = 10_000
    chance_words: ClassVar[str] = "x and y equally likely: loss ln 2 = 0.693, accuracy 0.5"
    solved_words: ClassVar[str] = "all outputs within 0.25 of the target on all of 10,000 sequences (2c: 0.2)"

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise StudioError(f"task {self.name!r}: form is {self.form!r}.", f"Give one of {get_args(Form)}.")
        at_least(self.name, "lag", self.lag, 1)
        if self.lag > MOST:
            raise StudioError(f"task {self.name!r}: lag is {self.lag}.", f"Give at most {MOST}.")

    @property
    def near(self) -> float:
        """How near to the target an output has to be."""
        return 0.2 if self.form == "2c" else self.tolerance

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences; the first symbol is asked for at the last step."""
        first = rng.integers(2, size=count)
        between = np.full(count, self.lag)
        if self.form == "2c":
            # So many further symbols that each next one is the trigger with probability 1/10.
            between += rng.geometric(0.1, size=count) - 1
        prefix = 2 if self.form == "2c" else 1
        lengths = prefix + between + (1 if self.form == "2c" else 0)
        longest, each = int(lengths.max()), np.arange(count)
        if self.form == "2a":
            symbols = np.broadcast_to(np.arange(longest)[:, None] + 1, (longest, count)).copy()
        else:
            symbols = rng.integers(2, 2 + self.lag, size=(longest, count))
        symbols[prefix - 1] = first
        if self.form == "2c":
            symbols[0] = _BEGIN
            symbols[lengths - 1, each] = _TRIGGER
        inside = np.arange(longest)[:, None] < lengths
        inputs = np.eye(len(self.features), dtype=np.float32)[symbols] * inside[..., None].astype(np.float32)
        scored = np.zeros((longest, count), np.bool_)
        scored[lengths - 1, each] = True
        targets = np.zeros((longest, count, 2), np.float32)
        targets[lengths - 1, each, first] = 1.0
        return Batch(inputs, targets, scored, lengths.astype(np.int64))

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for both."""
        return np.full(batch.targets.shape, 0.5)

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - the paper's criterion is absolute
        """Return whether all outputs are near enough; it needs at least 10,000 sequences."""
        return reached.sequences >= 10_000 and reached.within == 1.0
