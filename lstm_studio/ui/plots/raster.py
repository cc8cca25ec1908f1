"""From values to pixels, with NumPy: heat maps as table indices, many lines as coverage.

Where several steps share a pixel nothing is averaged away: a heat map shows the value that lies farthest from the
unit's median, a line the whole range from smallest to largest. A spike of a single step stays visible. Where several
units share a pixel, the value farthest from the median of these units' medians is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.plots.scale import TimeScale, unit_edges
from lstm_studio.ui.theme import LEVELS, MISSING

_BLOCK = 65_536
"""Values converted at once: few enough to stay in the processor's cache."""
_FEW, _LONG = 32, 64
"""Numbers in a row, and rows in a block, below and above which NumPy's own way to reduce blocks is faster."""
_QUANTILES = (0.05, 0.25, 0.75, 0.95)


def to_index(values: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
    """Return table indices of ``values``: 0 at the low level, 254 at the high one, clipped; 255 for not-a-number.

    Parameters
    ----------
    values
        (T, U) float.
    levels
        (low, high).
    """
    low, high = levels
    factor = np.float32((LEVELS - 1) / (high - low))
    # The conversion to whole numbers cuts off: half a level more makes it round.
    offset = np.float32(0.5 - low * (LEVELS - 1) / (high - low))
    index = np.empty(values.shape, np.uint8)
    block = max(1, _BLOCK // max(1, values.shape[1]))
    for start in range(0, len(values), block):
        scaled = np.multiply(values[start : start + block], factor, dtype=np.float32, casting="same_kind")
        scaled += offset
        np.clip(scaled, 0, LEVELS - 1, out=scaled)
        missing = np.isnan(scaled)
        if missing.any():
            scaled[missing] = MISSING
        index[start : start + block] = scaled
    return index


def column_index(values: NDArray[Any], levels: tuple[float, float]) -> NDArray[np.uint8]:
    """Return what :func:`to_index` does for the (U,) values of one step, without what many values need."""
    low, high = levels
    factor = np.float32((LEVELS - 1) / (high - low))
    scaled = np.multiply(values, factor, dtype=np.float32, casting="same_kind")
    scaled += np.float32(0.5 - low * (LEVELS - 1) / (high - low))
    # Unlike clip, these two cost next to nothing for a few values; both keep what is not a number.
    np.maximum(scaled, np.float32(0), out=scaled)
    np.minimum(scaled, np.float32(LEVELS - 1), out=scaled)
    missing = np.isnan(scaled)
    if missing.any():
        scaled[missing] = MISSING
    return np.asarray(scaled, np.uint8)


def medians(index: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return (U,) the median index of each unit over about 500 evenly spaced steps: enough to say what is ordinary."""
    stride = max(1, len(index) // 500)
    return _middle(index[::stride].T.astype(np.int16, order="C"))


def heat_pixels(
    index: NDArray[np.uint8],
    reference: NDArray[np.int16],
    order: NDArray[np.intp] | None,
    scale: TimeScale,
    height: int,
) -> NDArray[np.uint8]:
    """Return the (height, scale.pixels) picture of a heat map as table indices, first unit of the order on top.

    Parameters
    ----------
    index
        (T, U) table indices.
    reference
        (U,) what counts as ordinary for each unit: where several values share a pixel, the farthest from it is shown.
    order
        (U,) the units from the top, or None for the order by index.
    scale
        The visible steps and their pixels.
    height
        Device pixels.
    """
    visible = index[scale.first : scale.first + scale.count]
    if order is not None:
        visible, reference = visible[:, order], reference[order]
    if scale.reduced:
        visible = _farthest(visible, scale.starts, reference)
    picture = np.ascontiguousarray(visible.T)
    units = len(picture)
    if units > height:
        starts = -(-np.arange(height, dtype=np.intp) * units // height)
        shared = _block_medians(reference, starts)
        picture = _farthest(picture, starts, shared[:, None])
    else:
        picture = np.repeat(picture, np.diff(unit_edges(units, height)), axis=0)
    if not scale.reduced:
        picture = np.repeat(picture, np.diff(scale.edges), axis=1)
    return np.ascontiguousarray(picture)


def _block_medians(values: NDArray[np.int16], starts: NDArray[np.intp]) -> NDArray[np.int16]:
    """Return the median of each block that begins at ``starts``; blocks of one size at once."""
    sizes = np.diff(starts, append=len(values))
    found = np.empty(len(starts), np.int16)
    for size in np.unique(sizes):
        same = sizes == size
        found[same] = _middle(values[starts[same, None] + np.arange(size)])
    return found


def _middle(rows: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return (U,) the median of each row, rounded down. To sort small numbers takes a tenth of ``np.median``'s time."""
    ordered, last = np.sort(rows, axis=1), rows.shape[1] - 1
    return (ordered[:, last // 2] + ordered[:, last - last // 2]) // 2


def _farthest(index: NDArray[np.uint8], starts: NDArray[np.intp], reference: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Return, for each block along axis 0, the value farthest from ``reference``; not-a-number wins."""
    high, low = _over_blocks(np.maximum, index, starts), _over_blocks(np.minimum, index, starts)
    # high − reference ≥ reference − low, without a copy of each in more bits.
    above = np.add(high, low, dtype=np.int16) >= 2 * reference
    if high.size and high.max() == MISSING:
        above |= high == MISSING
    return np.where(above, high, low)


def _over_blocks(reduce: np.ufunc, values: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    """Return what ``reduce.reduceat(values, starts, axis=0)`` does.

    All blocks go on together, row by row: except for long blocks of a few numbers that takes a tenth of the time.
    """
    ends = np.append(starts[1:], len(values))
    longest = int((ends - starts).max(initial=0))
    if values.ndim < 2 or (values.shape[1] < _FEW and longest > _LONG):
        found: NDArray[Any] = reduce.reduceat(values, starts, axis=0)
        return found
    found = values[starts]
    for place in range(1, longest):
        # A block that has ended takes its last row once more.
        reduce(found, values[np.minimum(starts + place, ends - 1)], out=found)
    return found


def quantile_bands(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return (5, T) over the units: 5 %, 25 %, mean, 75 % and 95 %, by linear interpolation.

    A step at which any unit is not a number has none: the band breaks there.
    """
    ordered = np.sort(np.asarray(values, np.float32), axis=1)
    last = ordered.shape[1] - 1
    bands = []
    for quantile in _QUANTILES:
        below = int(quantile * last)
        part = np.float32(quantile * last - below)
        bands.append(ordered[:, below] * (1 - part) + ordered[:, min(below + 1, last)] * part)
    mean = ordered.mean(axis=1, dtype=np.float64).astype(np.float32)
    stacked = np.stack([bands[0], bands[1], mean, bands[2], bands[3]])
    stacked[:, np.isnan(ordered[:, last])] = np.nan
    return stacked


def envelope(values: NDArray[Any], scale: TimeScale) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (pixels, …) smallest and largest visible value in each device pixel of a reduced scale."""
    visible = values[scale.first : scale.first + scale.count]
    return _over_blocks(np.fmin, visible, scale.starts), _over_blocks(np.fmax, visible, scale.starts)


def line_coverage(tops: NDArray[Any], bottoms: NDArray[Any], height: int) -> NDArray[np.float32]:
    """Return (height, W): how many of U vertical bars cover each pixel, counting parts of a pixel.

    Parameters
    ----------
    tops, bottoms
        (U, W) device pixels from the top, ``tops <= bottoms``; not-a-number draws nothing.
    height
        Device pixels.
    """
    units, width = tops.shape
    columns = np.broadcast_to(np.arange(width), (units, width))
    deposits = np.zeros((height + 2) * width, np.float64)
    drawn = np.isfinite(tops) & np.isfinite(bottoms)
    for ends, sign in ((tops, 1.0), (bottoms, -1.0)):
        at = np.clip(ends[drawn], 0, height).astype(np.float64)
        row = at.astype(np.intp)
        part = at - row
        cell = row * width + columns[drawn]
        deposits += np.bincount(cell, sign * (1 - part), deposits.size)
        deposits += np.bincount(cell + width, sign * part, deposits.size)
    covered = np.cumsum(deposits.reshape(height + 2, width), axis=0)[:height]
    return np.asarray(np.maximum(covered, 0), np.float32)


def bar_depth(tops: NDArray[Any], bottoms: NDArray[Any], height: int) -> tuple[int, NDArray[np.uint8]]:
    """Return what :func:`line_coverage` does for the (W,) bars of a single line, at the cost of the pixels they cover.

    Returns
    -------
    tuple
        The first row that is covered, and (rows, W) how much of each pixel from there on is: 0 … 255.
    """
    drawn = np.flatnonzero((bottoms > 0) & (tops < height) & (bottoms > tops))
    if not len(drawn):
        return 0, np.zeros((0, len(tops)), np.uint8)
    low, high = np.maximum(tops[drawn], 0), np.minimum(bottoms[drawn], height)
    first = low.astype(np.intp)
    counts = np.ceil(high).astype(np.intp) - first
    top, bottom = int(first.min()), int((first + counts).max())
    ends = np.cumsum(counts)
    rows = np.arange(ends[-1]) + np.repeat(first - (ends - counts), counts)
    depth = np.zeros((bottom - top, len(tops)), np.uint8)
    # Whole pixels but for the two ends of each bar.
    depth[rows - top, np.repeat(drawn, counts)] = 255
    last = first + counts - 1
    alone = counts == 1
    depth[first - top, drawn] = np.rint(255 * np.where(alone, high - low, first + 1 - low))
    depth[last[~alone] - top, drawn[~alone]] = np.rint(255 * (high - last))[~alone]
    return top, depth


def line_bars(values: NDArray[Any], scale: TimeScale) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (U, W) smallest and largest value that each unit's line takes within each device pixel column.

    Straight between the steps' centres, so that neighbouring columns always touch.
    """
    if scale.reduced:
        low, high = envelope(np.asarray(values, np.float32), scale)
        low, high = low.T.copy(), high.T.copy()
        low[:, 1:], high[:, 1:] = np.fmin(low[:, 1:], high[:, :-1]), np.fmax(high[:, 1:], low[:, :-1])
        return low, high
    visible = np.asarray(values[scale.first : scale.first + scale.count], np.float32).T
    centres = scale.centres
    edges = np.arange(scale.pixels + 1, dtype=np.float64)
    left = np.clip(np.searchsorted(centres, edges, side="right") - 1, 0, max(0, scale.count - 2))
    right = np.minimum(left + 1, scale.count - 1)
    span = np.maximum(centres[right] - centres[left], 1e-9)
    part = np.clip((edges - centres[left]) / span, 0, 1).astype(np.float32)
    at_edges = visible[:, left] * (1 - part) + visible[:, right] * part
    low = np.fmin(at_edges[:, :-1], at_edges[:, 1:])
    high = np.fmax(at_edges[:, :-1], at_edges[:, 1:])
    corners = np.minimum(centres.astype(np.intp), scale.pixels - 1)
    low[:, corners] = np.fmin(low[:, corners], visible)
    high[:, corners] = np.fmax(high[:, corners], visible)
    low[:, : corners[0]] = high[:, : corners[0]] = np.nan
    low[:, corners[-1] + 1 :] = high[:, corners[-1] + 1 :] = np.nan
    return low, high
