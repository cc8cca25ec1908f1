"""Curves over the lag on one log axis, with the shares below which a network counts as having forgotten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.networks.signals import Role
from lstm_studio.session.horizon import SHARES
from lstm_studio.ui.explore.horizon.words import SHARE_TEXTS, NamedCurve, format_power, steps_back
from lstm_studio.ui.numbers import format_count, format_decade
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.curves import paint_band, paint_curve
from lstm_studio.ui.plots.end_labels import EndLabel, paint_end_labels
from lstm_studio.ui.plots.gradient_item import NOTHING_LEFT
from lstm_studio.ui.plots.legend import Entry, Swatch
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.plots.row_item import TICK_GAP, paint_frame
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.small_plot import SmallPlot, paint_line
from lstm_studio.ui.theme import HALF_GRID, Text, Theme

_LEAST, _MOST = 190, 460
_INSET = 7.0
_TICK_DISTANCE = 42.0
_SQUARE = 5.0
_SQUARE_DISTANCE = 40.0
_RING = 3.5
_MISFIT_DEPTH = 4.0
_LEAST_DECADES = 3


@dataclass(frozen=True, eq=False, slots=True)
class LagPicture:
    """What the plot shows.

    Parameters
    ----------
    curves
        With their names.
    title
        Of the horizontal axis.
    summary
        For screen readers.
    most
        The largest lag to show; None for all.
    """

    curves: tuple[NamedCurve, ...]
    title: str
    summary: str
    most: int | None = None


class LagPlot(SmallPlot):
    """Shares of the start over the lag; a click chooses the step at a lag."""

    step_chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "How far back")
        self._shown = LagPicture((), "", "")
        self._cursor = -1
        self.axis = LogAxis(-_LEAST_DECADES, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(_LEAST)
        self.setMaximumHeight(_MOST)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(276, _LEAST + 20)

    def show_picture(self, picture: LagPicture) -> None:
        """Show other curves."""
        self._shown = picture
        self.axis = _axis(picture.curves, self.lags)
        self.describe(picture.summary)
        self.redraw()

    def show_cursor(self, step: int) -> None:
        """Mark the lag of another step."""
        if step != self._cursor:
            self._cursor = step
            self.update()

    @property
    def lags(self) -> int:
        """The largest lag that is shown."""
        longest = max((len(named.curve.logs) for named in self._shown.curves), default=1) - 1
        return longest if self._shown.most is None else min(longest, self._shown.most)

    @property
    def cursor_lag(self) -> int | None:
        """The lag of the cursor's step, or None where it lies after the step at lag 0."""
        lags = (named.curve.lag_of(self._cursor) for named in self._shown.curves)
        return next((lag for lag in lags if lag is not None), None)

    # Places.

    def plot_rect(self) -> QRectF:
        """Return the plot inside the frame, in logical pixels."""
        widest = max(self.look.metrics(Text.TICK).horizontalAdvance(format_decade(low)) for low in (*self._ticks(), 0))
        left, top = widest + TICK_GAP + 1, self.line_height / 2 + 1
        right = self.width() - self.look.side_width - HALF_GRID
        return QRectF(left, top, max(20.0, right - left), max(20.0, self.height() - top - 2 * self.line_height - 8))

    def scale(self) -> TimeScale:
        """Return where each lag lies."""
        plot = self.plot_rect()
        return TimeScale(plot.left(), plot.width(), self.devicePixelRatioF(), 0, self.lags + 1)

    def y_of(self, log10: NDArray[np.float64], height: float) -> NDArray[np.float64]:
        """Return pixels from the plot's top for log10 of a share; not-a-number for what is not finite."""
        finite = np.where(np.isfinite(log10), log10, np.nan)
        fraction = (finite - self.axis.low) / (self.axis.high - self.axis.low)
        return np.asarray(_INSET + (1 - fraction) * (height - 2 * _INSET), np.float64)

    def _ticks(self) -> list[int]:
        room = self.height() - 3 * self.line_height - 2 * _INSET
        return self.axis.ticks(max(2, int(room / (self.line_height + 2))))

    # Drawing.

    def paint(self, painter: QPainter) -> None:
        """Draw grid, shares, curves, axes and labels."""
        plot, scale = self.plot_rect(), self.scale()
        inside = QRectF(plot.left(), plot.top(), scale.width, plot.height())
        painter.fillRect(inside, QColor(self.theme.panel))
        for tick, y in zip(self._ticks(), self.y_of(np.array(self._ticks(), float), plot.height()), strict=True):
            painter.fillRect(QRectF(inside.left(), inside.top() + round(y), inside.width(), 1), QColor(self.theme.grid))
            at = QPointF(inside.left() - TICK_GAP, inside.top() + y)
            self.write(painter, format_decade(tick), at, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._paint_shares(painter, inside)
        painter.drawPixmap(inside.topLeft(), self._curves(scale, inside.height()))
        self._paint_crossings(painter, scale, inside)
        paint_frame(painter, inside, self.theme.frame)
        self._paint_lags(painter, scale, inside)
        painter.translate(inside.right(), inside.top())
        paint_end_labels(painter, self.look, self._end_labels(inside.height()), inside.height())
        painter.translate(-inside.right(), -inside.top())

    def _paint_shares(self, painter: QPainter, inside: QRectF) -> None:
        pen = QPen(QColor(self.theme.ink2), 1)
        pen.setDashPattern([7, 4])
        painter.setPen(pen)
        for share in SHARES:
            if np.log10(share) >= self.axis.low:
                y = self._share_y(share, inside)
                painter.drawLine(QPointF(inside.left(), y), QPointF(inside.right(), y))
        for text, ground in self.share_labels(inside):
            self._paint_share_label(painter, text, ground)

    def _share_y(self, share: float, inside: QRectF) -> float:
        return inside.top() + round(float(self.y_of(np.log10([share]), inside.height())[0])) + 0.5

    def share_labels(self, inside: QRectF) -> list[tuple[str, QRectF]]:
        """Return the names of the shares, each with its place below its line; none where another one is."""
        found: list[tuple[str, QRectF]] = []
        for text, share in zip(SHARE_TEXTS, SHARES, strict=True):
            y = self._share_y(share, inside)
            if np.log10(share) < self.axis.low or (found and y + 1 < found[-1][1].top() + self.line_height):
                continue
            width = self.look.metrics(Text.TICK_BOLD).horizontalAdvance(text) + HALF_GRID
            found.append((text, QRectF(inside.left() + 2, y + 1, width, self.line_height - 1)))
        return found

    def _paint_share_label(self, painter: QPainter, text: str, ground: QRectF) -> None:
        painter.fillRect(ground, QColor(self.theme.panel))
        self.write(painter, text, ground.topLeft() + QPointF(2, 0), Qt.AlignmentFlag.AlignLeft, bold=True)

    def _curves(self, scale: TimeScale, height: float) -> QPixmap:
        """Return the curves as a picture of the plot in device pixels."""
        ratio, pixels = scale.ratio, max(1, round(height * scale.ratio))
        pixmap = QPixmap(scale.pixels, pixels)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        for named in self._shown.curves:
            colour, curve = self.theme.roles[named.role].mark, named.curve
            if not np.isfinite(curve.start):
                continue
            logs = _padded(curve.relative(), scale.count)
            if curve.low is not None and curve.high is not None:
                tops, bottoms = (
                    self.y_of(_padded(bound - curve.start, scale.count), height) * ratio
                    for bound in (curve.high, curve.low)
                )
                paint_band(painter, tops, bottoms, scale, pixels, colour=colour, opacity=0.18)
            style = swatch_of(named)
            paint_curve(
                painter,
                self.y_of(logs, height) * ratio,
                scale,
                pixels,
                colour=colour,
                width=1.8 * ratio,
                dashed=style is Swatch.DASHED,
                dotted=style is Swatch.DOTTED,
            )
            if style is Swatch.SQUARES:
                self._paint_squares(painter, self.y_of(logs, height) * ratio, scale, colour)
            self._paint_misfits(painter, curve.relative()[: scale.count], scale, pixels, colour)
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _paint_squares(self, painter: QPainter, ys: NDArray[np.float64], scale: TimeScale, colour: str) -> None:
        side = _SQUARE * scale.ratio
        for lag in range(0, scale.count, nice_step(_SQUARE_DISTANCE / scale.column)):
            if np.isfinite(ys[lag]):
                square = QRectF(scale.centres[lag] - side / 2, ys[lag] - side / 2, side, side)
                painter.fillRect(square, QColor(colour))

    def _paint_misfits(
        self, painter: QPainter, logs: NDArray[np.float64], scale: TimeScale, height: int, colour: str
    ) -> None:
        """Mark exact zeros at the bottom edge and what is not finite at the top edge."""
        depth = _MISFIT_DEPTH * scale.ratio
        for where, y in ((logs == -np.inf, height - depth), ((logs == np.inf) | np.isnan(logs), 0.0)):
            for left, right in {(int(scale.edges[lag]), int(scale.edges[lag + 1])) for lag in np.flatnonzero(where)}:
                painter.fillRect(QRectF(left, y, max(1, right - left), depth), QColor(colour))

    def _paint_crossings(self, painter: QPainter, scale: TimeScale, inside: QRectF) -> None:
        """Ring the lag from which on each curve stays below a share."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for share in SHARES:
            y = inside.top() + round(float(self.y_of(np.log10([share]), inside.height())[0])) + 0.5
            for named in self._shown.curves:
                found = named.curve.reach(share)
                if np.log10(share) < self.axis.low or found is None:
                    continue
                if found.below is not None and found.below <= self.lags:
                    painter.setPen(QPen(QColor(self.theme.roles[named.role].mark), 1.6))
                    painter.setBrush(QColor(self.theme.panel))
                    x = inside.left() + scale.centres[found.below] / scale.ratio
                    painter.drawEllipse(QPointF(x, y), _RING, _RING)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _paint_lags(self, painter: QPainter, scale: TimeScale, inside: QRectF) -> None:
        last = self.lags
        distance = max(_TICK_DISTANCE, 2.2 * self.look.metrics(Text.TICK).horizontalAdvance(format_count(last)))
        stride = nice_step(distance / scale.column)
        ticks = [lag for lag in range(0, last + 1, stride) if lag == 0 or (last - lag) * scale.column > distance]
        for lag in [*ticks, *([last] if last else [])]:
            x = inside.left() + round(scale.centres[lag] / scale.ratio)
            painter.fillRect(QRectF(x, inside.bottom() + 1, 1, 4), QColor(self.theme.frame))
            at = QPointF(x, inside.bottom() + 5)
            self.write(painter, format_count(lag), at, Qt.AlignmentFlag.AlignHCenter)
        at = QPointF(inside.center().x(), inside.bottom() + 5 + self.line_height)
        self.write(painter, self._shown.title, at, Qt.AlignmentFlag.AlignHCenter)

    def _end_labels(self, height: float) -> list[EndLabel]:
        blocks: dict[str, list[NamedCurve]] = {}
        for named in self._shown.curves:
            blocks.setdefault(named.network, []).append(named)
        return [
            EndLabel(
                network,
                self.theme.roles[block[0].role].text,
                tuple(Entry(one.label, swatch_of(one), self.theme.roles[one.role].mark) for one in block),
                min((self._end(one, height) for one in block), default=height),
            )
            for network, block in blocks.items()
        ]

    def _end(self, named: NamedCurve, height: float) -> float:
        logs = named.curve.relative()[: self.lags + 1]
        finite = np.flatnonzero(np.isfinite(logs))
        # A curve that has ended in zeros goes on at the bottom.
        if not len(finite) or finite[-1] < len(logs) - 1:
            return height
        return float(self.y_of(logs[-1:], height)[0])

    def paint_over(self, painter: QPainter) -> None:
        """Draw the cursor."""
        lag = self.cursor_lag
        if lag is not None and lag <= self.lags:
            plot, scale = self.plot_rect(), self.scale()
            x = plot.left() + scale.centres[lag] / scale.ratio
            paint_line(painter, QRectF(x - 0.8, plot.top(), 1.6, plot.height()), self.theme)
            for text, ground in self.share_labels(plot):
                if ground.left() - 2 <= x <= ground.right() + 2:
                    # The line would cross out what it passes.
                    self._paint_share_label(painter, text, ground)

    # The mouse.

    def lag_at(self, at: QPointF) -> int | None:
        """Return the lag under a place, or None outside the plot."""
        plot, scale = self.plot_rect(), self.scale()
        if not plot.top() <= at.y() < plot.bottom() or not scale.left <= at.x() < scale.right:
            return None
        return scale.step_at(at.x())

    def text_at(self, at: QPointF) -> str:
        """Return every curve's value at a lag."""
        lag = self.lag_at(at)
        return "" if lag is None else values_text(self._shown.curves, lag)

    def choose_at(self, at: QPointF) -> None:
        """Choose the step at a lag."""
        lag = self.lag_at(at)
        reaching = (named.curve for named in self._shown.curves if lag is not None and lag < len(named.curve.logs))
        curve = next(reaching, None)
        if lag is not None and curve is not None:
            self.step_chosen.emit(curve.step_at(lag))


def swatch_of(named: NamedCurve) -> Swatch:
    """Return how a curve is drawn, so that colour never stands alone."""
    if named.direct:
        return Swatch.DOTTED
    if named.curve.network > 0:
        return Swatch.SQUARES
    return Swatch.DASHED if named.role is Role.SHORT_TERM else Swatch.LINE


def values_text(curves: tuple[NamedCurve, ...], lag: int) -> str:
    """Return the lag, its step and the share of each curve there."""
    reaching = [named for named in curves if lag < len(named.curve.logs)]
    if not reaching:
        return ""
    values = []
    for named in reaching:
        curve, log10 = named.curve, float(named.curve.logs[lag])
        text = f"{named.full_name} {format_power(float(curve.relative()[lag]))}"
        if not curve.unlimited:
            # Of a Jacobian the share is the value itself.
            text = f"{text} (norm {format_power(log10)})"
            text = text if log10 > -np.inf else f"{named.full_name} {NOTHING_LEFT}"
        values.append(text)
    return f"{steps_back(lag)} · step {format_count(reaching[0].curve.step_at(lag) + 1)} · {' · '.join(values)}"


def _axis(curves: tuple[NamedCurve, ...], most: int) -> LogAxis:
    """Return whole decades that hold every finite share up to a lag, and the first of the shares asked for."""
    low, high = -_LEAST_DECADES, 0
    for named in curves:
        logs = named.curve.relative()[: most + 1]
        finite = logs[np.isfinite(logs)]
        if finite.size:
            low, high = min(low, int(np.floor(finite.min()))), max(high, int(np.ceil(finite.max())))
    return LogAxis(low, high)


def _padded(logs: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return a curve as long as the longest, with nothing to draw where it has ended."""
    padded = np.full(count, np.nan)
    padded[: len(logs)] = logs[:count]
    return padded
