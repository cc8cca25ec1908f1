"""Gradients through time of LSTMs in float32, for recordings, which may cost a training next to nothing.

The loop by hand (:meth:`Cell.gradients`) is in float64, because gradients that vanish leave the range of float32 long
before they stop being worth seeing. What takes its time is to read the recurrent weights at every step, and those of
float32 are half as long. So what flows back is divided by a power of two that follows it, which loses nothing, and
multiplied with it at the end: the range is that of float64, and the rounding that of the training itself, some 1e-7 of
the largest entry of a step. What is below 1e-30 of that entry may be zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from lstm_studio.networks.backward_workspace import MOST_STEPS, Workspace, borrowed_workspace
from lstm_studio.networks.cell import Gradients, Layer
from lstm_studio.networks.four_gates import BEFORE
from lstm_studio.networks.local_factors import local_factors
from lstm_studio.networks.signals import CELL_STATE, HIDDEN_STATE

Array = NDArray[Any]

_STEPS_PER_LOOK = 8
"""How often the scale is looked at: in so many steps nothing goes from near 1 beyond the range of float32."""
_FAR = 1e6
"""What is larger, or smaller than its inverse, is not near 1."""
_VANISHED = 1e-290
"""Gradients below count as zero, as in the loop in float64."""


def is_enough(module: nn.Module, layer: Layer[Array]) -> bool:
    """Return whether a layer, its weights as arrays, is one for :func:`gradients`."""
    return isinstance(module, nn.LSTM) and layer.projection is None and layer.recurrent.dtype == np.float32


def gradients(
    layer: Layer[Array], signals: Mapping[str, Array], upstream: Array, final: tuple[Array, ...]
) -> Gradients | None:
    """Back-propagate through time, as :meth:`Cell.gradients` does.

    Parameters
    ----------
    layer, signals, upstream, final
        As there, of a layer that :func:`is_enough`.

    Returns
    -------
    Gradients or None
        In float64; None where that is for the loop in float64: slopes are next to nothing, or gradients not finite.
    """
    with np.errstate(all="ignore"), borrowed_workspace(upstream.shape[1], np.float32) as space:
        return _through_time(layer, signals, upstream, final, space)


class _Scale:
    """The power of two by which all is divided, so that what flows back is near 1.

    Parameters
    ----------
    upstream
        (T, H) float64.
    start
        What the scale is to be near.
    """

    def __init__(self, upstream: Array, start: float) -> None:
        self._upstream = upstream
        self._set(start)

    def fitted(self, left: Array, size: float) -> Array | None:
        """Return what flows back by the scale as it is from now on; None where it is not finite.

        Parameters
        ----------
        left
            (5, H), by the scale as it was.
        size
            The largest upstream entry of the step that comes, as it is.
        """
        largest = max(float(left.max()), -float(left.min()))
        whole = max(largest * self.value, size)
        if not math.isfinite(largest) or not math.isfinite(whole):
            return None
        if whole < _VANISHED:
            return np.zeros_like(left)
        if self.low < whole < self.high:
            return left
        before = self.value
        self._set(whole)
        return (left * np.float64(before / self.value)).astype(np.float32)

    def _set(self, near: float) -> None:
        self.value = 2.0 ** math.frexp(near)[1] if 0 < near < math.inf else 1.0
        self.low, self.high = self.value / _FAR, self.value * _FAR
        self.upstream = (self._upstream * (1 / self.value)).astype(np.float32)


def _through_time(
    layer: Layer[Array], signals: Mapping[str, Array], upstream: Array, final: tuple[Array, ...], space: Workspace
) -> Gradients | None:
    steps, units = upstream.shape
    recurrent, multiply, add, copy = layer.recurrent.T.dot, np.multiply, np.add, np.copyto
    whole = upstream.copy()
    whole[-1] += final[0]
    sizes: list[float] = np.abs(whole).max(axis=1).tolist()
    scale = _Scale(whole, max(*sizes, float(np.abs(final[1]).max())))
    scales = [scale.value] * steps
    left = np.zeros((5, units), np.float32)
    left[0] = final[1] / scale.value
    carried, later = left[0], left[1:].reshape(-1)
    dc_t = np.empty(units, np.float32)
    found, entering = np.empty((6, steps, units)), np.empty((steps, layer.input.shape[1]))
    for stop in range(steps, 0, -MOST_STEPS):
        start = max(0, stop - MOST_STEPS)
        count = stop - start
        if not local_factors(signals, slice(start, stop), space.factors[:count]):
            return None
        going = zip(range(count - 1, -1, -1), space.rows[count - 1 :: -1], sizes[start:stop][::-1], strict=True)
        for place, (factors_t, exposure, states_t, cells, dh_t, onward_t, kept, da_t), size in going:
            if place % _STEPS_PER_LOOK == 0 or (size and not scale.low < size < scale.high):
                fitted = scale.fitted(left, size)
                if fitted is None:
                    return None
                carried, later = fitted[0], fitted[1:].reshape(-1)
            scales[start + place] = scale.value
            recurrent(later, dh_t)
            if size:
                add(dh_t, scale.upstream[start + place], dh_t)
            multiply(dh_t, exposure, dc_t)
            add(dc_t, carried, dc_t)
            copy(cells, dc_t)
            multiply(factors_t, states_t, onward_t)
            carried, left, later = kept, onward_t, da_t
        by = np.array(scales[start:stop])[:, None]
        multiply(space.states[:count, 4], by, found[0, start:stop])
        multiply(space.states[:count, 0], by, found[1, start:stop])
        multiply(space.onward[:count, 1:].transpose(1, 0, 2), by, found[2:, start:stop])
        multiply(space.blame[:count] @ layer.input, by, entering[start:stop])
    before = tuple(part.astype(np.float64) * scale.value for part in (recurrent(later), carried))
    if not all(np.isfinite(part).all() for part in (found[:2, 0], *before)):
        return None
    named = dict(zip((signal.name for signal in (HIDDEN_STATE, CELL_STATE, *BEFORE)), found, strict=True))
    return Gradients(named, entering, before)
