"""Labels in the margin at the right of curves, each near where its curves end, never on top of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from lstm_studio.ui.plots.legend import Entry, legend_needs, paint_entry
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.theme import GRID, Text


@dataclass(frozen=True, slots=True)
class EndLabel:
    """What curves of one name share: the name in ``colour``, an entry for each, and where they end, from the top."""

    name: str
    colour: str
    entries: tuple[Entry, ...]
    end: float


def lines_each(labels: Sequence[EndLabel], most: int) -> list[int]:
    """Return how many lines each label gets so that they take at most ``most`` together.

    All of them in full, a line for each entry below the name; else in two lines, the entries as words in one; else the
    name alone. Where not even the names fit, the last ones get none.
    """
    for lines in ([1 + len(label.entries) for label in labels], [2] * len(labels)):
        if sum(lines) <= most:
            return lines
    names = max(1, min(len(labels), most))
    return [1] * names + [0] * (len(labels) - names)


def spread(wanted: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Return tops near the wanted ones, in their order, without overlap and within 0 … ``room`` if they fit."""
    tops: list[float] = []
    below = 0.0
    for top, height in zip(wanted, heights, strict=True):
        tops.append(max(top, below))
        below = tops[-1] + height
    limit = room
    for index in range(len(tops) - 1, -1, -1):
        tops[index] = max(0.0, min(tops[index], limit - heights[index]))
        limit = tops[index]
    return tops


def _pitch(look: Look) -> float:
    return look.metrics(Text.TICK).height() + 1


def end_labels_need(look: Look, labels: Sequence[EndLabel]) -> float:
    """Return how wide a margin is in which no label is cut, in however many lines."""
    wide = look.metrics(Text.TICK).horizontalAdvance
    names = [look.metrics(Text.TICK_BOLD).horizontalAdvance(label.name) for label in labels]
    joined = [wide(_joined(label)) for label in labels]
    entries = [entry.text for label in labels for entry in label.entries]
    return max(GRID + max((*names, *joined), default=0.0), legend_needs(look, entries))


def _joined(label: EndLabel) -> str:
    return ", ".join(entry.text for entry in label.entries)


def paint_end_labels(painter: QPainter, look: Look, labels: Sequence[EndLabel], height: float) -> None:
    """Draw the labels into a margin; the origin is the plot's right edge, the margin ``look.side_width`` wide."""
    pitch = _pitch(look)
    ordered = sorted(labels, key=lambda label: label.end)
    lines = lines_each(ordered, int((height + 2) / pitch))
    tops = spread([label.end - pitch / 2 for label in ordered], [count * pitch for count in lines], height)
    for label, count, top in zip(ordered, lines, tops, strict=True):
        if count:
            _paint(painter, look, label, count, top)


def _paint(painter: QPainter, look: Look, label: EndLabel, lines: int, top: float) -> None:
    pitch = _pitch(look)
    painter.setFont(look.font(Text.TICK_BOLD))
    painter.setPen(QColor(label.colour))
    room = QRectF(GRID, top, look.side_width - GRID + 4, pitch)
    name = painter.fontMetrics().elidedText(label.name, Qt.TextElideMode.ElideRight, int(room.width()))
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)
    painter.setFont(look.font(Text.TICK))
    if lines == 1 + len(label.entries):
        for line, entry in enumerate(label.entries, 1):
            paint_entry(painter, look, entry, top + (line + 0.5) * pitch)
    elif lines == 2:
        painter.setPen(QColor(look.theme.ink2))
        painter.drawText(room.translated(0, pitch), Qt.AlignmentFlag.AlignVCenter, _joined(label))
