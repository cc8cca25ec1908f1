"""The one time axis below all rows."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsRectItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.note_mark import NOTE_REACH, PlacedNote, note_words, paint_note
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import StackState
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.times import Tick
from lstm_studio.ui.theme import Text

ABOVE_AXIS = 2.0
"""Pixels between the cursor and the axis, which would else be repainted with every move."""
_TICK = 4.0
_LABEL_GAP = 14.0
_TITLE_GAP = 22.0
_PREFERRED_GAP = 72.0


def nice_step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 … that is at least ``least``."""
    if least <= 1:
        return 1
    decade = 10 ** math.floor(math.log10(least))
    return next(int(step * decade) for step in (1, 2, 5, 10) if step * decade >= least * (1 - 1e-9))


class TimeAxis(QGraphicsItem):
    """Ticks under the columns: at round numbers, dates or times.

    Where steps are numbered, the first and the last visible one are always among the ticks.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.scale_of_time = TimeScale(0, 1, 1, 0, 1)
        self._state = StackState()
        self._rect = QRectF()
        self._ticks: list[Tick] = []
        self._title = ""
        self._notes: tuple[PlacedNote, ...] = ()
        self._curtain = QGraphicsRectItem(self)
        self._curtain.setPen(QPen(Qt.PenStyle.NoPen))

    def show_notes(self, notes: tuple[PlacedNote, ...]) -> None:
        """Mark the steps with notes."""
        if notes != self._notes:
            self._notes = notes
            self.update()

    def note_at(self, point: QPointF) -> str:
        """Return what the notes say whose mark is at a point in scene coordinates."""
        if not self._rect.contains(point) or not self._notes:
            return ""
        step, _ = min(self._notes, key=lambda note: abs(self.x_of(note[0]) - point.x()))
        return note_words(self._notes, step) if abs(self.x_of(step) - point.x()) <= NOTE_REACH else ""

    def place(self, scale: TimeScale, state: StackState, rect: QRectF, *, over: bool = False) -> None:
        """Give the axis its place and what it counts.

        Parameters
        ----------
        scale, state
            Where steps lie, and what they are called.
        rect
            In scene coordinates.
        over
            Whether rows go on below it. The cursor, that hides what is to come, ends above it, and so must they.
        """
        self.prepareGeometryChange()
        self._curtain.setRect(QRectF(rect.left(), rect.top() - ABOVE_AXIS, rect.width(), ABOVE_AXIS))
        self._curtain.setVisible(over)
        self._curtain.setBrush(QColor(self.look.theme.panel))
        self.scale_of_time, self._state, self._rect = scale, state, rect
        self._ticks = self._choose() if state.steps else []
        self._title = self._write_title()
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the strip below the rows."""
        return self._rect

    @property
    def title(self) -> str:
        """The axis label; says so where steps share a pixel, and which day it is where the ticks do not."""
        return self._title

    @property
    def ticks(self) -> list[Tick]:
        """What is labelled, from left to right."""
        return self._ticks

    def x_of(self, position: float) -> float:
        """Return the scene coordinate of a position in steps, on a device pixel."""
        scale = self.scale_of_time
        at = float(np.interp(position - scale.first, np.arange(scale.count), scale.centres))
        return scale.left + math.floor(at) / scale.ratio

    def _write_title(self) -> str:
        scale, times = self.scale_of_time, self._state.times
        parts = [self._state.time_title]
        if times is not None and (day := times.context(scale.first, scale.count)):
            parts = [f"{parts[0]} on {day}"]
        if scale.reduced:
            parts.append(f"{format_count(max(2, round(scale.count / scale.pixels)))} a pixel")
        return ", ".join(parts)

    def _choose(self) -> list[Tick]:
        scale, times = self.scale_of_time, self._state.times
        if times is not None:
            most = int(scale.width / _PREFERRED_GAP) + 1
            for ticks in times.choices(scale.first, scale.count, most):
                if len(ticks) * max(map(self._width, ticks)) <= scale.width:
                    clear = self._without_collisions(ticks)
                    if len(clear) >= 2:
                        return clear
        return self._by_step()

    def _by_step(self) -> list[Tick]:
        """Return the first and the last visible step, and round numbers of steps between them."""
        scale, state = self.scale_of_time, self._state
        first, last = scale.first, scale.first + scale.count - 1
        ends = [self._tick_of(first), self._tick_of(last)]
        stride = nice_step(max(_PREFERRED_GAP, *map(self._width, ends)) / scale.column)
        numbers = range(first + state.first_step_number, last + state.first_step_number + 1)
        middle = [self._tick_of(number - state.first_step_number) for number in numbers if number % stride == 0]
        middle = [tick for tick in middle if all(self._clear(tick, end) for end in ends)]
        return [ends[0], *middle, *(ends[1:] if last != first and self._clear(*ends) else [])]

    def _tick_of(self, step: int) -> Tick:
        state = self._state
        number = format_count(step + state.first_step_number)
        return Tick(float(step), number if state.times is None else state.times.text(step))

    def _without_collisions(self, ticks: list[Tick]) -> list[Tick]:
        """Leave out the ticks whose label would run into the one before."""
        kept = ticks[:1]
        for tick in ticks[1:]:
            if self._clear(kept[-1], tick):
                kept.append(tick)
        return kept

    def _width(self, tick: Tick) -> float:
        """Return how much room a label takes, with the gap to the next."""
        return self.look.metrics(Text.TICK).horizontalAdvance(tick.text) + _LABEL_GAP

    def _clear(self, one: Tick, other: Tick) -> bool:
        apart = abs(self.x_of(one.position) - self.x_of(other.position))
        return apart >= (self._width(one) + self._width(other)) / 2

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Draw ticks and label."""
        theme = self.look.theme
        painter.fillRect(self._rect, QColor(theme.panel))
        painter.setFont(self.look.font(Text.TICK))
        top = self._rect.top()
        text_height = painter.fontMetrics().height()
        title_right = self.scale_of_time.left - _TITLE_GAP
        for tick in self._ticks:
            middle = self.x_of(tick.position)
            painter.fillRect(QRectF(middle, top, 1, _TICK), QColor(theme.frame))
            width = painter.fontMetrics().horizontalAdvance(tick.text) + 2
            at = min(max(middle - width / 2, self._rect.left()), self._rect.right() - width)
            title_right = min(title_right, at - _LABEL_GAP / 2)
            painter.setPen(QColor(theme.ink2))
            painter.drawText(QRectF(at, top + _TICK + 1, width, text_height), Qt.AlignmentFlag.AlignHCenter, tick.text)
        first, last = self.scale_of_time.first, self.scale_of_time.first + self.scale_of_time.count - 1
        for step in {step for step, _ in self._notes}:
            if first <= step <= last:
                paint_note(painter, QPointF(self.x_of(step), top), theme, down=False)
        painter.setPen(QColor(theme.ink2))
        room = QRectF(self._rect.left(), top + _TICK + 1, title_right - self._rect.left(), text_height)
        painter.drawText(room, Qt.AlignmentFlag.AlignRight, self.title)
