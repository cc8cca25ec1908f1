"""The memory in which gradients go back through an LSTM, a block of steps at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

MOST_STEPS = 128
"""Steps of a block: those of 64 units stay in the second-level cache."""
_MOST_SPARE = 4
_LARGEST_SPARE = 1 << 23
"""Bytes of what is worth keeping: with more units, what new memory costs is little beside the products."""


class Workspace:
    """Memory for a block of steps, (block, ·, H) each, never initialised.

    Parameters
    ----------
    steps
        The most steps of a block.
    units
        H.
    dtype
        Of all arrays.
    """

    def __init__(self, steps: int, units: int, dtype: DTypeLike) -> None:
        self.factors: Array = np.empty((steps, 6, units), dtype)
        """The local factors: f; those of dL/dc in dL/da of i, f and g; that of dL/dm in dL/da of o, with m the exposed
        memory; and that of dL/dm in dL/dc."""
        self.states: Array
        """dL/dc_t four times, and dL/dm_t: a copy for each factor, because multiplying whole arrays costs NumPy less
        than spreading one over the others."""
        self.onward: Array
        """The products of both: f_t ⊙ dL/dc_t, which flows into the step before, and dL/da_t."""
        self.states, self.onward = np.empty((2, steps, 5, units), dtype)
        self.blame: Array = self.onward.reshape(steps, 5 * units)[:, units:]
        """dL/da_t with all gates in a row, (block, 4·H)."""
        factors, states, onward = self.factors, self.states, self.onward
        views = (factors[:, :5], factors[:, 5], states, states[:, :4], states[:, 4], onward, onward[:, 0], self.blame)
        self.rows: list[tuple[Array, ...]] = list(zip(*views, strict=True))
        """Of each step: the first five factors, the last; the states, dL/dc_t in them, dL/dm_t in them; all that goes
        onward, what flows into the step before, and dL/da_t."""

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays."""
        return self.factors.nbytes + self.states.nbytes + self.onward.nbytes


_SPARE: dict[tuple[int, np.dtype[Any]], Workspace] = {}


@contextmanager
def borrowed_workspace(units: int, dtype: DTypeLike) -> Iterator[Workspace]:
    """Lend memory for :data:`MOST_STEPS` steps inside, which nobody else has meanwhile.

    For whoever needs it again and again: to make the views of 100 steps takes as long as to go back through 20 of them.
    Once in a while new memory is better, which comes from the processor's caches, where what was used long ago is not.
    """
    key = units, np.dtype(dtype)
    # Taken away while it is in use: others may be at work in another thread.
    workspace = _SPARE.pop(key, None) or Workspace(MOST_STEPS, units, dtype)
    yield workspace
    if workspace.nbytes <= _LARGEST_SPARE:
        while len(_SPARE) >= _MOST_SPARE:
            _SPARE.pop(next(iter(_SPARE)), None)
        _SPARE[key] = workspace
