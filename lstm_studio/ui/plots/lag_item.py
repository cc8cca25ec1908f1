"""How far back a gradient reaches, over the steps of a training, as a heat map; and the one scale of its colours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from lstm_studio.ui.numbers import format_count, format_decade, format_scientific
from lstm_studio.ui.plots.axis import nice_step
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.plots.row_item import LeftLabel, Look, Reach, paint_frame
from lstm_studio.ui.plots.scale import unit_edges
from lstm_studio.ui.plots.step_item import StepItem
from lstm_studio.ui.plots.step_rows import LagRow, shown_rows
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LEVELS, Text

_HATCH = 6
_TICK_PITCH = 32.0
_AXIS_TITLE = "lag, steps back"
_BAR_TITLES = ("gradient norm, log, same scale for both", "gradient norm, log axis", "gradient norm")
_NOTHING = "0"
_MOST_SAMPLED = 600


class LagItem(StepItem):
    """Steps back in time from the top down, steps of the training from left to right, no interpolation.

    Parameters
    ----------
    row
        What to draw.
    look
        Theme and text scale.
    """

    def __init__(self, row: LagRow, look: Look) -> None:
        super().__init__(look)
        self.row = row

    def set_row(self, row: LagRow) -> None:
        """Show other gradients."""
        if row is self.row:
            return
        same_axis = (row.lags, row.spacing, row.title) == (self.row.lags, self.row.spacing, self.row.title)
        self.row = row
        if same_axis:
            # More of the same beside the same ticks.
            self.redraw_picture()
        else:
            self.redraw()

    @property
    def title(self) -> str:
        """The row's title."""
        return self.row.title

    @property
    def header(self) -> tuple[str, str, str]:
        """Title, note and last line of the label."""
        return self.row.title, self.row.note, self.row.third

    def render(self, painter: QPainter) -> None:
        """Draw as many columns as there are pixels, each as it was measured last."""
        width = round(self.edge * self.scale_of_time.ratio)
        if width > 0 and len(self.row.steps) and self.row.lags:
            pixels = self._pixels(width)
            height = len(pixels)
            painter.drawImage(QPointF(0, 0), QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32))

    def _pixels(self, width: int) -> NDArray[np.uint32]:
        """Return (height, width) colours as 0xFFRRGGBB."""
        theme, height = self.look.theme, self.pixel_height
        # Of more lags than pixels, those that are seen.
        down = _lag_of_pixel(self.row.lags, height)
        seen = np.arange(self.row.lags) if self.row.lags <= height else down
        index, zero, column = self._cells(width, seen)
        # Colours of the cells first: these are few, and each becomes many pixels.
        colours = np.concatenate([_as_numbers(theme.gate_table[:LEVELS]), [_number_of(theme.sunken)]])
        down = down if len(seen) < height else np.arange(height)
        pixels = np.take(np.take(colours[index], column, axis=1), down, axis=0)
        if zero.any():
            nothing = zero[:, column][down]
            rows, columns = np.indices((height, width), sparse=True)
            pixels[nothing] = _number_of(theme.panel)
            pixels[nothing & ((rows + columns) % _HATCH == 0)] = _number_of(theme.ink3)
        return np.ascontiguousarray(pixels, np.uint32)

    def _cells(
        self, width: int, lags: NDArray[np.intp]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.intp]]:
        """Return (lags, C) table indices and where the norm is exactly zero, and (width,) what column a pixel shows."""
        scale, row = self.scale_of_time, self.row
        chosen = shown_rows(row.steps, scale.first, scale.first + scale.count, width)
        steps = row.steps[chosen]
        # Each column is as at the step that was measured nearest to it.
        centre = scale.first + (np.arange(width) + 0.5) * scale.count / scale.pixels - 0.5
        column = np.searchsorted((steps[:-1] + steps[1:]) / 2, centre, side="right")
        norms = row.norms[np.ix_(chosen, lags)]
        logs = np.full(norms.shape, -np.inf)
        np.log10(norms, out=logs, where=norms > 0)
        logs[np.isinf(norms)] = row.axis.high
        index = to_index(np.where(np.isfinite(logs), logs, row.axis.low), (row.axis.low, row.axis.high))
        index[np.isnan(norms)] = LEVELS
        return np.ascontiguousarray(index.T), np.ascontiguousarray((norms == 0).T), column

    # Beside the plot.

    def left_labels(self) -> list[LeftLabel]:
        """Return lags at round numbers, and the last one."""
        last = self.row.lags - 1
        if last < 0:
            return []
        edges = unit_edges(self.row.lags, self.pixel_height) / self.scale_of_time.ratio
        pitch = max(1e-9, self.height / self.row.lags)
        stride = nice_step(_TICK_PITCH / pitch / self.row.spacing) * self.row.spacing
        inner = range(0, last * self.row.spacing, stride)
        lags = [lag for lag in inner if (last * self.row.spacing - lag) / self.row.spacing * pitch > _TICK_PITCH / 2.5]
        places = [lag // self.row.spacing for lag in lags if lag % self.row.spacing == 0] + ([last] if last else [])
        return [
            LeftLabel(float(edges[place] + edges[place + 1]) / 2, format_count(place * self.row.spacing))
            for place in places
        ]

    @property
    def _title_room(self) -> Reach | None:
        """Where the rotated title of the axis stands; None where it has no room."""
        metrics = self.look.metrics(Text.TICK)
        length = metrics.horizontalAdvance(_AXIS_TITLE)
        if length > self.height - 2 * GRID:
            return None
        ticks = max((reach.width for reach in super().reaches()), default=0.0)
        # Below the label's lines, beside the ticks.
        top = max((self.height - length) / 2, min(self.height - length - HALF_GRID, 4.5 * metrics.height()))
        return Reach(top, top + length, ticks + metrics.height() + 2)

    def reaches(self) -> list[Reach]:
        """Return how far ticks and the title of the axis reach into the label column."""
        title = self._title_room
        return [*super().reaches(), *([] if title is None else [title])]

    def paint_left(self, painter: QPainter) -> None:
        """Draw the ticks, and the title of the axis beside them."""
        super().paint_left(painter)
        room = self._title_room
        if room is None:
            return
        painter.save()
        painter.setFont(self.look.font(Text.TICK))
        painter.setPen(QColor(self.look.theme.ink2))
        painter.translate(-room.width, room.bottom)
        painter.rotate(-90)
        painter.drawText(
            QRectF(-2, 0, room.bottom - room.top + 4, self.look.metrics(Text.TICK).height()),
            Qt.AlignmentFlag.AlignCenter,
            _AXIS_TITLE,
        )
        painter.restore()

    # In words.

    def place_of(self, step: int) -> int | None:
        """Return which row of the norms was measured nearest to a step."""
        steps = self.row.steps
        if not len(steps):
            return None
        after = int(np.searchsorted(steps, step))
        around = [place for place in (after - 1, after) if 0 <= place < len(steps)]
        return min(around, key=lambda place: abs(int(steps[place]) - step))

    def lag_at(self, y: float) -> int | None:
        """Return the column of the norms drawn at a height."""
        if not 0 <= y < self.height or not self.row.lags:
            return None
        pixel = min(int(y * self.scale_of_time.ratio), self.pixel_height - 1)
        return int(_lag_of_pixel(self.row.lags, self.pixel_height)[pixel])

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:
        """Return lag and norm of a cell."""
        place, lag = self.place_of(step), self.lag_at(y)
        if place is None or lag is None:
            return ""
        norm = float(self.row.norms[place, lag])
        value = "no such lag" if np.isnan(norm) else format_scientific(norm)
        back = format_count(lag * self.row.spacing)
        return f"{self.row.title} · step {label(int(self.row.steps[place]))} · {back} steps back · gradient {value}"

    def summary(self) -> str:
        """Return what the first and the last column hold, in one sentence."""
        if not len(self.row.steps):
            return f"{self.row.title}, gradient by lag: nothing yet"
        parts = []
        for place in dict.fromkeys((0, len(self.row.steps) - 1)):
            norms = self.row.norms[place]
            known = np.flatnonzero(~np.isnan(norms))
            if len(known):
                first, last = (format_scientific(float(norms[at])) for at in (known[0], known[-1]))
                back = format_count(int(known[-1]) * self.row.spacing)
                step = format_count(int(self.row.steps[place]))
                parts.append(f"at step {step} {first} at lag 0 and {last} at lag {back}")
        return f"{self.row.title}, gradient by lag on a log scale of colours: {'; '.join(parts)}"


class LagScale(QGraphicsItem):
    """The bar with the colours of all heat maps beside it, once.

    Parameters
    ----------
    look
        Theme and text scale.
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.axis = LogAxis(-1, 0)
        self._rect = QRectF()

    def place(self, axis: LogAxis, rect: QRectF) -> None:
        """Give the bar its range, and its place in the scene: of bar, ticks and title together."""
        if (axis, rect) != (self.axis, self._rect):
            self.prepareGeometryChange()
            self.axis, self._rect = axis, rect
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Return the area beside the heat maps."""
        return self._rect.adjusted(-1, -1, 1, 1)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Draw ramp, ticks and title."""
        rect, theme = self._rect, self.look.theme
        if rect.height() < 2 * GRID:
            return
        bar = QRectF(rect.left() + GRID, rect.top(), COLOUR_BAR_WIDTH, rect.height())
        ramp = np.zeros((LEVELS, 1, 4), np.uint8)
        ramp[:, 0, :3] = theme.gate_table[LEVELS - 1 :: -1, 2::-1][:LEVELS]
        data = ramp.tobytes()
        painter.drawImage(bar, QImage(data, 1, LEVELS, 4, QImage.Format.Format_RGB32))
        paint_frame(painter, bar, theme.frame)
        painter.setFont(self.look.font(Text.TICK))
        painter.setPen(QColor(theme.ink2))
        metrics = painter.fontMetrics()
        height = metrics.height()
        widest = 0.0
        for exponent in self.axis.ticks(max(2, int(rect.height() / (height * 2.2)))):
            share = (self.axis.high - exponent) / (self.axis.high - self.axis.low)
            y = bar.top() + share * bar.height()
            painter.fillRect(QRectF(bar.right() + 1, min(y, bar.bottom() - 1), 3, 1), QColor(theme.frame))
            top = min(max(y - height / 2, rect.top() - 2), rect.bottom() - height + 2)
            text = format_decade(exponent)
            widest = max(widest, metrics.horizontalAdvance(text))
            painter.drawText(QRectF(bar.right() + 6, top, 80, height), Qt.AlignmentFlag.AlignVCenter, text)
        title = next((text for text in _BAR_TITLES if metrics.horizontalAdvance(text) < rect.height()), "")
        left = bar.right() + 6 + widest + 2
        if title and left + height <= rect.right() + 2:
            painter.save()
            painter.translate(left, rect.center().y() + metrics.horizontalAdvance(title) / 2)
            painter.rotate(-90)
            painter.drawText(QPointF(0, metrics.ascent()), title)
            painter.restore()


def shared_axis(rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]]) -> LogAxis:
    """Return the decades that hold what several heat maps show; of long trainings, of rows evenly spaced in them."""
    sampled = []
    for _, norms in rows:
        stride = max(1, len(norms) // _MOST_SAMPLED)
        sampled += [norms[::stride], norms[-1:]]
    return log_axis(sampled)


def _lag_of_pixel(lags: int, height: int) -> NDArray[np.intp]:
    """Return (height,) which lag each device pixel shows."""
    if lags <= height:
        return np.repeat(np.arange(lags), np.diff(unit_edges(lags, height)))
    return np.arange(height, dtype=np.intp) * lags // height


def _as_numbers(table: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return (N, 4) colours, red first, as 0xFFRRGGBB."""
    red, green, blue = table[:, :3].T.astype(np.uint32)
    return np.asarray(np.uint32(0xFF000000) | red << 16 | green << 8 | blue, np.uint32)


def _number_of(colour: str) -> np.uint32:
    return np.uint32(0xFF000000 | int(colour[1:], 16))
