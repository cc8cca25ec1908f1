"""Whose loss is felt, as one square for each network: rows are the steps of the losses, columns those of the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter

from lstm_studio.session.whose_loss import LossShares
from lstm_studio.ui.explore.horizon.squares import SquarePlots
from lstm_studio.ui.explore.horizon.words import format_size
from lstm_studio.ui.numbers import format_count, format_decade
from lstm_studio.ui.plots.log_axis import LogAxis, log_axis
from lstm_studio.ui.plots.row_item import TICK_GAP, paint_frame
from lstm_studio.ui.plots.scale import unit_edges
from lstm_studio.ui.plots.small_plot import paint_line
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LEVELS, MISSING, Text, Theme

_BESIDE_FROM = 520
_UNUSED = 1 / 8
"""Part of a square that may be given up so that all cells are equally large."""
_HATCH = 6
_EMPTY_WORDS = ("no loss reaches", "the steps after it")


@dataclass(frozen=True, eq=False, slots=True)
class LossPicture:
    """What the squares show.

    Parameters
    ----------
    parts
        One for each network.
    names
        What each is of, ``"LSTM ∂c"``.
    summary
        For screen readers.
    """

    parts: tuple[LossShares, ...]
    names: tuple[str, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class _Places:
    """Side of the squares, top left corner of each, and the top of the colour bar, in logical pixels."""

    side: float
    corners: tuple[QPointF, ...]
    bar: float


class LossMaps(SquarePlots):
    """The squares of all networks on one range of colours; a click chooses the step of a column."""

    step_chosen = Signal(int)
    least, comfortable = 96, 290

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Whose loss is felt")
        self._shown = LossPicture((), (), "")
        self._cursor = -1
        self.axis = LogAxis(-1, 0)

    def show_picture(self, picture: LossPicture) -> None:
        """Show other gradients."""
        self._shown = picture
        self.axis = log_axis(part.norms for part in picture.parts)
        self.describe(picture.summary)
        self.updateGeometry()
        self.redraw()

    def show_cursor(self, step: int) -> None:
        """Mark the column of another step."""
        if step != self._cursor:
            self._cursor = step
            self.update()

    @property
    def steps(self) -> int:
        """T."""
        return len(self._shown.parts[0].total) if self._shown.parts else 0

    # Places.

    @property
    def count(self) -> int:
        """How many networks there are."""
        return len(self._shown.parts)

    def columns(self, width: float) -> int:
        """Return how many networks stand beside each other."""
        return max(1, self.count) if width >= _BESIDE_FROM else 1

    @property
    def left(self) -> float:
        """Room for the axis to the left of each square."""
        number = self.look.metrics(Text.TICK).horizontalAdvance(format_count(max(1, self.steps)))
        return self.line_height + number + TICK_GAP + 2

    @property
    def above(self) -> float:
        """Room for the name above each square."""
        return self.look.metrics(Text.ROW_LABEL).height() + HALF_GRID

    @property
    def below(self) -> float:
        """Room for the axis below each square."""
        return 2 * self.line_height + GRID

    @property
    def foot(self) -> float:
        """Room for the colours below all of them."""
        return COLOUR_BAR_WIDTH + self.line_height + HALF_GRID

    def places(self) -> _Places:
        """Return where the squares are: as large as both directions allow, their cells whole device pixels."""
        ratio = self.devicePixelRatioF()
        pixels = max(1, int(self.side * ratio))
        whole = pixels // max(1, self.steps) * self.steps
        side = (whole if whole >= (1 - _UNUSED) * pixels else pixels) / ratio
        return _Places(side, self.corners(side), self.rows(self.width()) * (side + self.above + self.below))

    # Drawing.

    def paint(self, painter: QPainter) -> None:
        """Draw squares, axes and the colour bar."""
        places = self.places()
        for part, name, corner in zip(self._shown.parts, self._shown.names, places.corners, strict=True):
            self._paint_square(painter, part, name, QRectF(corner.x(), corner.y(), places.side, places.side))
        if self._shown.parts:
            right = places.corners[-1].x() if len({corner.y() for corner in places.corners}) == 1 else self.left
            left = places.corners[0].x()
            self._paint_bar(painter, QRectF(left, places.bar, right + places.side - left, COLOUR_BAR_WIDTH))

    def _paint_square(self, painter: QPainter, part: LossShares, name: str, inside: QRectF) -> None:
        painter.setFont(self.look.font(Text.ROW_LABEL))
        painter.setPen(QColor(self.theme.ink))
        painter.drawText(QPointF(inside.left(), inside.top() - HALF_GRID - 2), name)
        pixels = loss_pixels(part, self.axis, round(inside.width() * self.devicePixelRatioF()), self.theme)
        painter.drawImage(inside, _image(pixels))
        widest = self.look.metrics(Text.TICK).horizontalAdvance(_EMPTY_WORDS[1])
        if part.causal and inside.width() >= 2.2 * widest:
            painter.setFont(self.look.font(Text.TICK))
            painter.setPen(QColor(self.theme.ink3))
            for line, words in enumerate(_EMPTY_WORDS):
                top = inside.top() + GRID + line * self.line_height
                room = QRectF(inside.center().x(), top, inside.width() / 2 - GRID, self.line_height)
                painter.drawText(room, Qt.AlignmentFlag.AlignRight, words)
        paint_frame(painter, inside, self.theme.frame)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        half = self.line_height / 2
        for step, y in ((1, inside.top() + half - 2), (self.steps, inside.bottom() - half + 2)):
            self.write(painter, format_count(step), QPointF(inside.left() - TICK_GAP, y), right)
        below = inside.bottom() + HALF_GRID
        self.write(painter, "1", QPointF(inside.left(), below), Qt.AlignmentFlag.AlignLeft)
        last = QPointF(inside.right(), below)
        self.write(painter, format_count(self.steps), last, Qt.AlignmentFlag.AlignRight)
        title = QPointF(inside.center().x(), below)
        self.write(painter, "gradient at step", title, Qt.AlignmentFlag.AlignHCenter)
        painter.save()
        painter.translate(inside.left() - self.left, inside.center().y())
        painter.rotate(-90)
        self.write(painter, "loss at step", QPointF(0, 0), Qt.AlignmentFlag.AlignHCenter)
        painter.restore()

    def _paint_bar(self, painter: QPainter, bar: QRectF) -> None:
        ramp = np.zeros((1, LEVELS, 4), np.uint8)
        ramp[0, :, :3] = self.theme.gate_table[:LEVELS, 2::-1]
        painter.drawImage(bar, _image(ramp))
        paint_frame(painter, bar, self.theme.frame)
        below = bar.bottom() + HALF_GRID
        ticks = self.axis.ticks(max(2, int(bar.width() / 60)))
        for tick in ticks:
            x = bar.left() + (tick - self.axis.low) / (self.axis.high - self.axis.low) * bar.width()
            painter.fillRect(QRectF(min(x, bar.right() - 1), bar.bottom() + 1, 1, 3), QColor(self.theme.frame))
            room = self.look.metrics(Text.TICK).horizontalAdvance(format_decade(tick)) / 2
            at = QPointF(min(max(x, bar.left() + room), bar.right() - room), below)
            self.write(painter, format_decade(tick), at, Qt.AlignmentFlag.AlignHCenter)

    def paint_over(self, painter: QPainter) -> None:
        """Draw the cursor's column."""
        if not 0 <= self._cursor < self.steps:
            return
        places = self.places()
        for corner in places.corners:
            x = corner.x() + (self._cursor + 0.5) / self.steps * places.side
            paint_line(painter, QRectF(x - 0.8, corner.y(), 1.6, places.side), self.theme)

    # The mouse.

    def cell_at(self, at: QPointF) -> tuple[int, int, int] | None:
        """Return part, row and column under a place: steps of the loss and of the state; None outside the squares."""
        places = self.places()
        for index, corner in enumerate(places.corners):
            x, y = (at.x() - corner.x()) / places.side, (at.y() - corner.y()) / places.side
            if 0 <= x < 1 and 0 <= y < 1:
                return index, int(y * self.steps), int(x * self.steps)
        return None

    def text_at(self, at: QPointF) -> str:
        """Say what the loss at one step brings to the gradient at another."""
        cell = self.cell_at(at)
        if cell is None:
            return ""
        index, row, column = cell
        return cell_text(self._shown.parts[index], self._shown.names[index], row, column)

    def choose_at(self, at: QPointF) -> None:
        """Choose the step of a column."""
        cell = self.cell_at(at)
        if cell is not None:
            self.step_chosen.emit(cell[2])


