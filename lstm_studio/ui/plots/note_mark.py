"""The mark of a note: a small triangle whose tip points at the step that it is pinned to."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from lstm_studio.ui.theme import Theme

NOTE_MARK = (9.0, 5.0)
"""Width and height."""
NOTE_REACH = 6.0
"""Pixels beside the tip at which the mouse still finds it."""

PlacedNote = tuple[int, str]
"""A step and what is written there."""


def paint_note(painter: QPainter, tip: QPointF, theme: Theme, *, down: bool) -> None:
    """Draw the mark with its tip at a point, from above it or from below."""
    width, height = NOTE_MARK
    base = tip.y() - height if down else tip.y() + height
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.ink))
    painter.drawPolygon(QPolygonF([tip, QPointF(tip.x() - width / 2, base), QPointF(tip.x() + width / 2, base)]))
    painter.restore()


def note_words(notes: tuple[PlacedNote, ...], nearest: int) -> str:
    """Return what is written at a step, all notes of it below each other."""
    return "\n".join(text for step, text in notes if step == nearest)
