"""Balanced parentheses: a counter that goes up and down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lstm_studio.tasks.next_symbol import NextSymbol, String
from lstm_studio.tasks.task import at_least

_START, _OPEN, _CLOSE, _END = range(4)


@dataclass(frozen=True)
class Parentheses(NextSymbol):
    """Balanced strings of ( and ) between a start S and an end T, never deeper than ``depth``.

    Each symbol is drawn with equal probability from those that may follow: ( below the greatest depth, ) where one is
    open, T where none is open and at least one pair has been written. A string that would be longer than ``longest``
    is closed as soon as it may be.

    Parameters
    ----------
    depth
        Greatest number of open ones, at least 1.
    longest
        Greatest number of parentheses, at least 2.
    """

    depth: int = 8
    longest: int = 40

    name: ClassVar[str] = "parentheses"
    title: ClassVar[str] = "Balanced parentheses"
    shows: ClassVar[str] = "How many are open? A counter that goes up and down."
    features: ClassVar[tuple[str, ...]] = ("S", "(", ")", "T")
    answers: ClassVar[tuple[str, ...]] = ("S", "(", ")", "T")

    def __post_init__(self) -> None:
        at_least(self.name, "depth", self.depth, 1)
        at_least(self.name, "longest", self.longest, 2)

    def string(self, rng: np.random.Generator) -> String:
        """Return one string without its T, after which nothing is asked."""
        symbols, following, opened = [_START], [self._allowed(1, 0)], 0
        while True:
            allowed = following[-1]
            room = self.longest - (len(symbols) - 1)
            # What is still open has to be closed within the room that is left.
            choices = [s for s in allowed if s != _OPEN or opened + 2 <= room]
            symbol = choices[int(rng.integers(len(choices)))]
            if symbol == _END:
                return symbols, following
            opened += 1 if symbol == _OPEN else -1
            symbols.append(symbol)
            following.append(self._allowed(len(symbols), opened))

    def _allowed(self, written: int, opened: int) -> tuple[int, ...]:
        found = [_OPEN] if opened < self.depth else []
        if opened:
            found.append(_CLOSE)
        elif written > 1:
            found.append(_END)
        return tuple(found)
