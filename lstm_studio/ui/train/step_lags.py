"""The gradient against the lag at one snapshot, of both networks on one log axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.networks.signals import Role
from lstm_studio.session.learning import Learner
from lstm_studio.ui.numbers import format_count, format_decade, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.curves import paint_points
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.row_item import TICK_GAP, paint_frame
from lstm_studio.ui.plots.small_plot import SmallPlot
from lstm_studio.ui.theme import HALF_GRID, Text, Theme

_HEIGHT, _LEAST, _MOST = 190, 120, 300
_INSET = 6.0
_TICK_DISTANCE = 40.0
_SQUARE, _SQUARE_DISTANCE = 5.0, 34.0
_NAME_PLACES = (0.6, 0.45, 0.75, 0.3, 0.15)
"""Where along the axis a name is tried, as shares of its length."""


@dataclass(frozen=True, eq=False, slots=True)
class LagCurve:
    """One network's gradient by lag.

    Parameters
    ----------
    name
        Of the network.
    norms
        (L,), as far as there are lags.
    spacing
        Time steps between two of them.
    role
        Decides the colour.
    squares
        Markers, so that colour never stands alone.
    """

    name: str
    norms: NDArray[np.float64]
    spacing: int
    role: Role
    squares: bool

    def at(self, lag: int) -> float | None:
        """Return the norm at a lag; None where it is not known."""
        place = lag // self.spacing
        return float(self.norms[place]) if lag % self.spacing == 0 and place < len(self.norms) else None


def lag_curve(learner: Learner, step: int) -> LagCurve | None:
    """Return a network's gradient by lag as it was measured nearest to a step; None where it was not."""
    steps, norms = learner.lags
    if not len(steps):
        return None
    after = int(np.searchsorted(steps, step))
    around = [place for place in (after - 1, after) if 0 <= place < len(steps)]
    row = norms[min(around, key=lambda place: abs(int(steps[place]) - step))]
    known = np.flatnonzero(~np.isnan(row))
    length = int(known[-1]) + 1 if len(known) else 0
    return LagCurve(learner.name, row[:length], learner.spacing, learner.role, learner.place > 0)


