"""Curves and bands in device pixels: stroked where steps are far apart, as coverage where they crowd.

A painter needs seconds for an antialiased stroke that goes up and down in every pixel column; adding up coverage takes
milliseconds for any number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPen, QPolygonF

from lstm_studio.ui.plots.raster import bar_depth, envelope, line_bars, line_coverage
from lstm_studio.ui.plots.scale import TimeScale

_STROKED_FROM = 4.0
"""Device pixels a step from which curves are stroked."""
_WIDE = 1.5
"""Device pixels from which on a line is as wide where it is steep."""
MOST_STROKED = 24
"""Points anywhere of which a curve may have so many to be stroked: each takes a painter as long as a column of bars."""
_DASH, _SPACE = 3.0, 2.0
"""In widths of the line."""
_DOT, _DOT_SPACE = 1.0, 1.5
"""Likewise."""


def paint_curve(
    painter: QPainter,
    ys: NDArray[np.float64],
    scale: TimeScale,
    height: int,
    *,
    colour: str,
    width: float,
    dashed: bool = False,
    dotted: bool = False,
) -> None:
    """Draw one curve over the visible steps, broken where a value is not finite.

    Parameters
    ----------
    painter
        In device pixels, the origin at the plot's top left.
    ys
        (T,) device pixels from the plot's top.
    scale
        The visible steps and their pixels.
    height
        Of the plot, device pixels.
    colour
        ``"#RRGGBB"``.
    width
        Device pixels.
    dashed, dotted
        Whether to leave gaps; dots are shorter than dashes.
    """
    dash, space = (_DOT, _DOT_SPACE) if dotted else (_DASH, _SPACE)
    if scale.pixels < _STROKED_FROM * scale.count:
        tops, bottoms = line_bars(ys[:, None], scale)
        dashes = (dash, space) if dashed or dotted else ()
        _paint_bars(painter, (tops[0], bottoms[0]), height, colour=colour, width=width, dashes=dashes)
        return
    points = [_points(scale.centres[run], y) for run, (y,) in _runs(scale, height, ys)]
    _stroke(painter, points, colour=colour, width=width, dashes=[dash, space] if dashed or dotted else [])


def paint_points(
    painter: QPainter,
    xs: NDArray[np.float64],
    ys: NDArray[np.float64],
    pixels: int,
    height: int,
    *,
    colour: str,
    width: float,
    dashes: Sequence[float] = (),
    whole: int = 0,
) -> None:
    """Draw one curve through points anywhere, broken where a value is not finite.

    Parameters
    ----------
    painter, height, colour, width
        As in `paint_curve`.
    xs
        (N,) device pixels from the plot's left, growing.
    ys
        (N,) device pixels from the plot's top.
    pixels
        Width of the plot, device pixels.
    dashes
        Lengths of dashes and gaps in widths of the line; none for a solid one.
    whole
        How many points the whole curve has, where these are a part of it.
    """
    if max(len(xs), whole) > MOST_STROKED and not is_vector(painter):
        bars = _bars_between(xs, ys, pixels) if width < _WIDE else _wide_bars(xs, ys, pixels, width)
        _paint_bars(painter, bars, height, colour=colour, width=width, dashes=dashes)
        return
    cut = np.clip(ys, 0, height) if is_vector(painter) else np.clip(ys, -4 * height, 5 * height)
    points = [_points(xs[run], cut[run]) for run in finite_runs(ys)]
    _stroke(painter, points, colour=colour, width=width, dashes=dashes)


def paint_filled(
    painter: QPainter,
    xs: NDArray[np.float64],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    pixels: int,
    height: int,
    *,
    colour: str,
    opacity: float,
) -> None:
    """Fill between two curves through points anywhere, broken where a value of either is not finite.

    Parameters
    ----------
    painter, xs, pixels, height, colour
        As in `paint_points`.
    edges
        Two of (N,) device pixels from the plot's top: the upper and the lower edge.
    opacity
        0 … 1.
    """
    tops, bottoms = edges
    if is_vector(painter):
        fill = QColor(colour)
        fill.setAlphaF(opacity)
        # Such a file knows no clipping.
        runs, (tops, bottoms) = finite_runs(tops, bottoms), (np.clip(ys, 0, height) for ys in edges)
        _paint_polygons(painter, [(xs[run], tops[run], bottoms[run]) for run in runs], fill)
        return
    known = np.isfinite(tops) & np.isfinite(bottoms)
    if not known.any():
        return
    first, _ = _bars_between(xs, np.where(known, tops, np.nan), pixels)
    _, last = _bars_between(xs, np.where(known, bottoms, np.nan), pixels)
    top, depth = bar_depth(first, last, height)
    paint_levels(painter, np.rint(opacity * depth).astype(np.uint8), colour, QPoint(0, top))


def finite_runs(*values: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Return the indices of each stretch in which all of these are finite."""
    finite = np.flatnonzero(np.all([np.isfinite(one) for one in values], axis=0))
    return [run for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1) if len(run)]


def _paint_bars(
    painter: QPainter,
    bars: tuple[NDArray[Any], NDArray[Any]],
    height: int,
    *,
    colour: str,
    width: float,
    dashes: Sequence[float],
) -> None:
    """Draw a bar in each column of pixels, half the width of a line beyond both of its ends."""
    tops, bottoms = bars[0] - width / 2, bars[1] + width / 2
    if dashes:
        along = np.arange(len(tops)) % (sum(dashes) * width)
        ends = np.cumsum(dashes) * width
        tops = np.where(np.searchsorted(ends, along, side="right") % 2, np.nan, tops)
    drawn = np.flatnonzero(np.isfinite(tops) & np.isfinite(bottoms))
    if len(drawn):
        begin, end = int(drawn[0]), int(drawn[-1]) + 1
        first, depth = bar_depth(tops[begin:end], bottoms[begin:end], height)
        paint_levels(painter, depth, colour, QPoint(begin, first))


