"""A sequence in a few pixels: its events on a strip, its text, its values as lines, or a heat map of many features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.ui.theme import LEVELS, Theme
from lstm_studio.ui.widgets.symbols import written

_EVENT = (5.0, 12.0)
_MOST_LINES = 8
_LOOKED_AT = 200
_LETTERS = 80


def paint_sequence(
    painter: QPainter, rect: QRectF, sequences: SequenceSet, index: int, *, extent: tuple[float, float], theme: Theme
) -> None:
    """Draw one sequence of a set in the way that suits what it holds; texts with the painter's font.

    Parameters
    ----------
    index
        Which of them, from 0.
    extent
        What :func:`value_extent` says of the set.
    """
    sequence, emphasis = sequences[index], emphasised_symbols(sequences)
    if sequence.symbols is None:
        _paint_values(painter, rect, sequence, extent, theme)
    elif emphasis:
        _paint_events(painter, rect, sequence.symbols, emphasis, theme)
    else:
        _paint_text(painter, rect, sequence.symbols, theme)


def value_extent(sequences: SequenceSet) -> tuple[float, float]:
    """Return the range in which the first sequences are drawn, so that their pictures can be compared.

    Of few features all values fit; of many, the outer hundredths are left out, as one outlier would make all grey.
    """
    known = [sequence.values[np.isfinite(sequence.values)] for sequence in sequences[:_LOOKED_AT]]
    known = [values for values in known if values.size]
    if not known:
        return 0.0, 1.0
    if len(sequences.names) > _MOST_LINES:
        low, high = np.quantile(np.concatenate(known), (0.01, 0.99))
        return float(low), float(high)
    return float(min(values.min() for values in known)), float(max(values.max() for values in known))


def _paint_events(
    painter: QPainter, rect: QRectF, symbols: tuple[str, ...], emphasis: tuple[str, ...], theme: Theme
) -> None:
    """Draw the symbols that stand out: the first one filled, the second outlined, the third half, others a line."""
    middle = rect.center().y()
    painter.fillRect(QRectF(rect.left(), middle - 4, rect.width(), 8), QColor(theme.line))
    width, height = _EVENT
    ink, paper = QColor(theme.ink), QColor(theme.panel)
    for step, symbol in enumerate(symbols):
        if symbol not in emphasis:
            continue
        x = rect.left() + (step + 0.5) / len(symbols) * rect.width()
        left = round(min(max(x - width / 2, rect.left()), rect.right() - width))
        box = QRectF(left, round(middle - height / 2), width, height)
        match emphasis.index(symbol):
            case 0:
                painter.fillRect(box, ink)
            case 1:
                painter.fillRect(box, ink)
                painter.fillRect(box.adjusted(1, 1, -1, -1), paper)
            case 2:
                painter.fillRect(box.adjusted(0, height / 2, 0, 0), ink)
            case _:
                painter.fillRect(box.adjusted(2, 0, -2, 0), ink)


def _paint_text(painter: QPainter, rect: QRectF, symbols: tuple[str, ...], theme: Theme) -> None:
    """Write the beginning, with the painter's font."""
    between = "" if all(len(symbol) == 1 for symbol in symbols[:_LETTERS]) else " "
    text = between.join(written(symbol) if symbol != " " else symbol for symbol in symbols[:_LETTERS])
    painter.setPen(QColor(theme.ink2))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), shown)


def _paint_values(
    painter: QPainter, rect: QRectF, sequence: Sequence, extent: tuple[float, float], theme: Theme
) -> None:
    """Draw a few features as lines; more as a small heat map, one row for each feature."""
    low, high = extent
    span = high - low or 1.0
    if sequence.features > _MOST_LINES:
        picked = sequence.values[_sampled(sequence.steps, int(rect.width()))].T
        painter.drawImage(rect, _heat_image(np.nan_to_num(np.clip((picked - low) / span, 0, 1)), theme))
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colours = (theme.ink, theme.ink3, theme.control)
    for feature in reversed(range(sequence.features)):
        steps, values = _envelope(sequence.values[:, feature], int(rect.width()))
        known = np.isfinite(values)
        x = rect.left() + (steps[known] + 0.5) / max(1, sequence.steps) * rect.width()
        y = rect.bottom() - np.clip((values[known] - low) / span, 0, 1) * rect.height()
        painter.setPen(QPen(QColor(colours[min(feature, len(colours) - 1)]), 1))
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]))


def _sampled(steps: int, width: int) -> NDArray[np.intp]:
    count = max(1, min(steps, width))
    return np.arange(count, dtype=np.intp) * steps // count


def _envelope(values: NDArray[Any], width: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return steps and values to draw: all of them, or the extremes of each pixel, so that no spike is lost."""
    if len(values) <= 2 * width:
        return np.arange(len(values), dtype=np.intp), values
    chunk = -(-len(values) // width)
    starts = np.arange(0, len(values), chunk, dtype=np.intp)
    extremes = np.stack([np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)], axis=1)
    return np.repeat(starts, 2), extremes.ravel()


def _heat_image(shares: NDArray[Any], theme: Theme) -> QImage:
    """Return an image of shares 0…1 in the sequential map, the first feature on top."""
    indices = np.ascontiguousarray(np.rint(shares * (LEVELS - 1)).astype(np.uint8))
    height, width = indices.shape
    image = QImage(indices.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable([QColor(*colour).rgb() for colour in theme.gate_table.tolist()])
    # The buffer is NumPy's and dies with this call.
    return image.convertToFormat(QImage.Format.Format_RGB32, Qt.ImageConversionFlag.AutoColor)
