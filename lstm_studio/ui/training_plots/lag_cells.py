"""From gradients by lag over the steps of a training to pixels, with NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.scale import unit_edges
from lstm_studio.ui.theme import LEVELS, MISSING, Theme
from lstm_studio.ui.training_plots.pictures import LagPicture
from lstm_studio.ui.training_plots.span import Span

_HATCH = 6
_MOST_SAMPLED = 600
_ABSENT = 256
"""Index of what a record does not reach back to, behind those of the colour table."""


def shared_axis(maps: list[NDArray[np.float64]]) -> LogAxis:
    """Return the decades that hold what heat maps show; of long trainings, of records evenly spaced in them.

    Parameters
    ----------
    maps
        (N, L) norms each.
    """
    sampled = []
    for norms in maps:
        stride = max(1, len(norms) // _MOST_SAMPLED)
        sampled += [norms[::stride], norms[-1:]]
    return log_axis(sampled)


def lag_pixels(
    picture: LagPicture, axis: LogAxis, span: Span, size: tuple[int, int], theme: Theme, *, since: int = 0
) -> tuple[int, NDArray[np.uint32]]:
    """Return the first column of pixels that shows anything, and (height, columns) colours from there on.

    Colours are 0xFFRRGGBB; no more is looked at than there are pixels.

    Parameters
    ----------
    picture
        With at least one record and one lag.
    axis
        Range of the colours.
    span
        The positions that are drawn.
    size
        Width and height in device pixels.
    theme
        Whose colours.
    since
        Column of pixels from which on they are wanted.
    """
    width, height = size
    records = record_of_pixel(picture, span, width, since)
    known = np.flatnonzero(records >= 0)
    if not len(known):
        return 0, np.zeros((height, 0), np.uint32)
    begin, end = int(known[0]), int(known[-1]) + 1
    # Pixels that show one record lie side by side.
    starts = np.concatenate(([begin], begin + 1 + np.flatnonzero(np.diff(records[begin:end]))))
    widths = np.diff(starts, append=end)
    index, nothing = cell_index(picture.norms[records[starts]], axis, height)
    table = np.concatenate([_as_numbers(theme.gate_table), [_number_of(theme.sunken)]])
    heights = np.diff(unit_edges(len(index), height))
    inside = np.repeat(np.repeat(table[index], widths, axis=1), heights, axis=0)
    if nothing.any():
        zero = np.repeat(np.repeat(nothing, widths, axis=1), heights, axis=0)
        rows, columns = np.indices((height, end - begin), sparse=True)
        inside[zero] = _number_of(theme.panel)
        inside[zero & ((rows + columns + since + begin) % _HATCH == 0)] = _number_of(theme.ink3)
    return since + begin, np.ascontiguousarray(inside, np.uint32)


def record_of_pixel(picture: LagPicture, span: Span, width: int, since: int = 0) -> NDArray[np.intp]:
    """Return (width − since,) which record each column of pixels from ``since`` on shows: the nearest; −1 for none."""
    x, length = picture.x, span.last - span.first
    centres = span.first + (np.arange(since, width) + 0.5) * (length / width)
    right = np.clip(np.searchsorted(x, centres), 1, max(1, len(x) - 1))
    records = right - (centres - x[right - 1] <= x[np.minimum(right, len(x) - 1)] - centres)
    records = np.clip(records, 0, len(x) - 1)
    known = picture.reach(0)[0], picture.reach(len(x) - 1)[1]
    records[(centres < known[0]) | (centres > known[1])] = -1
    # Of records that share a column, the last one; and one that is the nearest of no column must not vanish.
    first = span.first + since * (length / width)
    begin, end = int(np.searchsorted(x, first)), int(np.searchsorted(x, span.last))
    columns = np.maximum(((x[begin:end] - span.first) / length * width).astype(np.intp) - since, 0)
    fresh = records[columns] < np.arange(begin, end)
    records[columns[fresh]] = np.arange(begin, end)[fresh]
    return np.asarray(records, np.intp)


def cell_index(norms: NDArray[np.float64], axis: LogAxis, height: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return table indices of records as (lags, N), at most ``height`` lags, and where the norm is exactly 0.

    Where several lags share a row of pixels, the largest is shown.
    """
    lags = norms.shape[1]
    values = norms.T
    if lags > height:
        values = np.fmax.reduceat(values, first_lags(lags, height), axis=0)
    logs = np.full(values.shape, float(axis.low))
    np.log10(values, out=logs, where=np.isfinite(values) & (values > 0))
    fraction = (np.clip(logs, axis.low, axis.high) - axis.low) / (axis.high - axis.low)
    index = np.rint(fraction * (LEVELS - 1)).astype(np.intp)
    index[np.isinf(values)] = MISSING
    index[np.isnan(values)] = _ABSENT
    return index, values == 0


def first_lags(lags: int, height: int) -> NDArray[np.intp]:
    """Return (height,) the first of the lags that share each row of pixels; there are more lags than rows."""
    return -(-np.arange(height, dtype=np.intp) * lags // height)


def lag_of_pixel(lags: int, height: int, row: int) -> int:
    """Return the lag that a row of pixels shows, the first one of several."""
    if lags > height:
        return int(first_lags(lags, height)[row])
    return int(np.searchsorted(unit_edges(lags, height), row, side="right")) - 1


def _as_numbers(table: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (N, 4) colours, red first, as 0xFFRRGGBB."""
    red, green, blue = table[:, :3].T.astype(np.uint32)
    return np.asarray(np.uint32(0xFF000000) | red << 16 | green << 8 | blue, np.uint32)


def _number_of(colour: str) -> np.uint32:
    return np.uint32(0xFF000000 | int(colour[1:], 16))
