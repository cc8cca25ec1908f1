"""Arrays by name, of which some are computed when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Deferred:
    """An array that is not computed yet.

    Parameters
    ----------
    shape, dtype
        What it is going to be.
    compute
        Returns it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    compute: Callable[[], Array]

    @property
    def nbytes(self) -> int:
        """The bytes that it is going to take."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def backwards(self) -> Deferred:
        """Return the same with its steps in the other order."""
        return Deferred(self.shape, self.dtype, lambda: self.compute()[::-1])


def computed(part: Array | Deferred) -> Array:
    """Return the array itself, or what computes it gives."""
    return part.compute() if isinstance(part, Deferred) else part


def first_steps(count: int, part: Array | Deferred) -> Array | Deferred:
    """Return the first steps of an array, deferred where it is."""
    if not isinstance(part, Deferred):
        return part[:count]
    return Deferred((count, *part.shape[1:]), part.dtype, lambda: part.compute()[:count])


def one_after_the_other(parts: Sequence[Array | Deferred]) -> Array | Deferred:
    """Return steps that follow each other as one array, deferred if one of the parts is; a copy only where needed."""
    parts = [part for part in parts if part.shape[0]] or parts[:1]
    if len(parts) == 1:
        return parts[0] if isinstance(parts[0], Deferred) else np.ascontiguousarray(parts[0])
    if not any(isinstance(part, Deferred) for part in parts):
        return np.concatenate([computed(part) for part in parts])
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    return Deferred(shape, parts[0].dtype, lambda: np.concatenate([computed(part) for part in parts]))


class Once:
    """Arrays that are computed together when the first of them is asked for; what that took is let go of then.

    Parameters
    ----------
    compute
        Returns them, one above the other; called once, whichever thread asks first.
    """

    def __init__(self, compute: Callable[[], Array]) -> None:
        self._compute: Callable[[], Array] | None = compute
        self._found: Array = np.empty(0)
        self._lock = Lock()

    def part(self, place: int) -> Array:
        """Return one of them."""
        with self._lock:
            if self._compute is not None:
                self._found, self._compute = self._compute(), None
            return np.asarray(self._found[place])


class Arrays(Mapping[str, Array]):
    """Read-only arrays by name; those that are deferred are computed when they are first looked up.

    Parameters
    ----------
    arrays
        Name → array, or what computes it.
    """

    __slots__ = ("_arrays",)

    def __init__(self, arrays: Mapping[str, Array | Deferred]) -> None:
        self._arrays = {
            name: array if isinstance(array, Deferred) else _frozen(array) for name, array in parts_of(arrays).items()
        }

    def __getitem__(self, name: str) -> Array:
        array = self._arrays[name]
        if isinstance(array, Deferred):
            array = self._arrays[name] = _frozen(array.compute())
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    @property
    def parts(self) -> Mapping[str, Array | Deferred]:
        """The arrays, those not computed yet as what computes them."""
        return self._arrays


def parts_of(arrays: Mapping[str, Array | Deferred]) -> Mapping[str, Array | Deferred]:
    """Return a mapping as it is, without computing anything."""
    return arrays.parts if isinstance(arrays, Arrays) else arrays


def _frozen(array: Array) -> Array:
    if not array.flags.writeable:
        # The same object, by which others know that nothing has changed.
        return array
    view = array.view()
    view.flags.writeable = False
    return view