class StepLags(SmallPlot):
    """Norms over the lag."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Gradient against lag")
        self._curves: tuple[LagCurve, ...] = ()
        self.axis = LogAxis(-1, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_LEAST)
        self.setMaximumHeight(_MOST)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(270, _HEIGHT)

    def show_curves(self, curves: tuple[LagCurve, ...], axis: LogAxis | None, step: int) -> None:
        """Show other curves; on an axis that stays the same over the snapshots, where there is one."""
        self._curves = curves
        self.axis = axis or log_axis(curve.norms for curve in curves)
        parts = []
        for curve in curves:
            if len(curve.norms):
                last = format_count((len(curve.norms) - 1) * curve.spacing)
                ends = format_scientific(float(curve.norms[0])), format_scientific(float(curve.norms[-1]))
                parts.append(f"{curve.name} {ends[0]} at lag 0, {ends[1]} at lag {last}")
        self.describe(f"Gradient against lag at step {format_count(step)}, log axis: {'; '.join(parts) or 'nothing'}.")
        self.redraw()

    @property
    def lags(self) -> int:
        """The largest lag."""
        return max(((len(curve.norms) - 1) * curve.spacing for curve in self._curves), default=1)

    # Places.

    def plot_rect(self) -> QRectF:
        """Return the plot inside the frame, in logical pixels."""
        ticks = [format_decade(tick) for tick in self._ticks()]
        widest = max((self.look.metrics(Text.TICK).horizontalAdvance(text) for text in ticks), default=0.0)
        left, top = widest + TICK_GAP + 1, self.line_height / 2
        below = 2 * self.line_height + HALF_GRID + 2
        return QRectF(left, top, max(20.0, self.width() - left - 2), max(20.0, self.height() - top - below))

    def _ticks(self) -> list[int]:
        return self.axis.ticks(max(2, int((self.height() - 3 * self.line_height) / (1.5 * self.line_height))))

    def _x(self, lags: NDArray[np.float64], width: float) -> NDArray[np.float64]:
        return np.asarray(_INSET / 2 + lags / max(1, self.lags) * (width - _INSET), np.float64)

    def _y(self, norms: NDArray[np.float64], height: float) -> NDArray[np.float64]:
        return np.asarray(_INSET + (1 - self.axis.fraction(norms)) * (height - 2 * _INSET), np.float64)

    # Drawing.

    def paint(self, painter: QPainter) -> None:
        """Draw grid, axes, curves and their names."""
        plot = self.plot_rect()
        painter.fillRect(plot, QColor(self.theme.panel))
        for tick in self._ticks():
            y = float(self._y(np.array([10.0**tick]), plot.height())[0])
            painter.fillRect(QRectF(plot.left(), plot.top() + round(y), plot.width(), 1), QColor(self.theme.grid))
            at = QPointF(plot.left() - TICK_GAP, plot.top() + y)
            self.write(painter, format_decade(tick), at, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        ratio = self.devicePixelRatioF()
        painter.save()
        painter.translate(plot.topLeft())
        painter.scale(1 / ratio, 1 / ratio)
        for curve in self._curves:
            self._paint_curve(painter, curve, plot, ratio)
        painter.restore()
        paint_frame(painter, plot, self.theme.frame)
        self._paint_names(painter, plot)
        self._paint_axis(painter, plot)

    def _paint_curve(self, painter: QPainter, curve: LagCurve, plot: QRectF, ratio: float) -> None:
        lags = np.arange(len(curve.norms), dtype=np.float64) * curve.spacing
        if not len(lags):
            return
        xs, ys = self._x(lags, plot.width()) * ratio, self._y(curve.norms, plot.height()) * ratio
        colour = self.theme.roles[curve.role].mark
        size = (round(plot.width() * ratio), round(plot.height() * ratio))
        paint_points(painter, xs, ys, *size, colour=colour, width=1.8 * ratio)
        side = _SQUARE * ratio
        if curve.squares:
            for x in np.arange(xs[0], xs[-1] + 1, _SQUARE_DISTANCE * ratio):
                place = min(int(np.searchsorted(xs, x)), len(xs) - 1)
                if np.isfinite(ys[place]):
                    painter.fillRect(QRectF(xs[place] - side / 2, ys[place] - side / 2, side, side), QColor(colour))
        for x in xs[curve.norms == 0]:
            painter.fillRect(QRectF(x - side / 2, size[1] - side, side, side), QColor(colour))

    def _paint_names(self, painter: QPainter, plot: QRectF) -> None:
        """Write each name beside its curve, where neither curve nor name is in its way."""
        painter.setFont(self.look.font(Text.TICK_BOLD))
        taken: list[QRectF] = []
        for curve in self._curves:
            room = self._name_room(curve, plot, painter.fontMetrics().horizontalAdvance(curve.name) + 4.0, taken)
            if room is not None:
                taken.append(room)
                painter.setPen(QColor(self.theme.roles[curve.role].text))
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, curve.name)

    def _name_room(self, curve: LagCurve, plot: QRectF, width: float, taken: list[QRectF]) -> QRectF | None:
        """Return where a name stands, above or below its curve; None where there is no room for it."""
        height = self.line_height
        for share in _NAME_PLACES:
            left = min(share * plot.width(), plot.width() - width - 2)
            own = self._span(curve, plot, left, left + width)
            if own is None:
                continue
            for top in (own[0] - height - 2, own[1] + 2):
                room = QRectF(plot.left() + left, plot.top() + top, width, height)
                others = [self._span(other, plot, left, left + width) for other in self._curves if other is not curve]
                crossed = any(span is not None and span[0] < top + height and span[1] > top for span in others)
                if (
                    0 <= top <= plot.height() - height
                    and not crossed
                    and not any(room.intersects(one) for one in taken)
                ):
                    return room
        return None

    def _span(self, curve: LagCurve, plot: QRectF, left: float, right: float) -> tuple[float, float] | None:
        """Return the highest and the lowest point of a curve between two places, in pixels from the plot's top."""
        lags = np.arange(len(curve.norms), dtype=np.float64) * curve.spacing
        xs = self._x(lags, plot.width())
        inside = np.flatnonzero((xs >= left - 4) & (xs <= right + 4))
        ys = self._y(curve.norms, plot.height())[inside]
        ys = np.where(np.isfinite(ys), ys, plot.height())
        return (float(ys.min()), float(ys.max())) if len(ys) else None

    def _paint_axis(self, painter: QPainter, plot: QRectF) -> None:
        last = self.lags
        pitch = plot.width() / max(1, last)
        stride = nice_step(_TICK_DISTANCE / pitch)
        lags = [lag for lag in range(0, last, stride) if (last - lag) * pitch > 0.6 * _TICK_DISTANCE]
        for lag in [*lags, last]:
            x = plot.left() + round(float(self._x(np.array([float(lag)]), plot.width())[0]))
            painter.fillRect(QRectF(x, plot.bottom() + 1, 1, 3), QColor(self.theme.frame))
            text = format_count(lag)
            half = self.look.metrics(Text.TICK).horizontalAdvance(text) / 2 + 1
            at = QPointF(min(x, plot.right() - half), plot.bottom() + HALF_GRID)
            self.write(painter, text, at, Qt.AlignmentFlag.AlignHCenter)
        at = QPointF(plot.center().x(), plot.bottom() + HALF_GRID + self.line_height)
        self.write(painter, "lag, steps back", at, Qt.AlignmentFlag.AlignHCenter)

    # The mouse.

    def text_at(self, at: QPointF) -> str:
        """Return every network's norm at a lag."""
        plot = self.plot_rect()
        if not plot.contains(at) or not self._curves:
            return ""
        share = (at.x() - plot.left() - _INSET / 2) / max(1.0, plot.width() - _INSET)
        lag = round(min(max(share, 0.0), 1.0) * self.lags)
        spacing = max(curve.spacing for curve in self._curves)
        lag -= lag % spacing
        values = [(curve.name, curve.at(lag)) for curve in self._curves]
        words = [f"{name} {format_scientific(value)}" for name, value in values if value is not None]
        return f"{format_count(lag)} steps back · {' · '.join(words)}"

    def choose_at(self, at: QPointF) -> None:
        """Nothing is chosen here."""