def _bars_between(
    xs: NDArray[np.float64], ys: NDArray[np.float64], pixels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (pixels,) the smallest and largest value that a line through the points takes in each column."""
    edges = np.interp(np.arange(pixels + 1), xs, ys, left=np.nan, right=np.nan)
    low, high = np.fmin(edges[:-1], edges[1:]), np.fmax(edges[:-1], edges[1:])
    columns = np.clip(xs.astype(np.intp), 0, pixels - 1)
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    at = columns[starts]
    low[at] = np.fmin(low[at], np.fmin.reduceat(ys, starts))
    high[at] = np.fmax(high[at], np.fmax.reduceat(ys, starts))
    return low, high


def _wide_bars(
    xs: NDArray[np.float64], ys: NDArray[np.float64], pixels: int, width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return likewise what a wide line takes: where it is steep, of half a column on each side, too.

    As bars are drawn half the width beyond both ends, they end so much earlier where the line rises: so it is about as
    wide in every direction.
    """
    lows, highs = _bars_between(2 * xs, ys, 2 * pixels)
    low, high = np.fmin(lows[::2], lows[1::2]), np.fmax(highs[::2], highs[1::2])
    shorter = width / 2 - width / 2 / (1 + np.minimum(high - low, 1))
    # Beside the first and the last column is nothing.
    before, after = np.append(np.nan, lows[1:-1:2]), np.append(lows[2::2], np.nan)
    low = np.fmin(low, np.fmin(before, after)) + shorter
    before, after = np.append(np.nan, highs[1:-1:2]), np.append(highs[2::2], np.nan)
    high = np.fmax(high, np.fmax(before, after)) - shorter
    return low, high


def _stroke(
    painter: QPainter, runs: Sequence[list[QPointF]], *, colour: str, width: float, dashes: Sequence[float]
) -> None:
    """Draw lines through runs of points."""
    pen = QPen(QColor(colour), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if dashes:
        pen.setDashPattern(list(dashes))
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    for points in runs:
        if len(points) == 1:
            painter.drawPoint(points[0])
        else:
            painter.drawPolyline(QPolygonF(points))
    painter.restore()


def paint_band(
    painter: QPainter,
    tops: NDArray[np.float64],
    bottoms: NDArray[np.float64],
    scale: TimeScale,
    height: int,
    *,
    colour: str,
    opacity: float,
) -> None:
    """Fill between two curves; where steps share a pixel, over their whole range.

    Parameters
    ----------
    painter, scale, height, colour
        As in `paint_curve`.
    tops, bottoms
        (T,) device pixels from the plot's top, ``tops <= bottoms``.
    opacity
        0 … 1.
    """
    if scale.reduced:
        covered = line_coverage(envelope(tops, scale)[0][None], envelope(bottoms, scale)[1][None], height)
        paint_depth(painter, covered * opacity, colour)
        return
    fill = QColor(colour)
    fill.setAlphaF(opacity)
    runs = _runs(scale, height, tops, bottoms)
    _paint_polygons(painter, [(scale.centres[run], top, bottom) for run, (top, bottom) in runs], fill)


def is_vector(painter: QPainter) -> bool:
    """Whether a file gets lines and areas as such, and not pixels."""
    return painter.paintEngine().type() is QPaintEngine.Type.SVG


def _paint_polygons(
    painter: QPainter,
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
    fill: QColor,
) -> None:
    """Fill, for each of (x, top, bottom), what lies between the two."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    for x, top, bottom in parts:
        painter.drawPolygon(QPolygonF([*_points(x, top), *_points(x[::-1], bottom[::-1])]))
    painter.restore()


def paint_depth(painter: QPainter, depth: NDArray[Any], colour: str) -> None:
    """Draw ``depth``, (height, width) in 0 … 1, as the opacity of one colour."""
    paint_levels(painter, np.rint(255 * np.clip(depth, 0, 1)).astype(np.uint8), colour, QPoint())


def paint_levels(painter: QPainter, levels: NDArray[np.uint8], colour: str, at: QPoint) -> None:
    """Draw ``levels``, (height, width) in 0 … 255, as the opacity of one colour, from a pixel on."""
    if not levels.size:
        return
    height, width = levels.shape
    image = QImage(np.ascontiguousarray(levels).tobytes(), width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(_opacities(QColor(colour).rgb() & 0xFFFFFF))
    painter.drawImage(at, image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))


@cache
def _opacities(rgb: int) -> list[int]:
    """Return a colour at every opacity, 0xAARRGGBB."""
    return [alpha << 24 | rgb for alpha in range(256)]


def _runs(
    scale: TimeScale, height: int, *ys: NDArray[np.float64]
) -> list[tuple[NDArray[np.intp], list[NDArray[np.float64]]]]:
    """Return, for each stretch of finite visible values, (indices, the parts of ``ys``).

    Values far outside the plot are cut, as large coordinates cost the rasteriser time.
    """
    visible = [np.clip(y[scale.first : scale.first + scale.count], -4 * height, 5 * height) for y in ys]
    return [(run, [y[run] for y in visible]) for run in finite_runs(*visible)]


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[QPointF]:
    return [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
