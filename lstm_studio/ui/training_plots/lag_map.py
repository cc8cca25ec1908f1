"""How large the gradient is so many time steps back, as a heat map over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy

from lstm_studio.ui.numbers import format_count, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.plots.row_item import LeftLabel, Reach
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.training_plots.colour_bar import bar_width, paint_colour_bar
from lstm_studio.ui.training_plots.lag_cells import lag_of_pixel, lag_pixels, shared_axis
from lstm_studio.ui.training_plots.pictures import LagPicture, Picture, goes_on, looks_same
from lstm_studio.ui.training_plots.plot import TrainingPlot

_TICK_PITCH = 26.0
_AXIS_TITLE = "lag, steps back"
_LINES_OF_LABEL = 4.5
"""Lines that a label beside the plot may take before the title of the axis."""


class LagMap(TrainingPlot):
    """The heat map, with a colour bar of its own where it has none in common with others.

    Parameters
    ----------
    name
        What it shows, for screen readers.
    bar
        Whether the colour bar is drawn.
    """

    def __init__(
        self, theme: Theme, name: str, *, axis: bool = True, flag: bool = False, bar: bool = True, height: int = 190
    ) -> None:
        super().__init__(theme, name, axis=axis, flag=flag)
        self._height, self._with_bar = height, bar
        self.picture = LagPicture(np.zeros(0), np.zeros((0, 1)))
        self.axis = LogAxis(-1, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, picture: Picture) -> None:
        """Show other gradients; the same ones are not drawn again."""
        if not isinstance(picture, LagPicture) or looks_same(picture, self.picture):
            return
        before, axis = self.picture, self.axis
        self.picture = picture
        self.axis = picture.axis or shared_axis([picture.norms])
        self.describe(picture.summary)
        if not (self.axis == axis and goes_on(before, picture) and self._go_on(before)):
            self.redraw_inside()

    def _go_on(self, before: LagPicture) -> bool:
        """Draw only what has come since, over the picture that is there; return whether there is one."""
        kept, plot = self.kept_picture, self.plot_rect()
        if kept is None or not self.keeps_outside(plot):
            return False
        since = max(0, math.floor((self.x_of(before.reach(len(before.x) - 1)[0]) - plot.left()) * self.ratio) - 1)
        left = plot.left() + since / self.ratio
        painter = QPainter(kept)
        painter.setClipRect(QRectF(left, plot.top(), plot.right() - left, plot.height()))
        self._paint_map(painter, plot, since)
        painter.end()
        self.update(QRect(math.floor(left), math.floor(plot.top()), math.ceil(plot.right() - left) + 1, self.height()))
        return True

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(240, self._height)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which it can be read."""
        return QSize(160, round(72 + self.line_height))

    # Places.

    @property
    def needed_right(self) -> float:
        """Pixels that the colour bar needs."""
        return bar_width(self.look, titled=False) if self._with_bar else 1.0

    def left_labels(self, plot: QRectF) -> Sequence[LeftLabel]:
        """Return lags at round numbers, and the last one."""
        lags, spacing = self.picture.lags, self.picture.spacing
        last = (lags - 1) * spacing
        if not len(self.picture.x) or last < 0:
            return ()
        pitch = plot.height() / lags
        room = max(_TICK_PITCH, 1.6 * self.line_height)
        distance = nice_step(room / pitch * spacing)
        # A round number of columns, too.
        distance = -(-distance // spacing) * spacing
        # The last one is kept inside the frame, nearer to those above.
        lowest = min((lags - 0.5) * pitch, plot.height() - self.look.metrics(Text.TICK).capHeight() / 2 - 1)
        highest = lowest - 0.9 * self.line_height
        inner = [lag for lag in range(0, last, distance) if (lag / spacing + 0.5) * pitch < highest]
        return [LeftLabel((lag / spacing + 0.5) * pitch, format_count(lag)) for lag in [*inner, last]]

    def _title_reach(self, ticks: Sequence[Reach], plot: QRectF) -> Reach | None:
        """Return where the title of the lags stands, beside their ticks; None where it has no room."""
        metrics = self.look.metrics(Text.TICK)
        length = metrics.horizontalAdvance(_AXIS_TITLE) + 2
        if length > plot.height():
            return None
        top = (plot.height() - length) / 2
        if self._clear:
            # Below the lines of the label.
            top = max(top, min(plot.height() - length - HALF_GRID, _LINES_OF_LABEL * metrics.height()))
        return Reach(top, top + length, max((tick.width for tick in ticks), default=0.0) + metrics.height() + 2)

    def reaches(self) -> list[Reach]:
        """Return how far the lags and their title reach out."""
        ticks = super().reaches()
        plot = QRectF(0, 0, 8, max(8.0, self.height() - math.ceil(self.above) - math.ceil(self.below)))
        title = self._title_reach(ticks, plot)
        return [*ticks, *([] if title is None else [title])]

    # Drawing.

    def paint_inside(self, painter: QPainter, plot: QRectF) -> None:
        """Draw the map, and what is not recorded yet."""
        self._paint_map(painter, plot, 0)

    def _paint_map(self, painter: QPainter, plot: QRectF, since: int) -> None:
        """Draw the map from a column of pixels on."""
        picture = self.picture
        painter.fillRect(plot, QColor(self.theme.sunken))
        usable = len(picture.x) and math.isfinite(picture.x[-1]) and picture.lags
        if usable:
            width, height = (max(1, round(length * self.ratio)) for length in (plot.width(), plot.height()))
            begin, pixels = lag_pixels(picture, self.axis, self.span, (width, height), self.theme, since=since)
            columns = pixels.shape[1]
            painter.save()
            painter.translate(plot.topLeft())
            painter.scale(1 / self.ratio, 1 / self.ratio)
            if columns:
                image = QImage(pixels.data, columns, height, 4 * columns, QImage.Format.Format_RGB32)
                painter.drawImage(QPointF(begin, 0), image)
            painter.restore()
        end = picture.end if usable else self.span.first
        self.paint_unknown(painter, plot, self.span.first if end is None else end, picture.words, 0.0)

    def outside(self, plot: QRectF) -> object:
        """Return what the outside depends on: the colours' range, too."""
        return super().outside(plot), self.axis, bool(len(self.picture.x))

    def paint_outside(self, painter: QPainter, plot: QRectF) -> None:
        """Write the title of the lags, and draw the colour bar."""
        title = self._title_reach(super().reaches(), plot)
        if title is not None and len(self.picture.x):
            painter.save()
            painter.translate(plot.left() - title.width, plot.top() + (title.top + title.bottom) / 2)
            painter.rotate(-90)
            self.write(painter, _AXIS_TITLE, QPointF(0, 0), Qt.AlignmentFlag.AlignHCenter)
            painter.restore()
        if self._with_bar and len(self.picture.x):
            bar = QRectF(plot.right() + GRID, plot.top(), COLOUR_BAR_WIDTH, plot.height())
            paint_colour_bar(painter, self.look, bar, self.axis, titled=False)

    # The mouse.

    def text_at(self, at: QPointF) -> str:
        """Return the norm under the mouse."""
        plot, picture = self.plot_rect(), self.picture
        if not plot.contains(at) or not picture.lags:
            return ""
        position = self.position_at(at.x())
        record = picture.record_at(position)
        if record is None:
            after = not len(picture.x) or position > float(picture.x[-1])
            return f"{self.lead(position)} · {picture.words}" if picture.words and after else ""
        height = max(1, round(plot.height() * self.ratio))
        row = lag_of_pixel(picture.lags, height, min(height - 1, int((at.y() - plot.top()) * self.ratio)))
        norm = float(picture.norms[record, row])
        value = "no such lag" if math.isnan(norm) else f"gradient {format_scientific(norm)}"
        lag = format_count(row * picture.spacing)
        return f"{self.lead(float(picture.x[record]))} · {lag} steps back · {value}"
