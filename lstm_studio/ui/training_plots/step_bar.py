"""The bar below plots over training steps: the steps that can be chosen, its ends under the edges of the plots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen

from lstm_studio.ui.theme import Text, Theme
from lstm_studio.ui.training_plots.pictures import nearest
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.widgets.text import text_font
from lstm_studio.ui.widgets.track_bar import HANDLE, MARK, TrackBar

OVERHANG = 28
"""Pixels beyond each end of the track, for the handle and the labels."""
_LABEL_ROOM = 84.0
_HEIGHT = 56


@dataclass(frozen=True, slots=True)
class StepMark:
    """A position that stands out, and the few words that say why."""

    position: float
    text: str
    ok: bool = False


class StepBar(TrackBar):
    """A slider over the steps that can be chosen; ``index`` is that of one of them.

    Parameters
    ----------
    name
        What is chosen, for screen readers.
    """

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__(theme, name, OVERHANG)
        self._span = Span()
        self._positions: NDArray[np.float64] = np.zeros(0)
        self._until = 0.0
        self._marks: tuple[StepMark, ...] = ()
        self._told: tuple[object, ...] | None = None

    def show_steps(
        self,
        span: Span,
        positions: NDArray[np.float64],
        chosen: int,
        until: float,
        *,
        marks: tuple[StepMark, ...] = (),
        words: str = "",
    ) -> None:
        """Show other steps without telling.

        Parameters
        ----------
        span
            That of the plots.
        positions
            Of the steps that can be chosen, in growing order.
        chosen
            Index of the chosen one.
        until
            Position up to which there is anything at all.
        marks
            What stands out.
        words
            What a screen reader says of the chosen one.
        """
        now = (span, chosen, until, marks, words)
        if now == self._told and self.index == chosen and np.array_equal(positions, self._positions):
            return
        self._told = now
        self.show_index(len(positions), chosen)
        self.setEnabled(len(positions) > 0)
        self._span, self._positions, self._until, self._marks = span, positions, until, marks
        self.setAccessibleDescription(words)
        self.update()

    @property
    def marks(self) -> tuple[StepMark, ...]:
        """What stands out."""
        return self._marks

    def x_of(self, position: float) -> float:
        """Return where a position is."""
        return OVERHANG + self._span.fraction(position) * self.track_width

    def index_at(self, x: float) -> int:
        """Return the index of the step nearest to a place."""
        position = self._span.first + (x - OVERHANG) / self.track_width * (self._span.last - self._span.first)
        return nearest(self._positions, position)

    def sizeHint(self) -> QSize:
        """Return a comfortable length, and the height that marks and labels need."""
        letters = QFontMetricsF(text_font(self, Text.TICK_BOLD)).height()
        return QSize(400, max(_HEIGHT, math.ceil(2 * (HANDLE[1] / 2 + 2 + letters))))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which steps cannot be hit."""
        return QSize(140, 44)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw track, marks, labels and handle."""
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = self.track
        self.paint_track(painter, track.right(), theme.line)
        if len(self._positions):
            handle = self.x_of(float(self._positions[self.index]))
            self.paint_track(painter, self.x_of(self._until), theme.frame)
            self.paint_track(painter, handle, theme.ink2)
        self._paint_marks(painter, track.top() - 2)
        self._paint_labels(painter, track.bottom() + HANDLE[1] / 2 - 2)
        if len(self._positions):
            self.paint_handle(painter, handle)
        painter.end()

    def _paint_marks(self, painter: QPainter, bottom: float) -> None:
        metrics = self.use_font(painter, Text.TICK_BOLD)
        free_from = -math.inf
        for mark in self._marks:
            colour = QColor(self._theme.ok if mark.ok else self._theme.ink)
            x = self.x_of(mark.position)
            painter.setPen(QPen(colour, 1.5))
            painter.drawLine(QPointF(x, bottom - MARK), QPointF(x, bottom))
            half = metrics.horizontalAdvance(mark.text) / 2
            left = min(max(x - half, 0.0), self.width() - 2 * half)
            if left >= free_from:
                top = bottom - MARK - metrics.height()
                painter.drawText(QPointF(left, top + metrics.ascent()), mark.text)
                free_from = left + 2 * half + 4

    def _paint_labels(self, painter: QPainter, top: float) -> None:
        metrics = self.use_font(painter, Text.TICK)
        painter.setPen(QColor(self._theme.ink3))
        for tick in self._span.ticks(int(self.track_width / _LABEL_ROOM) + 1):
            text = self._span.write(tick)
            half = metrics.horizontalAdvance(text) / 2
            at = min(max(self.x_of(tick), half), self.width() - half)
            painter.drawText(QPointF(at - half, top + metrics.ascent()), text)
