"""The Reber grammars: long dependencies hidden among short ones, and a stream without beginnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from lstm_studio.errors import StudioError
from lstm_studio.tasks.next_symbol import NextSymbol, String
from lstm_studio.tasks.task import at_least

Form = Literal["embedded", "plain", "continual"]

SYMBOLS = ("B", "T", "P", "S", "X", "V", "E")
_B, _T, _P, _S, _X, _V, _E = range(len(SYMBOLS))

# State → (symbol, next state), each with probability 1/2; after state 6 comes E.
_ARCS: dict[int, tuple[tuple[int, int], ...]] = {
    0: ((_B, 1),),
    1: ((_T, 2), (_P, 3)),
    2: ((_S, 2), (_X, 4)),
    3: ((_T, 3), (_V, 5)),
    4: ((_X, 3), (_S, 6)),
    5: ((_P, 4), (_V, 6)),
    6: ((_E, 7),),
}
_LAST = 7


@dataclass(frozen=True)
class Reber(NextSymbol):
    """Reber's grammar (Cleeremans, Servan-Schreiber & McClelland 1989), alone, embedded, or as an endless stream.

    ``"plain"``: B, then a walk through the grammar's graph whose two ways out of each node are equally likely, then E.
    ``"embedded"`` (Fahlman 1991; Hochreiter & Schmidhuber 1997, experiment 1): B, then T or P, then a plain string,
    then the same T or P again, then E. The one before the last symbol depends on the second one, across a whole plain
    string. ``"continual"`` (Gers, Schmidhuber & Cummins 2000): embedded strings one after the other without any mark
    between them, cut off after ``length`` symbols: a network must learn by itself when to forget.

    Parameters
    ----------
    form
        One of the three.
    length
        Symbols of a continual stream, at least 10; the other forms end when their string does.
    """

    form: Form = "embedded"
    length: int = 200

    name: ClassVar[str] = "reber"
    title: ClassVar[str] = "Reber grammar"
    shows: ClassVar[str] = "A long dependency hidden among short ones; as a stream, why there is a forget gate."
    features: ClassVar[tuple[str, ...]] = SYMBOLS
    answers: ClassVar[tuple[str, ...]] = SYMBOLS

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise StudioError(f"task {self.name!r}: form is {self.form!r}.", f"Give one of {get_args(Form)}.")
        at_least(self.name, "length", self.length, 10)

    def string(self, rng: np.random.Generator) -> String:
        """Return one string without its last symbol, after which nothing is asked; or a stream."""
        if self.form == "plain":
            symbols, following = _plain(rng)
            return symbols[:-1], following[:-1]
        if self.form == "embedded":
            symbols, following = _embedded(rng)
            return symbols[:-1], following[:-1]
        stream: list[int] = []
        allowed: list[tuple[int, ...]] = []
        while len(stream) < self.length:
            symbols, following = _embedded(rng)
            stream.extend(symbols)
            allowed.extend(following)
        return stream[: self.length], allowed[: self.length]


def _plain(rng: np.random.Generator) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return a plain string with E, and what may follow each symbol; after E, B."""
    symbols: list[int] = []
    following: list[tuple[int, ...]] = []
    state = 0
    while state != _LAST:
        arcs = _ARCS[state]
        symbol, state = arcs[int(rng.integers(len(arcs)))]
        symbols.append(symbol)
        following.append((_B,) if state == _LAST else tuple(next_symbol for next_symbol, _ in _ARCS[state]))
    return symbols, following


def _embedded(rng: np.random.Generator) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return an embedded string with E, and what may follow each symbol; after E, B."""
    branch = (_T, _P)[int(rng.integers(2))]
    inner, following = _plain(rng)
    # After the inner E comes the branch again, and after that the outer E.
    symbols = [_B, branch, *inner, branch, _E]
    return symbols, [(_T, _P), (_B,), *following[:-1], (branch,), (_E,), (_B,)]