def cell_text(part: LossShares, name: str, row: int, column: int) -> str:
    """Say what the loss at step ``row`` brings to the gradient at step ``column``."""
    loss, step = format_count(row + 1), format_count(column + 1)
    if part.causal and column > row:
        return f"{name} · the loss at step {loss} does not reach step {step}, which is after it"
    share, norm = float(part.shares[row, column]), float(part.norms[row, column])
    if norm == 0:
        return f"{name} · nothing of the gradient at step {step} comes from the loss at step {loss}"
    of = format_size(float(part.total[column]))
    against = ", against the others" if share < 0 else ""
    return (
        f"{name} · of the gradient at step {step}, {of}, {format_size(share)} comes from the loss at step {loss}"
        f"{against} (its own norm {format_size(norm)})"
    )


def loss_pixels(part: LossShares, axis: LogAxis, size: int, theme: Theme) -> NDArray[np.uint8]:
    """Return a square as (size, size, 4) uint8, blue first.

    Norms take the sequential map over the decades of the axis; where several cells share a pixel the largest is shown.
    An exact zero is hatched; what cannot be felt, as it lies after its loss, is left empty.
    """
    steps = len(part.total)
    logs = np.full(part.norms.shape, -np.inf)
    np.log10(part.norms, out=logs, where=part.norms > 0)
    logs[~np.isfinite(part.norms)] = np.nan
    empty = np.triu(np.ones(logs.shape, bool), 1) if part.causal else np.zeros(logs.shape, bool)
    if steps <= size:
        cells = np.repeat(np.arange(steps), np.diff(unit_edges(steps, size)))
        logs, empty = logs[np.ix_(cells, cells)], empty[np.ix_(cells, cells)]
    else:
        starts = -(-np.arange(size) * steps // size)
        for across in (0, 1):
            logs = np.maximum.reduceat(logs, starts, axis=across)
            empty = np.logical_and.reduceat(empty, starts, axis=across)
    fraction = (np.clip(logs, axis.low, axis.high) - axis.low) / (axis.high - axis.low)
    index = np.where(np.isnan(fraction), MISSING, np.rint(np.nan_to_num(fraction) * (LEVELS - 1))).astype(np.uint8)
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[:, :, :3] = theme.gate_table[:, 2::-1][index]
    down, along = np.indices((size, size))
    zero = (logs == -np.inf) & ~empty
    pixels[zero, :3] = _blue_first(theme.panel)
    pixels[zero & ((down + along) % _HATCH == 0), :3] = _blue_first(theme.ink3)
    pixels[empty, :3] = _blue_first(theme.sunken)
    return pixels


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Return (height, width, 4) uint8 as a picture with memory of its own."""
    height, width = pixels.shape[:2]
    opaque = pixels.copy()
    opaque[:, :, 3] = 255
    data = opaque.tobytes()
    return QImage(data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def _blue_first(colour: str) -> tuple[Any, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (5, 3, 1))
