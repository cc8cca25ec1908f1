"""Symbols of a one-hot sequence: how they are written, and a strip of boxes to choose one from."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from lstm_studio.ui.theme import BADGE_RADIUS, HALF_GRID, Text, Theme
from lstm_studio.ui.widgets.text import text_font, written_tip

_INVISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍"}
_PADDING = 5


def written(symbol: str) -> str:
    """Return a symbol as it is drawn: what would be invisible gets a sign; blanks between words stay."""
    if symbol.strip():
        return symbol
    return "".join(_INVISIBLE.get(letter, letter) for letter in symbol) or "∅"


def paint_symbol(painter: QPainter, rect: QRectF, text: str, theme: Theme, *, filled: bool, current: bool) -> None:
    """Draw one box with the painter's font: filled for an event, a strong border for the current symbol."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = 2.0 if current else 1.0
    box = rect.adjusted(width / 2, width / 2, -width / 2, -width / 2)
    painter.setPen(QPen(QColor(theme.ink if current or filled else theme.control), width))
    painter.setBrush(QColor(theme.ink if filled and not current else theme.panel))
    painter.drawRoundedRect(box, BADGE_RADIUS, BADGE_RADIUS)
    painter.setPen(QColor(theme.panel if filled and not current else theme.ink))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.restore()


class SymbolBox(QWidget):
    """One symbol, large, as in the inspector."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._text = theme, ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_symbol(self, symbol: str) -> None:
        """Show another symbol."""
        self._text = written(symbol)
        self.setAccessibleName(f"symbol {symbol}")
        self.updateGeometry()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Return a square, wider for a long name."""
        metrics = QFontMetricsF(text_font(self, Text.ACTIVE))
        side = round(metrics.height() + 8)
        return QSize(max(side, round(metrics.horizontalAdvance(self._text) + 2 * _PADDING)), side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the box."""
        painter = QPainter(self)
        painter.setFont(text_font(self, Text.ACTIVE))
        paint_symbol(painter, QRectF(self.rect()), self._text, self._theme, filled=False, current=True)


class SymbolChips(QWidget):
    """All symbols as boxes in rows; click one, or move with the arrow keys and press Enter.

    Parameters
    ----------
    action
        What choosing does, with ``{}`` for the symbol, for tool tips: ``"Add {} at the end"``.
    """

    chosen = Signal(int)
    """Index of the symbol that the user chose."""

    def __init__(self, theme: Theme, action: str) -> None:
        super().__init__()
        self._theme, self._action = theme, action
        self._symbols: tuple[str, ...] = ()
        self._emphasis: frozenset[str] = frozenset()
        self._current = -1
        self._hover = -1
        self._keyboard = 0
        self.setAccessibleName("Symbols")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_symbols(self, symbols: tuple[str, ...], emphasis: frozenset[str], action: str) -> None:
        """Show other symbols."""
        self._action = action
        if (symbols, emphasis) != (self._symbols, self._emphasis):
            self._symbols, self._emphasis = symbols, emphasis
            self._current = self._hover = -1
            self._keyboard = 0
            self.updateGeometry()
            self.update()

    def show_current(self, index: int) -> None:
        """Mark the symbol at the time cursor, −1 for none."""
        if index != self._current:
            self._current = index
            named = f"current: {self._symbols[index]}" if index >= 0 else "none current"
            self.setAccessibleName(f"Symbols, {named}")
            self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme."""
        self._theme = theme
        self.update()

    def boxes(self, width: int) -> list[QRect]:
        """Return the box of each symbol for a width of the widget."""
        metrics = QFontMetricsF(text_font(self, Text.ACTIVE))
        side = round(metrics.height() + 6)
        boxes, x, y = [], 0, 0
        for symbol in self._symbols:
            wide = max(side, round(metrics.horizontalAdvance(written(symbol)) + 2 * _PADDING))
            if x and x + wide > width:
                x, y = 0, y + side + HALF_GRID
            boxes.append(QRect(x, y, wide, side))
            x += wide + HALF_GRID
        return boxes

    def hasHeightForWidth(self) -> bool:
        """Return True: a narrower strip has more rows."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height that the rows take."""
        boxes = self.boxes(width)
        return boxes[-1].bottom() + 1 if boxes else 0

    def sizeHint(self) -> QSize:
        """Return the size in a dock of usual width."""
        return QSize(208, self.heightForWidth(208))

    def minimumSizeHint(self) -> QSize:
        """Return the height of one row."""
        boxes = self.boxes(10_000)
        return QSize(max((box.width() for box in boxes), default=0), boxes[0].height() if boxes else 0)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the boxes; the one with the keyboard focus gets a ring."""
        painter = QPainter(self)
        painter.setFont(text_font(self, Text.ACTIVE))
        for index, (symbol, box) in enumerate(zip(self._symbols, self.boxes(self.width()), strict=True)):
            rect = QRectF(box)
            paint_symbol(
                painter,
                rect,
                written(symbol),
                self._theme,
                filled=symbol in self._emphasis,
                current=index == self._current,
            )
            if index == self._hover or (self.hasFocus() and index == self._keyboard):
                painter.setPen(QPen(QColor(self._theme.focus), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), BADGE_RADIUS, BADGE_RADIUS)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Ring the box under the mouse."""
        self._point_at(self._index_at(event))

    def leaveEvent(self, _event: QEvent) -> None:
        """Ring none."""
        self._point_at(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the box under the mouse."""
        index = self._index_at(event)
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._keyboard = index
            self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move with the arrow keys, choose with Return; Space plays, as everywhere in the window."""
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        key = Qt.Key(event.key())
        if key in moves and self._symbols:
            self._keyboard = max(0, min(self._keyboard + moves[key], len(self._symbols) - 1))
            self.update()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and self._symbols:
            self.chosen.emit(self._keyboard)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Keep the keys of :meth:`keyPressEvent` from the window's shortcuts, and name the box in a tool tip."""
        own_keys = {Qt.Key.Key_Left, Qt.Key.Key_Right}
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in own_keys:
            event.accept()
            return True
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._box_at(event.pos().x(), event.pos().y())
            words = self._action.format(self._symbols[index]) if index >= 0 else ""
            QToolTip.showText(event.globalPos(), written_tip(words), self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring."""
        super().focusOutEvent(event)
        self.update()

    def _index_at(self, event: QMouseEvent) -> int:
        return self._box_at(round(event.position().x()), round(event.position().y()))

    def _box_at(self, x: int, y: int) -> int:
        boxes = self.boxes(self.width())
        return next((index for index, box in enumerate(boxes) if box.contains(x, y)), -1)

    def _point_at(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            self.update()
