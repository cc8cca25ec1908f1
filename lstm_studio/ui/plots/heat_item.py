"""A row of units as a heat map: 8-bit indices with a 256-entry table, whole pixels, fixed levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from lstm_studio.ui.numbers import format_tick
from lstm_studio.ui.plots.raster import heat_pixels
from lstm_studio.ui.plots.row_item import LeftLabel, paint_frame, paint_marker
from lstm_studio.ui.plots.scale import unit_edges
from lstm_studio.ui.plots.unit_row import UnitItem
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, HALF_GRID, LEVELS, Text, Theme

_TICK_DISTANCE, _TICK_GAP = 12, 4
_PIN_BAR = 2


def colour_table(theme: Theme, *, signed: bool) -> list[int]:
    """Return 256 colours as 0xAARRGGBB: the signed map where the levels are symmetric about zero, else cividis."""
    table = theme.signed_table if signed else theme.gate_table
    red, green, blue = table[:, :3].T.astype(np.uint32)
    colours: list[int] = (np.uint32(0xFF000000) | red << 16 | green << 8 | blue).tolist()
    return colours


class HeatItem(UnitItem):
    """Units from the top down, steps from left to right, no interpolation."""

    shows_selection = False

    @property
    def colour_table(self) -> list[int]:
        """256 colours as 0xAARRGGBB."""
        return colour_table(self.look.theme, signed=self.row.signed)

    def render(self, painter: QPainter) -> None:
        """Draw the visible steps."""
        scale = self.scale_of_time.until(len(self.row.values))
        if not scale.pixels:
            return
        pixels = heat_pixels(self.derived.index, self.derived.reference, self.order, scale, self.pixel_height)
        painter.drawImage(QPointF(0, 0), self._image(pixels.tobytes(), pixels.shape[1], pixels.shape[0]))

    def _image(self, pixels: bytes, width: int, height: int) -> QImage:
        image = QImage(pixels, width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(self.colour_table)
        return image.convertToFormat(QImage.Format.Format_RGB32)

    def has_in_sight(self, unit: int) -> bool:
        """Return whether a unit has a place."""
        return self.order is None or bool((self.order == unit).any())

    def position_of(self, unit: int) -> int:
        """Return the place from the top, 0-based, of a unit that is in sight."""
        return unit if self.order is None else int((self.order == unit).nonzero()[0][0])

    def y_of_unit(self, unit: int) -> float:
        """Return the middle of the row of a unit that is in sight, in logical pixels."""
        return self._y_of_place(self.position_of(unit))

    @property
    def _marked(self) -> int | None:
        """The selected unit, where it is in sight."""
        return self.selected if self.selected is not None and self.has_in_sight(self.selected) else None

    def _y_of_place(self, place: int) -> float:
        edges = unit_edges(self.shown, self.pixel_height)
        return float(edges[place] + max(edges[place] + 1, edges[place + 1])) / 2 / self.scale_of_time.ratio

    def _unit_of_place(self, place: int) -> int:
        return place if self.order is None else int(self.order[place])

    def unit_at(self, y: float) -> int | None:
        """Return the unit drawn at a height; where several share a pixel, the first of them."""
        if not 0 <= y < self.height:
            return None
        edges = unit_edges(self.shown, self.pixel_height)[:-1]
        pixel = int(y * self.scale_of_time.ratio)
        if self.shown > self.pixel_height:
            place = int(np.searchsorted(edges, pixel))
        else:
            place = int(np.searchsorted(edges, pixel, side="right")) - 1
        return self._unit_of_place(place)

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:
        """Return unit, step and value of a cell: where steps share a pixel, of the one that gives it its colour."""
        unit = self.unit_at(y)
        if unit is None:
            return ""
        scale = self.scale_of_time
        if scale.reduced:
            pixel = int(scale.edges[step - scale.first])
            first, last = np.searchsorted(scale.edges[:-1], (pixel, pixel + 1)) + scale.first
            distance = np.abs(self.derived.index[first:last, unit].astype(np.int16) - self.derived.reference[unit])
            step = int(first + distance.argmax())
        return self.unit_hover(step, unit, label)

    def left_labels(self) -> list[LeftLabel]:
        """Return the numbers of the first, the last and the selected unit, and of others that need naming.

        Those are the pinned ones, and all where units are not in their order and rows are high enough.
        """
        if self.row.names:
            return []
        marked = self._marked
        labels = [] if marked is None else [LeftLabel(self.y_of_unit(marked), str(marked), bold=True)]
        last = self.shown - 1
        others = range(self.shown) if self.order is not None else range(0)
        apart = self._tick_distance
        if self.height < apart * self.shown:
            others = range(min(self.pinned, int(self.height / apart)))
        for place in dict.fromkeys((0, last, *others)):
            y = self._y_of_place(place)
            if all(abs(self._inside(y) - self._inside(label.y)) >= apart for label in labels):
                labels.append(LeftLabel(y, str(self._unit_of_place(place))))
        return sorted(labels, key=lambda label: label.y)

    def paint_left(self, painter: QPainter) -> None:
        """Draw the numbers, a bar beside the units that are pinned, and ▸ at the selected unit."""
        super().paint_left(painter)
        if self.pinned:
            bottom = unit_edges(self.shown, self.pixel_height)[self.pinned] / self.scale_of_time.ratio
            painter.fillRect(QRectF(-_PIN_BAR - 1, 0, _PIN_BAR, bottom), QColor(self.look.theme.ink2))
        if self._marked is not None:
            paint_marker(painter, self.y_of_unit(self._marked), self.look.theme.ink)

    @property
    def _tick_distance(self) -> float:
        """How far apart two numbers have to be."""
        return max(_TICK_DISTANCE, self.look.metrics(Text.TICK).capHeight() + _TICK_GAP)

    def _inside(self, y: float) -> float:
        return min(max(y, 5.0), self.height - 5.0)

    def paint_right(self, painter: QPainter) -> None:
        """Draw the colour bar with its end values, and zero for signed values."""
        bar = QRectF(GRID, 0, COLOUR_BAR_WIDTH, self.height)
        ramp = bytes(range(LEVELS - 1, -1, -1))
        padded = b"".join(bytes([level]) + b"\0\0\0" for level in ramp)
        image = QImage(padded, 1, LEVELS, 4, QImage.Format.Format_Indexed8)
        image.setColorTable(self.colour_table)
        painter.drawImage(bar, image.convertToFormat(QImage.Format.Format_RGB32))
        paint_frame(painter, bar, self.look.theme.frame)
        painter.setFont(self.look.font(Text.TICK))
        painter.setPen(QColor(self.look.theme.ink2))
        half = painter.fontMetrics().capHeight() / 2 + 2
        for y, text in self._bar_labels(half):
            room = QRectF(bar.right() + HALF_GRID, y - 10, self.look.side_width, 20)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, text)

    def side_needed(self) -> float:
        """Return what the colour bar takes with its values, however high the row is."""
        low, high = self._ends
        widest = max(map(self.look.metrics(Text.TICK).horizontalAdvance, (low, high, self._whole_range)))
        return GRID + COLOUR_BAR_WIDTH + HALF_GRID + widest

    @property
    def _ends(self) -> tuple[str, str]:
        low, high = self.row.levels
        return format_tick(low, signed=self.row.signed), format_tick(high, signed=self.row.signed)

    @property
    def _whole_range(self) -> str:
        """Both ends in one text."""
        low, high = self.row.levels
        if self.row.signed and low == -high:
            return f"±{format_tick(high)}"
        return f"{format_tick(low)}…{format_tick(high)}"

    def _bar_labels(self, half: float) -> list[tuple[float, str]]:
        """Return y and text of what stands beside the colour bar; ``half`` is what a text needs above and below."""
        if self.height < 2 * self._tick_distance:
            # Two would lie over each other.
            return [(self.height / 2, self._whole_range)]
        low, high = self._ends
        ends = [(half, high), (self.height - half, low)]
        if self.row.signed and self.height >= max(40, 3 * self._tick_distance):
            ends.append((self.height / 2, format_tick(0.0, signed=True)))
        return ends
