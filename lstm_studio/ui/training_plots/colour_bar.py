"""The bar with the colours of gradients by lag: of one heat map, or of several below each other."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from lstm_studio.ui.numbers import format_decade
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.plots.row_item import TICK_GAP, Look, paint_frame
from lstm_studio.ui.theme import COLOUR_BAR_WIDTH, GRID, LEVELS, Text

_TITLES = ("gradient norm, log axis", "gradient norm")
_SHARED = "gradient norm, log, same scale for both"


def bar_width(look: Look, *, titled: bool) -> float:
    """Return the pixels that bar, ticks and title need beside a frame."""
    metrics = look.metrics(Text.TICK)
    title = metrics.height() + 2 if titled else 2
    return GRID + COLOUR_BAR_WIDTH + TICK_GAP + metrics.horizontalAdvance("1e−20") + title


def paint_colour_bar(
    painter: QPainter, look: Look, bar: QRectF, axis: LogAxis, *, titled: bool, shared: bool = False
) -> None:
    """Draw the colours from the top down, the decades beside them, and what they stand for.

    Parameters
    ----------
    painter
        In logical pixels.
    look
        Theme and fonts.
    bar
        Where the colours are.
    axis
        What they reach over.
    titled
        Whether there is room for a title beside the decades.
    shared
        Whether it is the bar of several heat maps.
    """
    theme = look.theme
    ramp = np.empty((LEVELS, 1, 4), np.uint8)
    ramp[:, 0, :3] = theme.gate_table[LEVELS - 1 :: -1, 2::-1]
    ramp[:, 0, 3] = 255
    painter.drawImage(bar, QImage(ramp.tobytes(), 1, LEVELS, 4, QImage.Format.Format_RGB32).copy())
    paint_frame(painter, bar, theme.frame)
    painter.setFont(look.font(Text.TICK))
    painter.setPen(QColor(theme.ink2))
    metrics = look.metrics(Text.TICK)
    height, widest = metrics.height(), 0.0
    for exponent in axis.ticks(max(2, int(bar.height() / (1.8 * height)))):
        y = bar.bottom() - (exponent - axis.low) / (axis.high - axis.low) * bar.height()
        painter.fillRect(QRectF(bar.right() + 1, min(round(y), bar.bottom() - 1), 3, 1), QColor(theme.frame))
        top = min(max(y - height / 2, bar.top() - 3), bar.bottom() - height + 3)
        text = format_decade(exponent)
        widest = max(widest, metrics.horizontalAdvance(text))
        room = QRectF(bar.right() + TICK_GAP, top, metrics.horizontalAdvance(text) + 2, height)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
    titles = (_SHARED, *_TITLES) if shared else _TITLES
    title = next((text for text in titles if metrics.horizontalAdvance(text) < bar.height()), "")
    if titled and title:
        painter.save()
        painter.translate(bar.right() + TICK_GAP + widest + 2, bar.center().y())
        painter.rotate(-90)
        width = metrics.horizontalAdvance(title) + 2
        painter.drawText(QRectF(-width / 2, 0, width, height), Qt.AlignmentFlag.AlignCenter, title)
        painter.restore()


class ColourBar(QWidget):
    """The bar beside several heat maps below each other; the mouse reaches what is under it."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self.look = look
        self._axis, self._shared = LogAxis(-1, 0), False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_axis(self, axis: LogAxis, *, shared: bool) -> None:
        """Show another range; ``shared`` by several heat maps."""
        if (axis, shared) != (self._axis, self._shared):
            self._axis, self._shared = axis, shared
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it; above and below is room for half a line."""
        painter = QPainter(self)
        half = round(self.look.metrics(Text.TICK).height() / 2)
        bar = QRectF(GRID, half, COLOUR_BAR_WIDTH, self.height() - 2 * half)
        if bar.height() > GRID:
            paint_colour_bar(painter, self.look, bar, self._axis, titled=True, shared=self._shared)
        painter.end()
