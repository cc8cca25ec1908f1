"""Small legends in the margin at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.theme import GRID, Text

SWATCH_WIDTH = 8
_SWATCH_GAP = 3


class Swatch(Enum):
    """What stands before the word."""

    LINE = "line"
    DASHED = "dashed line"
    DOTTED = "dotted line"
    SQUARES = "line with squares"
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend."""

    text: str
    swatch: Swatch
    colour: str
    opacity: float = 1.0


def legend_needs(look: Look, words: Sequence[str]) -> float:
    """Return how wide a margin is in which no word of a legend is cut."""
    return GRID + SWATCH_WIDTH + _SWATCH_GAP + max(map(look.metrics(Text.TICK).horizontalAdvance, words), default=0.0)


def paint_legend(painter: QPainter, look: Look, entries: Sequence[Entry], height: float) -> None:
    """Draw entries below each other from the top of a margin, as many as fit into ``height``.

    The origin is the plot's right edge; the margin is ``look.side_width`` wide.
    """
    painter.setFont(look.font(Text.TICK))
    pitch = min(
        painter.fontMetrics().height() + 1.0, max(painter.fontMetrics().ascent(), height / max(1, len(entries)))
    )
    shown = entries[: max(1, int((height + 4) / pitch))]
    for index, entry in enumerate(shown):
        paint_entry(painter, look, entry, (index + 0.5) * pitch)


def paint_entry(painter: QPainter, look: Look, entry: Entry, y: float) -> None:
    """Draw swatch and word with the middle at ``y``; the word is cut with an ellipsis where it does not fit."""
    colour = QColor(entry.colour)
    colour.setAlphaF(entry.opacity)
    if entry.swatch is Swatch.FILL:
        painter.fillRect(QRectF(GRID, y - 4, SWATCH_WIDTH, 8), colour)
    else:
        pen = QPen(colour, 2)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if entry.swatch is Swatch.DASHED:
            pen.setDashPattern([1.8, 1.2])
        elif entry.swatch is Swatch.DOTTED:
            pen.setDashPattern([0.8, 0.8])
        painter.setPen(pen)
        painter.drawLine(QPointF(GRID, y), QPointF(GRID + SWATCH_WIDTH, y))
        if entry.swatch is Swatch.SQUARES:
            painter.fillRect(QRectF(GRID + SWATCH_WIDTH / 2 - 2.5, y - 2.5, 5, 5), colour)
    left = GRID + SWATCH_WIDTH + _SWATCH_GAP
    room = look.side_width - left
    text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, int(room) + 2)
    painter.setPen(QColor(look.theme.ink2))
    painter.drawText(QRectF(left, y - 10, room + 4, 20), Qt.AlignmentFlag.AlignVCenter, text)
