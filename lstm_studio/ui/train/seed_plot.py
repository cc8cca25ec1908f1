"""The loss of every seed as a mark on one log axis, a line of marks for each network."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.numbers import format_decade, format_number
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.row_item import paint_frame
from lstm_studio.ui.plots.small_plot import SmallPlot
from lstm_studio.ui.theme import BADGE_SIZE, GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.train.spread import NetworkSpread
from lstm_studio.ui.widgets.badge import paint_badge

_BAND = 26
_MARK = 4.0
_INSET = 10.0
_REACH = 7.0


class SeedPlot(SmallPlot):
    """Marks; a click chooses the seed."""

    seed_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Loss of every seed")
        self._spreads: tuple[NetworkSpread, ...] = ()
        self._chance: float | None = None
        self._seed = -1
        self.axis = LogAxis(-1, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_spreads(self, spreads: tuple[NetworkSpread, ...], chance: float | None, seed: int) -> None:
        """Show other losses; ``seed`` is the one that is shown in the plots."""
        self._spreads, self._chance, self._seed = spreads, chance, seed
        values = [np.array([loss for _, loss in one.losses], np.float64) for one in spreads]
        self.axis = log_axis([*values, np.array([] if chance is None else [chance])])
        self.describe(". ".join(one.words for one in spreads) or "Nothing yet")
        self.updateGeometry()
        self.redraw()

    def sizeHint(self) -> QSize:
        """Return a line for each network, and the axis."""
        return QSize(260, round(max(1, len(self._spreads)) * self._band + 2 * self.line_height + 2 * GRID))

    def minimumSizeHint(self) -> QSize:
        """Return the height that it needs."""
        return QSize(160, self.sizeHint().height())

    @property
    def _band(self) -> float:
        return max(float(_BAND), 1.8 * self.line_height)

    def plot_rect(self) -> QRectF:
        """Return the plot inside the frame, in logical pixels."""
        left, height = BADGE_SIZE + GRID, max(1, len(self._spreads)) * self._band
        return QRectF(left, 1, max(20.0, self.width() - left - 2), height)

    def _x(self, loss: float, plot: QRectF) -> float:
        share = float(self.axis.fraction(np.array([loss]))[0])
        share = 0.0 if np.isnan(share) else share
        return plot.left() + _INSET + share * (plot.width() - 2 * _INSET)

    def _marks(self) -> list[tuple[QPointF, int, NetworkSpread, float]]:
        plot = self.plot_rect()
        found = []
        for place, one in enumerate(self._spreads):
            y = plot.top() + (place + 0.5) * self._band
            found += [(QPointF(self._x(loss, plot), y), seed, one, loss) for seed, loss in one.losses]
        return found

    def paint(self, painter: QPainter) -> None:
        """Draw bands, the line of chance, marks and axis."""
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(self.theme.panel))
        for tick in self.axis.ticks(max(2, int(plot.width() / 52))):
            x = round(self._x(10.0**tick, plot))
            painter.fillRect(QRectF(x, plot.top(), 1, plot.height()), QColor(self.theme.grid))
            at = QPointF(x, plot.bottom() + HALF_GRID)
            self.write(painter, format_decade(tick), at, Qt.AlignmentFlag.AlignHCenter)
        if self._chance is not None:
            pen = QPen(QColor(self.theme.ink2), 1)
            pen.setDashPattern([7, 4])
            painter.setPen(pen)
            x = round(self._x(self._chance, plot))
            painter.drawLine(x, round(plot.top()), x, round(plot.bottom()))
        paint_frame(painter, plot, self.theme.frame)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for at, seed, one, _ in self._marks():
            colour = QColor(self.theme.roles[one.role].mark)
            painter.setPen(QPen(QColor(self.theme.ink) if seed == self._seed else colour, 1.6))
            fill = QColor(colour)
            fill.setAlphaF(0.55)
            painter.setBrush(fill)
            box = QRectF(at.x() - _MARK, at.y() - _MARK, 2 * _MARK, 2 * _MARK)
            if one.squares:
                painter.drawRect(box)
            else:
                painter.drawEllipse(box)
        painter.setFont(self.look.font(Text.TICK_BOLD))
        for place, one in enumerate(self._spreads):
            top = plot.top() + (place + 0.5) * self._band - BADGE_SIZE / 2
            paint_badge(painter, QRectF(0, top, BADGE_SIZE, BADGE_SIZE), one.letter, one.role, self.theme)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        at = QPointF(plot.center().x(), plot.bottom() + HALF_GRID + self.line_height)
        self.write(painter, "loss, log axis; dashed: chance", at, Qt.AlignmentFlag.AlignHCenter)

    def _near(self, at: QPointF) -> tuple[QPointF, int, NetworkSpread, float] | None:
        marks = [mark for mark in self._marks() if (mark[0] - at).manhattanLength() <= 2 * _REACH]
        return min(marks, key=lambda mark: (mark[0] - at).manhattanLength(), default=None)

    def text_at(self, at: QPointF) -> str:
        """Return whose loss a mark is."""
        mark = self._near(at)
        return "" if mark is None else f"Seed {mark[1]} · {mark[2].name} · loss {format_number(mark[3])}"

    def choose_at(self, at: QPointF) -> None:
        """Choose the seed of a mark."""
        mark = self._near(at)
        if mark is not None:
            self.seed_chosen.emit(mark[1])
