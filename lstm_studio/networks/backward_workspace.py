"""The memory in which gradients go back through an LSTM, a block of steps at a time.

What is new costs: to make the views of 100 steps takes as long as to go back through 20 of them, and memory that the
system hands out page by page as long again. So it is used again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

_BLOCK = 1 << 13
"""Steps times units of a block: they stay in the second-level cache."""
_FEWEST_STEPS, _MOST_STEPS = 128, 256
_MOST_SPARE = 4
_LARGEST_SPARE = 1 << 23
"""Bytes of what is worth keeping: with more units, what new memory costs is little beside the products."""


class Workspace:
    """Memory for a block of up to :attr:`steps` steps, (block, ·, H) each, never initialised.

    Parameters
    ----------
    units
        H.
    dtype
        Of all arrays.
    """

    def __init__(self, units: int, dtype: DTypeLike) -> None:
        self.steps = min(_MOST_STEPS, max(_FEWEST_STEPS, _BLOCK // units))
        """The most steps of a block."""
        self.factors: Array = np.empty((self.steps, 6, units), dtype)
        """The local factors: f; those of dL/dc in dL/da of i, f and g; that of dL/dm in dL/da of o, with m the exposed
        memory; and that of dL/dm in dL/dc."""
        self.states: Array
        """dL/dc_t four times, and dL/dm_t: a copy for each factor, because multiplying whole arrays costs NumPy less
        than spreading one over the others."""
        self.onward: Array
        """The products of both: f_t ⊙ dL/dc_t, which flows into the step before, and dL/da_t."""
        self.states, self.onward = np.empty((2, self.steps, 5, units), dtype)
        self.blame: Array = self.onward.reshape(self.steps, 5 * units)[:, units:]
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
    """Lend memory for so many units inside, which nobody else has meanwhile."""
    key = units, np.dtype(dtype)
    # Taken away while it is in use: others may be at work in another thread.
    workspace = _SPARE.pop(key, None) or Workspace(units, dtype)
    yield workspace
    if workspace.nbytes <= _LARGEST_SPARE:
        while len(_SPARE) >= _MOST_SPARE:
            _SPARE.pop(next(iter(_SPARE)), None)
        _SPARE[key] = workspace
