"""The two shapes that every reader produces and everything else consumes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lstm_studio.arguments import each, instance, text, wrong
from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import ColumnInfo


class Encoding(StrEnum):
    """What the features of a sequence are."""

    NUMERIC = "numeric"
    """Each feature is a quantity of its own."""
    ONE_HOT = "one-hot"
    """Exactly one feature is 1 at each step; its name is the symbol."""


class Scaling(StrEnum):
    """How raw values become network inputs; statistics are taken over the whole set, per feature."""

    NONE = "none"
    STANDARD = "standard"
    """Subtract the mean, divide by the standard deviation."""
    MIN_MAX = "min-max"
    """Map the smallest value to 0 and the largest to 1."""


@dataclass(frozen=True, eq=False)
class Sequence:
    """One sequence of T steps with F features.

    Parameters
    ----------
    values
        (T, F) float32, read-only: what the network receives, after scaling and encoding. Time first.
    names
        F feature names; for one-hot encoding, the symbols.
    time
        (T,) float64 or datetime64[ns], or None where the file has no time; strictly for display.
    target
        None; or an int64 scalar array (class index into ``SequenceSet.classes``); or (T, K) float32 per-step targets;
        or (K,) float32, a target for the last step.
    name
        What the user calls it: a file name, a group id, a row number.
    raw
        (T, F) values before scaling; the same object as ``values`` where nothing was scaled.
    encoding
        Whether the features are quantities or a one-hot code.
    time_unit
        What ``time`` counts where it is numbers and the file says so, for example ``"s"``; else empty.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]
    time: NDArray[Any] | None = None
    target: NDArray[Any] | None = None
    name: str = ""
    raw: NDArray[Any] | None = None
    encoding: Encoding = Encoding.NUMERIC
    time_unit: str = ""

    def __post_init__(self) -> None:
        values = _numbers("values", self.values)
        names = tuple(each("names", self.names, SequenceError, "Give a name for each feature."))
        if values.ndim != 2 or values.shape[1] != len(names):
            raise SequenceError(
                f"values is of shape {values.shape}, and there are {len(names)} names.",
                "Give (steps, features), and a name for each feature.",
            )
        object.__setattr__(self, "values", _read_only(np.asarray(values, np.float32)))
        object.__setattr__(self, "names", names)
        raw = self.values if self.raw is None else _read_only(_numbers("raw", self.raw))
        if raw.shape != self.values.shape:
            raise SequenceError(f"raw is of shape {raw.shape}, values of {self.values.shape}.", "Give as many of both.")
        object.__setattr__(self, "raw", raw)
        if self.time is not None:
            time = _numbers("time", self.time, "iufM")
            if time.shape != (len(values),):
                raise SequenceError(
                    f"time is of shape {time.shape}.", f"Give one time for each of {len(values)} steps."
                )
            object.__setattr__(self, "time", _read_only(time))
        if self.target is not None:
            object.__setattr__(self, "target", _read_only(_numbers("target", self.target)))
        for name in ("name", "time_unit"):
            text(name, getattr(self, name), SequenceError)
        instance("encoding", self.encoding, Encoding, SequenceError, "Give one of Encoding.")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def steps(self) -> int:
        """T, the number of time steps."""
        return len(self.values)

    @property
    def features(self) -> int:
        """F, the number of features at each step."""
        return len(self.names)

    @cached_property
    def symbols(self) -> tuple[str, ...] | None:
        """The symbol at each of the T steps for one-hot sequences, else None."""
        if self.encoding is not Encoding.ONE_HOT:
            return None
        return tuple(self.names[index] for index in self.values.argmax(axis=1))

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the values and names."""
        digest = hashlib.sha256(np.ascontiguousarray(self.values).tobytes())
        digest.update(repr((self.values.shape, self.names)).encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class SequenceSet:
    """Sequences that share their features: what one file, or a folder of files, holds.

    Parameters
    ----------
    sequences
        At least one sequence; all have the same ``names``. Lengths may differ.
    source
        Where they came from: a path, or ``"sample: temporal order"``.
    title
        A short name for the window.
    classes
        Names of the classes that integer targets index; empty where there are none.
    facts
        Short label–value pairs on how the file was read, shown to the user, for example
        ``(("encoding", "one-hot, 8"), ("missing", "12 filled forward"))``.
    scaling
        The scaling that ``values`` carry.
    columns
        What was made of each column of a table; empty for other kinds of file.
    indicators
        Features that are 0 or 1 and stand for a symbol or a bit of one: never scaled, never missing.
    """

    sequences: tuple[Sequence, ...]
    source: str = ""
    title: str = ""
    classes: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = field(default=())
    scaling: Scaling = Scaling.NONE
    columns: tuple[ColumnInfo, ...] = ()
    indicators: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        sequences = tuple(each("sequences", self.sequences, SequenceError, "Give a list of sequences."))
        if not sequences:
            raise SequenceError("sequences is empty.", "Give at least one sequence.")
        for place, sequence in enumerate(sequences):
            instance(f"sequences[{place}]", sequence, Sequence, SequenceError, "Give an ls.Sequence.")
        object.__setattr__(self, "sequences", sequences)

    def __len__(self) -> int:
        return len(self.sequences)

    @overload
    def __getitem__(self, index: int) -> Sequence: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Sequence, ...]: ...
    def __getitem__(self, index: int | slice) -> Sequence | tuple[Sequence, ...]:
        return self.sequences[index]

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    @property
    def names(self) -> tuple[str, ...]:
        """The F feature names that all sequences share."""
        return self.sequences[0].names

    @cached_property
    def nbytes(self) -> int:
        """Bytes of all values, as they are and as they were read."""
        arrays = {id(array): array for sequence in self for array in (sequence.values, sequence.raw)}
        return sum(array.nbytes for array in arrays.values() if array is not None)


def _numbers(name: str, values: object, kinds: str = "biuf") -> NDArray[Any]:
    """Return values as an array, of one of some kinds of NumPy's."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise wrong(name, values, SequenceError, "Give an array of numbers.") from error
    if array.dtype.kind not in kinds:
        raise wrong(name, values, SequenceError, "Give an array of numbers.")
    return array


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of ``array`` that cannot be written through."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view
