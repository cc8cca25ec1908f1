"""A one-hot input: letters in boxes, or a strip of tones where letters do not fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from lstm_studio.ui.plots.row_item import Look, RowItem
from lstm_studio.ui.plots.rows import StackState, SymbolRow
from lstm_studio.ui.theme import Text

_VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍"}
_EMPHASIS = 255
_DARKEST_TONE = 0.75


class SymbolItem(RowItem):
    """One letter box per step.

    The first of the emphasised symbols is filled with ink and the second outlined with it, in turns; a symbol that
    marks only the first or the last step is bold.

    Parameters
    ----------
    row
        What to draw.
    look
        Theme and text scale.
    """

    framed = False

    def __init__(self, row: SymbolRow, look: Look) -> None:
        super().__init__(look)
        self.row = row

    def set_row(self, row: SymbolRow) -> None:
        """Show other symbols."""
        changed = row.symbols is not self.row.symbols or row.emphasis != self.row.emphasis
        self.row = row
        if changed:
            self.__dict__.pop("tones", None)
            self.redraw()

    def apply(self, state: StackState) -> None:
        """Do nothing: symbols follow neither selection nor order."""

    @property
    def length(self) -> int:
        """How many steps the row has, of the stack's."""
        return len(self.row.symbols)

    @property
    def title(self) -> str:
        """The row's title."""
        return self.row.title

    @cached_property
    def tones(self) -> NDArray[np.uint8]:
        """(T,) tone of each step in the strip: 255 for emphasised symbols, else 0 … 254 in the symbols' order."""
        ordinary = sorted(set(self.row.symbols) - self.row.emphasis)
        step = (_EMPHASIS - 1) / max(1, len(ordinary) - 1)
        tone = {symbol: round(place * step) for place, symbol in enumerate(ordinary)}
        return np.array([tone.get(symbol, _EMPHASIS) for symbol in self.row.symbols], np.uint8)

    @property
    def letters_fit(self) -> bool:
        """Whether the widest symbol fits into a column."""
        metrics = QFontMetricsF(self._bold)
        widest = max((metrics.horizontalAdvance(_shown(symbol)) for symbol in set(self.row.symbols)), default=0.0)
        return self.scale_of_time.column >= widest + 2

    @property
    def _bold(self) -> QFont:
        bold = QFont(self.look.font(Text.BODY))
        bold.setBold(True)
        return bold

    def render(self, painter: QPainter) -> None:
        """Draw boxes or strip."""
        if self.letters_fit:
            ratio = self.scale_of_time.ratio
            painter.scale(ratio, ratio)
            scale = self.scale_of_time
            for step in range(scale.first, min(scale.first + scale.count, len(self.row.symbols))):
                left, right = scale.column_edges(step)
                self._paint_box(painter, step, QRectF(left - scale.left, 0, right - left, self.height))
        else:
            self._paint_strip(painter)

    def _paint_box(self, painter: QPainter, step: int, box: QRectF) -> None:
        theme = self.look.theme
        symbol = self.row.symbols[step]
        fill, edge, ink, bold, width = theme.sunken, theme.line, theme.ink2, False, 1.0
        if symbol in self.row.emphasis:
            bold = True
            filled = sorted(self.row.emphasis).index(symbol) % 2 == 0
            fill, edge, ink = (theme.ink, theme.ink, theme.panel) if filled else (theme.panel, theme.ink, theme.ink)
            width = 1.0 if filled else 1.6
        elif step in (0, len(self.row.symbols) - 1) and self.row.symbols.count(symbol) == 1:
            fill, ink, bold = theme.hover, theme.ink, True
        painter.setPen(QPen(QColor(edge), width))
        painter.setBrush(QColor(fill))
        # All of the line inside: a file does not cut what lies beyond the row.
        inset = width / 2
        painter.drawRect(box.adjusted(inset, inset, -inset, -inset))
        painter.setPen(QColor(ink))
        painter.setFont(self._bold if bold else self.look.font(Text.BODY))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _shown(symbol))

    def _paint_strip(self, painter: QPainter) -> None:
        scale = self.scale_of_time
        scale = scale.until(len(self.row.symbols))
        if not scale.pixels:
            return
        visible = self.tones[scale.first : scale.first + scale.count]
        if scale.reduced:
            # An emphasised symbol is the largest tone: it is never lost among its neighbours.
            visible = np.maximum.reduceat(visible, scale.starts)
        else:
            visible = np.repeat(visible, np.diff(scale.edges)[: len(visible)])
        width = len(visible)
        pixels = np.ascontiguousarray(np.broadcast_to(visible, (self.pixel_height, width)))
        image = QImage(pixels.tobytes(), width, self.pixel_height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(self._tone_table())
        painter.drawImage(QPointF(0, 0), image.convertToFormat(QImage.Format.Format_RGB32))

    def _tone_table(self) -> list[int]:
        pale, dark = QColor(self.look.theme.sunken), QColor(self.look.theme.ink3)
        table = []
        ends = ((pale.red(), dark.red()), (pale.green(), dark.green()), (pale.blue(), dark.blue()))
        for tone in range(_EMPHASIS):
            part = _DARKEST_TONE * tone / (_EMPHASIS - 1)
            red, green, blue = (round(start + (end - start) * part) for start, end in ends)
            table.append(QColor(red, green, blue).rgb())
        return [*table, QColor(self.look.theme.ink).rgb()]

    def value_text(self, step: int) -> tuple[str, str]:
        """Return the symbol at a step."""
        return "", _shown(self.row.symbols[step]) if 0 <= step < len(self.row.symbols) else ""

    def side_needed(self) -> float:
        """Return nothing: there is no scale."""
        return 0.0

    def summary(self) -> str:
        """Return how many steps and symbols there are."""
        return f"{len(self.row.symbols)} symbols, {len(set(self.row.symbols))} different ones"

    def hover_text(self, step: int, y: float, label: Callable[[int], str]) -> str:  # noqa: ARG002 - as of all rows
        """Return the symbol and its step."""
        return f"{self.row.title} · step {label(step)} · {_shown(self.row.symbols[step])}"


def _shown(symbol: str) -> str:
    return _VISIBLE.get(symbol, symbol)
