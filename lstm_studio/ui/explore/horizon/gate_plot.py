"""How often each gate is shut against how often it is open, one square for each gate, one ring for each unit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from lstm_studio.session.saturation import GateSaturation
from lstm_studio.ui.explore.horizon.squares import SquarePlots
from lstm_studio.ui.explore.horizon.words import percent
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.row_item import paint_frame
from lstm_studio.ui.theme import BADGE_SIZE, GRID, HALF_GRID, Text, Theme
from lstm_studio.ui.widgets.badge import paint_badge

_PITCH = 170
"""Width from which one more square stands beside the others."""
_MOST_COLUMNS = 4
_RING, _SELECTED = 3.2, 4.4
_INSET = 6.0
_REACH = 14.0
"""Pixels from a ring at which it can still be pointed at."""


@dataclass(frozen=True, eq=False, slots=True)
class GatePicture:
    """What the squares show.

    Parameters
    ----------
    gates
        One square each.
    titles
        What each is called, ``"Forget gate"``.
    summary
        For screen readers.
    """

    gates: tuple[GateSaturation, ...]
    titles: tuple[str, ...]
    summary: str


class GatePlots(SquarePlots):
    """Squares from 0 to 1 both ways, of which only the lower left half can be reached; a click chooses a unit."""

    unit_chosen = Signal(str, int)
    """Layer (``"0:lstm.0"``) and unit."""
    least, comfortable = 84, 240

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Gates shut and open")
        self._shown = GatePicture((), (), "")
        self._selected: tuple[int, ...] = ()

    def show_picture(self, picture: GatePicture) -> None:
        """Show other gates."""
        self._shown = picture
        self.describe(picture.summary)
        self.updateGeometry()
        self.redraw()

    def show_units(self, units: tuple[int, ...]) -> None:
        """Mark for each gate the unit that is selected in its layer."""
        if units != self._selected:
            self._selected = units
            self.update()

    # Places.

    @property
    def count(self) -> int:
        """How many gates there are."""
        return len(self._shown.gates)

    def columns(self, width: float) -> int:
        """Return how many gates stand beside each other."""
        count = max(1, self.count)
        columns = max(1, min(count, _MOST_COLUMNS, int((width + 2 * GRID) / _PITCH) or 1))
        return max(columns, min(2, count)) if width >= 240 else columns

    @property
    def left(self) -> float:
        """Room for the axis to the left of each square."""
        return self.look.metrics(Text.TICK).horizontalAdvance("1") + HALF_GRID + self.line_height

    @property
    def above(self) -> float:
        """Room for the title above each square."""
        return self._title_height + 2 * HALF_GRID

    @property
    def _title_height(self) -> float:
        return max(BADGE_SIZE, self.look.metrics(Text.ROW_LABEL).height())

    @property
    def below(self) -> float:
        """Room for the axis below each square."""
        return 2 * self.line_height + HALF_GRID

    def squares(self) -> tuple[QRectF, ...]:
        """Return each plot inside its frame."""
        side = math.floor(self.side)
        return tuple(QRectF(corner.x(), corner.y(), side, side) for corner in self.corners(side))

    def points(self, index: int) -> NDArray[np.float64]:
        """Return the middle of each unit's ring in one square, (G, 2) logical pixels; not-a-number for unknown ones."""
        gate, inside = self._shown.gates[index], self.squares()[index].adjusted(_INSET, _INSET, -_INSET, -_INSET)
        x = inside.left() + gate.shut * inside.width()
        y = inside.bottom() - gate.open * inside.height()
        return np.stack([x, y], axis=1)

    # Drawing.

    def paint(self, painter: QPainter) -> None:
        """Draw squares, their limits and rings."""
        for index, (gate, title, inside) in enumerate(
            zip(self._shown.gates, self._shown.titles, self.squares(), strict=True)
        ):
            self._paint_square(painter, gate, title, inside)
            colour = QColor(self.theme.roles[gate.gate.role].mark)
            fill = QColor(colour)
            fill.setAlphaF(0.25)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(colour, 1.2))
            painter.setBrush(fill)
            for x, y in self.points(index):
                if np.isfinite(x) and np.isfinite(y):
                    painter.drawEllipse(QPointF(x, y), _RING, _RING)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def _paint_square(self, painter: QPainter, gate: GateSaturation, title: str, inside: QRectF) -> None:
        painter.setFont(self.look.font(Text.TICK_BOLD))
        side = self._title_height
        badge = QRectF(inside.left(), inside.top() - side - HALF_GRID, side, side)
        paint_badge(painter, badge, gate.gate.badge, gate.gate.role, self.theme)
        painter.setFont(self.look.font(Text.ROW_LABEL))
        painter.setPen(QColor(self.theme.ink))
        room = QRectF(badge.right() + HALF_GRID, badge.top(), inside.right() - badge.right() - HALF_GRID, side)
        words = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
        painter.fillRect(inside, QColor(self.theme.panel))
        plot = inside.adjusted(_INSET, _INSET, -_INSET, -_INSET)
        for part in (0.25, 0.5, 0.75):
            y = round(plot.bottom() - part * plot.height())
            painter.fillRect(QRectF(inside.left(), y, inside.width(), 1), QColor(self.theme.grid))
        pen = QPen(QColor(self.theme.ink2), 1)
        pen.setDashPattern([7, 4])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        painter.drawLine(plot.topLeft(), plot.bottomRight())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        paint_frame(painter, inside, self.theme.frame)
        centre, right = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for part in (0, 1):
            at = QPointF(plot.left() + part * plot.width(), inside.bottom() + 2)
            self.write(painter, str(part), at, centre)
            at = QPointF(inside.left() - HALF_GRID, plot.bottom() - part * plot.height())
            self.write(painter, str(part), at, right)
        self.write(painter, "below 0.1", QPointF(inside.center().x(), inside.bottom() + 2), centre)
        painter.save()
        painter.translate(inside.left() - HALF_GRID - self.line_height + 2, inside.center().y())
        painter.rotate(-90)
        self.write(painter, "above 0.9", QPointF(0, -self.line_height / 2), centre)
        painter.restore()

    def paint_over(self, painter: QPainter) -> None:
        """Draw the selected units over all others, with their numbers."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, gate in enumerate(self._shown.gates):
            if index >= len(self._selected):
                return
            unit = self._selected[index] // gate.units_each
            if unit >= len(gate.shut) or np.isnan(gate.shut[unit]):
                continue
            x, y = self.points(index)[unit]
            painter.setPen(QPen(QColor(self.theme.halo), 4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, y), _SELECTED, _SELECTED)
            painter.setPen(QPen(QColor(self.theme.ink), 2))
            painter.setBrush(QColor(self.theme.roles[gate.gate.role].mark))
            painter.drawEllipse(QPointF(x, y), _SELECTED, _SELECTED)
            inside = self.squares()[index]
            left = x > inside.center().x()
            side = Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft
            top = min(max(y, inside.top() + self.line_height / 2), inside.bottom() - self.line_height / 2)
            at = QPointF(x - 8 if left else x + 8, top)
            self._write_over(painter, str(unit), at, side)

    def _write_over(self, painter: QPainter, text: str, at: QPointF, side: Qt.AlignmentFlag) -> None:
        """Write on a ground of its own, so that rings do not run through the number."""
        width = self.look.metrics(Text.TICK_BOLD).horizontalAdvance(text) + 2
        left = at.x() - width if side is Qt.AlignmentFlag.AlignRight else at.x()
        ground = QColor(self.theme.panel)
        ground.setAlphaF(0.85)
        painter.fillRect(QRectF(left - 1, at.y() - self.line_height / 2 + 1, width, self.line_height - 2), ground)
        self.write(painter, text, at, side | Qt.AlignmentFlag.AlignVCenter, bold=True)

    # The mouse.

    def unit_at(self, at: QPointF) -> tuple[int, int] | None:
        """Return square and nearest ring, or None where none is near."""
        for index, inside in enumerate(self.squares()):
            if inside.contains(at):
                distance = np.hypot(*(self.points(index) - (at.x(), at.y())).T)
                if not np.isfinite(distance).any():
                    return None
                nearest = int(np.nanargmin(distance))
                return (index, nearest) if distance[nearest] <= _REACH else None
        return None

    def text_at(self, at: QPointF) -> str:
        """Say how often the nearest gate is shut and open, and how many lie on the same spot."""
        found = self.unit_at(at)
        if found is None:
            return ""
        index, unit = found
        gate = self._shown.gates[index]
        points = self.points(index)
        same = int(np.count_nonzero(np.hypot(*(points - points[unit]).T) < 0.5))
        text = gate_text(gate, self._shown.titles[index], unit)
        return f"{text} · {format_count(same)} units here" if same > 1 else text

    def choose_at(self, at: QPointF) -> None:
        """Choose the unit of the nearest ring."""
        found = self.unit_at(at)
        if found is not None:
            gate = self._shown.gates[found[0]]
            self.unit_chosen.emit(f"{gate.network}:{gate.layer.prefix}", found[1] * gate.units_each)


def gate_text(gate: GateSaturation, title: str, unit: int) -> str:
    """Say how often one gate is shut and open."""
    name = f"unit {unit}" if gate.units_each == 1 else f"block {unit}"
    shut, opened = percent(gate.shut[unit]), percent(gate.open[unit])
    return f"{title} · {name} · below 0.1 at {shut} of the steps, above 0.9 at {opened}"
