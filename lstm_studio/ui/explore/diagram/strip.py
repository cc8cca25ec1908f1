"""A strip: the column of a heat map at the cursor, with the selected unit's value beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from lstm_studio.networks.wiring import STRIP_WIDTH, Side, Strip
from lstm_studio.ui.explore.diagram.bands import Bands
from lstm_studio.ui.explore.diagram.items import PaintedMark
from lstm_studio.ui.explore.diagram.look import DiagramLook
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.theme import Text

_REACH = 90.0
"""How far a value reaches beside its strip."""
_FOOT, _FOOT_LEFT = 20.0, 30.0
"""How far a value reaches below it and to the left, where there is no room beside it."""
_ROW = 4.0
"""Height of a line of inputs, of which there may be few."""
_LEAST = 12.0
_MARKER = 4.5
_OFF_HALF = 0.002
"""Keeps lines off halves of pixels, where the foot of one and the top of the next may be rounded differently."""


class StripMark(PaintedMark):
    """The values of all units on a wire.

    Parameters
    ----------
    strip
        Where it is and what it shows.
    edge
        Local units from its middle to the right edge of the diagram.
    """

    def __init__(self, look: DiagramLook, strip: Strip, edge: float) -> None:
        super().__init__(look, strip.phases)
        self.strip, self._edge = strip, edge
        self.setPos(strip.x, strip.y)
        self.setZValue(2)
        self.height = strip.height
        self.bands: Bands | None = None
        self.index: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.value: float | None = None
        self.dragged: float | None = None
        """The value that the user drags the selected unit to."""
        self._signed = False
        self._lines: list[QRectF] = []
        self._apart: list[QRectF] = []
        self._text = ""
        self._body = self._bounds = QRectF()
        self._marked_y = 0.0
        self.value_rect = QRectF()
        """Where the value stands, in the strip's own coordinates; empty without one."""
        self._measure()

    def show_column(self, bands: Bands, index: NDArray[np.uint8], *, signed: bool, value: float | None) -> None:
        """Show other values.

        Parameters
        ----------
        bands
            The lines.
        index
            Of each line, in the colour table.
        signed
            Which of the tables.
        value
            The selected unit's, or None where none is marked.
        """
        same = bands is self.bands and signed == self._signed and value == self.value
        if same and np.array_equal(index, self.index):
            return
        moved = bands is not self.bands
        revalued = moved or value != self.value
        self.bands, self.index, self._signed, self.value = bands, index, signed, value
        if moved:
            self._lay_out()
            self.update()
            return
        # Only what changes: a step of all strips is drawn in a few milliseconds.
        self.update(self.body)
        if revalued:
            self._place_value()

    def show_nothing(self) -> None:
        """Show that nothing was recorded."""
        if self.bands is not None:
            self.bands, self.value = None, None
            self._lay_out()
            self.update()

    def show_size(self, lines: int | None) -> None:
        """Be as high as so many inputs need, or as high as there is room."""
        height = self.strip.height
        if lines is not None:
            height = min(height, max(_LEAST, lines * _ROW))
        if height != self.height:
            self.prepareGeometryChange()
            self.height = height
            self._measure()
            self._lay_out()
            self.update()

    def drag_to(self, value: float | None) -> None:
        """Show a value that is being chosen; None for the recorded one."""
        if value != self.dragged:
            self.dragged = value
            self._place_value()

    @property
    def value_text(self) -> str:
        """What stands beside the strip."""
        shown = self.value if self.dragged is None else self.dragged
        return "" if shown is None else format_number(shown)

    @property
    def body(self) -> QRectF:
        """The strip itself, in its own coordinates."""
        return self._body

    def _measure(self) -> None:
        """Find what it covers, which is asked for with every step."""
        half = self.strip.height / 2
        top = -self.height / 2 if self.strip.centred else half - self.height
        self._body = QRectF(-STRIP_WIDTH / 2, top, STRIP_WIDTH, self.height)
        rect = self._body.adjusted(-1, -1, 1, 1)
        if self.strip.value is Side.RIGHT:
            rect.setRight(_REACH)
            rect.setLeft(-_FOOT_LEFT)
        elif self.strip.value is Side.LEFT:
            rect.setLeft(-_REACH)
        self._bounds = rect.adjusted(-1, -4, 1, _FOOT)

    def apply_look(self, look: DiagramLook) -> None:
        """Draw in other colours, or for another scale."""
        super().apply_look(look)
        self._place_value()

    def _lay_out(self) -> None:
        """Find the place of each line and of the value."""
        body, bands = self.body, self.bands
        lines = 0 if bands is None else bands.count + (bands.alone is not None)
        spans = [] if bands is None else [bands.span(line, self.height) for line in range(lines)]
        first = body.top() + _OFF_HALF
        self._apart = [QRectF(body.left(), first + top, STRIP_WIDTH, bottom - top) for top, bottom in spans]
        # Each line reaches down behind those below it: no seam is left between two, whatever the scale.
        foot = 0.0 if bands is None else spans[bands.count - 1][1]
        self._lines = [
            QRectF(body.left(), body.top() + top, STRIP_WIDTH, max(foot, bottom) - top) for top, bottom in spans
        ]
        marked = None if bands is None else bands.marked
        self._marked_y = 0.0 if marked is None else body.top() + sum(spans[marked]) / 2
        self._place_value()

    def _lines_at(self, opacity: float) -> list[QRectF]:
        """Return the lines; where they can be seen through, those behind others must not lie below them, too."""
        return self._lines if opacity >= 1.0 else self._apart

    def _place_value(self) -> None:
        self.update(self.value_rect.adjusted(-3, -1, 3, 1))
        text, metrics = self.value_text, self.look.metrics[Text.VALUE]
        self._text = text
        if not text or self.strip.value is None:
            self.value_rect = QRectF()
            return
        width, height = metrics.horizontalAdvance(text) + 1, metrics.height()
        low, high = self.strip.room
        y = min(max(self._marked_y, low), high)
        gap = STRIP_WIDTH / 2 + 2 + _MARKER + 2
        left = gap if self.strip.value is Side.RIGHT else -gap - width
        if left + width > self._edge:
            # At the end of the diagram a long number would be cut: below the strip it has room to the left.
            left, y = self._edge - width, self._body.bottom() + height / 2 + 1
        self.value_rect = QRectF(left, y - height / 2, width, height)
        self.update(self.value_rect.adjusted(-3, -1, 3, 1))

    def line_at(self, at: QPointF) -> int | None:
        """Return the line at a point in its own coordinates."""
        return None if self.bands is None else self.bands.line_at(at.y() - self.body.top(), self.height)

    def boundingRect(self) -> QRectF:
        """Return the strip, and the room for a value beside it."""
        return self._bounds

    def draw(self, painter: QPainter) -> None:
        """Draw the lines, the frame, and the selected unit's value."""
        look, body = self.look, self._body
        # Without antialiasing the lines begin and end with whole pixels, and leave no seams.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if self.bands is None:
            painter.fillRect(body, QColor(look.theme.sunken))
        else:
            table, fill = look.tables[self._signed], painter.fillRect
            for line, level in zip(self._lines_at(painter.opacity()), self.index.tolist(), strict=True):
                fill(line, table[level])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if self.bands is None:
            pen = QPen(QColor(look.theme.frame), 1)
            pen.setDashPattern([3, 2])
            painter.setPen(pen)
        else:
            painter.setPen(look.frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(body.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.bands is not None and self.bands.marked is not None:
            self._draw_value(painter)

    def _draw_value(self, painter: QPainter) -> None:
        theme, rect, y = self.look.theme, self.value_rect, self._marked_y
        if rect.isNull():
            return
        colour = self.look.ink if self.dragged is None else QColor(theme.focus)
        right = self.strip.value is Side.RIGHT
        sign = 1.0 if right else -1.0
        tip = sign * (STRIP_WIDTH / 2 + 2)
        back = tip + sign * _MARKER
        if abs(rect.center().y() - y) > 1:
            painter.setPen(QPen(QColor(theme.ink3), 1))
            painter.drawLine(QPointF(back, y), QPointF(back, rect.center().y()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(tip, y), QPointF(back, y - 3.6), QPointF(back, y + 3.6)]))
        # A long number may reach a wire: it stays readable there.
        painter.fillRect(rect.adjusted(-1, 1, 1, -1), self.look.panel)
        painter.setPen(colour)
        painter.setFont(self.look.fonts[Text.VALUE])
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._text)
