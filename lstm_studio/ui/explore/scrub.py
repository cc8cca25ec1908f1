"""The scrub bar: all steps of the sequence on one line, its ends under the edges of the plots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractSlider, QToolTip

from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.note_mark import NOTE_REACH, PlacedNote, note_words, paint_note
from lstm_studio.ui.theme import GRID, Text, Theme
from lstm_studio.ui.widgets.text import text_font, written_tip
from lstm_studio.ui.widgets.track_bar import HANDLE, MARK, TRACK, TrackBar

OVERHANG = 20
"""Pixels beyond each end of the track, for the handle and the labels."""
_COVERED = OVERHANG - GRID
"""Pixels at each end that what stands beside the bar may lie over; the handle comes no farther."""
_HIT = 2
_STRETCH = 3
_LABEL_GAP = 56
_LABELS_APART = 100
"""Pixels: the axis above names steps, too, and the bar never more of them."""
_MOST_MARKS = 400
_HEIGHT = 56


@dataclass(frozen=True, slots=True)
class Mark:
    """A step that stands out, and the letter that says why."""

    step: int
    text: str


class ScrubBar(TrackBar):
    """A slider over the steps; each has the same width, and the handle stands at its middle."""

    _drawn_step = 0

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Time step", OVERHANG)
        self._marks: tuple[Mark, ...] = ()
        self._stretch: tuple[int, int] | None = None
        self._hits: NDArray[np.int64] = np.zeros((0, 2), np.int64)
        self._notes: tuple[PlacedNote, ...] = ()

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return self.maximum()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The steps that stand out."""
        return self._marks

    def show_steps(self, steps: int, step: int, marks: tuple[Mark, ...]) -> None:
        """Show another sequence."""
        self.show_index(steps, step)
        self._marks = marks
        self.update()

    @property
    def stretch(self) -> tuple[int, int] | None:
        """First step of the marked stretch and the one after its last."""
        return self._stretch

    def show_stretch(self, stretch: tuple[int, int] | None) -> None:
        """Mark a stretch, from its first step to the one after its last, or none."""
        if stretch != self._stretch:
            self._stretch = stretch
            self.update()

    @property
    def hits(self) -> tuple[tuple[int, int], ...]:
        """Stretches of steps at which playing stops: the first step and the one after the last."""
        return tuple((int(start), int(stop)) for start, stop in self._hits)

    def show_hits(self, steps: NDArray[np.int64]) -> None:
        """Mark the steps at which playing stops."""
        ends = np.diff(steps) > 1
        starts = steps[np.concatenate(([True], ends))] if len(steps) else steps
        stops = steps[np.concatenate((ends, [True]))] + 1 if len(steps) else steps
        runs = np.stack((starts, stops), axis=1)
        if not np.array_equal(runs, self._hits):
            self._hits = runs
            self.update()

    @property
    def notes(self) -> tuple[PlacedNote, ...]:
        """Steps with notes, and what these say."""
        return self._notes

    def show_notes(self, notes: tuple[PlacedNote, ...]) -> None:
        """Mark the steps with notes."""
        if notes != self._notes:
            self._notes = notes
            self.setAccessibleDescription("; ".join(f"note on step {step + 1}: {text}" for step, text in notes))
            self.update()

    def event(self, event: QEvent) -> bool:
        """Show a note while the mouse rests on its mark."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and self._notes:
            x = event.pos().x()
            step, _ = min(self._notes, key=lambda note: abs(self.x_of(note[0]) - x))
            if abs(self.x_of(step) - x) <= NOTE_REACH:
                QToolTip.showText(event.globalPos(), written_tip(note_words(self._notes, step)), self)
                return True
        return super().event(event)

    def show_step(self, step: int) -> None:
        """Move the handle without telling."""
        self.show_index(self.steps, step)

    def x_of(self, step: float) -> float:
        """Return where the middle of a step is."""
        return OVERHANG + (step + 0.5) * self.track_width / self.steps

    def index_at(self, x: float) -> int:
        """Return the step under a position, the nearest one beyond the ends."""
        step = int((x - OVERHANG) * self.steps // self.track_width)
        return max(0, min(step, self.steps - 1))

    def sizeHint(self) -> QSize:
        """Return a comfortable length, and the height that marks and labels need."""
        letters = QFontMetricsF(text_font(self, Text.TICK_BOLD)).height()
        beside = max(HANDLE[1] / 2 - 2, MARK + 2) + TRACK / 2
        return QSize(400, max(_HEIGHT, math.ceil(2 * (beside + letters))))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which steps cannot be hit."""
        return QSize(120, 44)

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        """Draw what changed: of a handle that moves, where it was, where it is, and the track between."""
        if change is not QAbstractSlider.SliderChange.SliderValueChange:
            super().sliderChange(change)
            self.update()
            return
        left, right = sorted((self.x_of(self._drawn_step), self.x_of(self.index)))
        self._drawn_step = self.index
        reach = HANDLE[0] // 2 + 4
        self.update(QRect(int(left) - reach, 0, int(right - left) + 2 * reach + 2, self.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw marks, track, labels and handle from the top down."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track, handle = self.track, self.x_of(self.index)
        self.paint_track(painter, track.right(), self._theme.line)
        self.paint_track(painter, handle, self._theme.ink2)
        if self._stretch is not None:
            left, right = self.x_of(self._stretch[0] - 0.5), self.x_of(self._stretch[1] - 0.5)
            painter.setBrush(QColor(self._theme.focus))
            painter.drawRect(QRectF(left, track.bottom() + 2, max(2.0, right - left), _STRETCH))
        self._paint_hits(painter, track.bottom() + 2)
        self._paint_marks(painter, track.top() - 2)
        for step in {step for step, _ in self._notes}:
            paint_note(painter, QPointF(self.x_of(step), track.top() - 1), self._theme, down=True)
        self._paint_labels(painter, track.bottom() + HANDLE[1] / 2 - 2, event.rect())
        self.paint_handle(painter, handle)

    def _paint_hits(self, painter: QPainter, top: float) -> None:
        if not len(self._hits):
            return
        width = self.track_width / self.steps
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.ink))
        # A tick of its own for each step as long as steps can be told apart.
        if width >= 2 * _HIT:
            for start, stop in self.hits:
                for step in range(start, stop):
                    painter.drawRect(QRectF(self.x_of(step) - _HIT / 2, top, _HIT, MARK))
            return
        # Else whole stretches; of those that share a pixel one is enough.
        changes = np.zeros(int(self.track_width) + _HIT + 2, np.int64)
        pixels = (self._hits * width).astype(np.int64)
        np.add.at(changes, pixels[:, 0], 1)
        np.add.at(changes, np.maximum(pixels[:, 1], pixels[:, 0] + _HIT), -1)
        covered = np.cumsum(changes) > 0
        edges = np.flatnonzero(np.diff(covered, prepend=False, append=False))
        for left, right in edges.reshape(-1, 2):
            painter.drawRect(QRectF(OVERHANG + float(left), top, float(right - left), MARK))

    def _paint_marks(self, painter: QPainter, bottom: float) -> None:
        metrics = self.use_font(painter, Text.TICK_BOLD)
        free_from = -1.0
        painter.setPen(QPen(QColor(self._theme.ink), 1.5))
        for mark in self._marks[:_MOST_MARKS]:
            x = self.x_of(mark.step)
            painter.drawLine(round(x), round(bottom - MARK), round(x), round(bottom))
            width = metrics.horizontalAdvance(mark.text)
            if x - width / 2 >= free_from:
                top = bottom - MARK - metrics.height()
                place = QRectF(x - width, top, 2 * width, metrics.height())
                painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), mark.text)
                free_from = x + width / 2 + 3

    def _paint_labels(self, painter: QPainter, top: float, exposed: QRect) -> None:
        metrics = self.use_font(painter, Text.TICK)
        painter.setPen(QColor(self._theme.ink3))
        widest = metrics.horizontalAdvance(format_count(self.steps))
        for step, text in self.labels():
            x = self.x_of(step)
            if not exposed.left() - 2 * widest <= x <= exposed.right() + 2 * widest:
                continue
            width = metrics.horizontalAdvance(text) + 2.0
            # Beside the ends of the track there is little room: what stands next to the bar lies over its ends.
            left = min(max(x - width / 2, _COVERED), self.width() - _COVERED - width)
            painter.drawText(QRectF(left, top, width, metrics.height()), int(Qt.AlignmentFlag.AlignCenter), text)

    def labels(self) -> tuple[tuple[int, str], ...]:
        """Return the steps to name below the bar, and their names: they are counted from 1."""
        widest = QFontMetricsF(text_font(self, Text.TICK)).horizontalAdvance(format_count(self.steps))
        most = self.track_width / max(_LABELS_APART, widest + _LABEL_GAP)
        return tuple((number - 1, format_count(number)) for number in label_numbers(self.steps, most))


def label_numbers(steps: int, most: float) -> tuple[int, ...]:
    """Return the step numbers to write below the bar: the first, round ones, the last, about ``most`` in all."""
    if steps <= 1:
        return (1,)
    rounds = (leading * 10**power for power in range(12) for leading in (1, 2, 5))
    distance = next((number for number in rounds if steps / number <= most), steps)
    inner = range(distance, steps, distance)
    return (1, *(number for number in inner if min(number - 1, steps - number) > distance / 2), steps)
