"""aⁿbⁿ: a unit has to count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lstm_studio.tasks.next_symbol import NextSymbol, String
from lstm_studio.tasks.task import at_least

_START, _A, _B, _END = range(4)


@dataclass(frozen=True)
class Counting(NextSymbol):
    """Strings of n times a and n times b between a start S and an end T (Gers & Schmidhuber 2001).

    After S comes a; after an a, another a or b; after the first b, only b until there are as many, then T. Train with
    n up to 10, then raise ``fewest`` and ``most`` to see how far beyond that the counter still counts.

    Parameters
    ----------
    fewest, most
        The range of n, uniform and inclusive; at least 1.
    """

    fewest: int = 1
    most: int = 10

    name: ClassVar[str] = "counting"
    title: ClassVar[str] = "aⁿbⁿ"
    shows: ClassVar[str] = "As many b as there were a: a unit of the long-term memory becomes a counter."
    features: ClassVar[tuple[str, ...]] = ("S", "a", "b", "T")
    answers: ClassVar[tuple[str, ...]] = ("S", "a", "b", "T")

    def __post_init__(self) -> None:
        at_least(self.name, "fewest", self.fewest, 1)
        at_least(self.name, "most", self.most, self.fewest)

    def string(self, rng: np.random.Generator) -> String:
        """Return one string without its T, after which nothing is asked."""
        n = int(rng.integers(self.fewest, self.most, endpoint=True))
        symbols = [_START, *[_A] * n, *[_B] * n]
        return symbols, [(_A,), *[(_A, _B)] * n, *[(_B,)] * (n - 1), (_END,)]
