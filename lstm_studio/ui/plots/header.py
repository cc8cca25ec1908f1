"""The label column: badge, name, symbol, the selected unit's value, and the button that changes the view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QHelpEvent, QPainter, QPaintEvent, QTextDocument
from PySide6.QtWidgets import QMenu, QToolButton, QToolTip, QWidget

from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.plots.row_item import Look
from lstm_studio.ui.plots.rows import GradientRow, Row, UnitRow, View
from lstm_studio.ui.theme import BADGE_RADIUS, BADGE_SIZE, HALF_GRID, Text

VIEW_ICONS = {View.HEAT: Icon.HEAT, View.LINES: Icon.LINES, View.BAND: Icon.BAND}
_BUTTON_SIZE = 17
_ICON_SIZE = 11
_MARGIN = 2
_TEXT_LEFT = float(BADGE_SIZE + HALF_GRID)
_VALUE_GAP = 8
_TICK_ROOM = 20
"""Kept free at the right of the third line for ticks of up to three digits, which reach into the column."""


class RowHeader(QWidget):
    """The label of one row.

    Parameters
    ----------
    row
        What it labels.
    look
        Theme and text scale.
    parent
        The label column.
    """

    view_chosen = Signal(str, View)
    """Key of the row, and the view that was asked for."""

    def __init__(self, row: Row, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._row = row
        self._look = look
        self._what, self._value = "", ""
        self._note = QTextDocument(self)
        self._third = QTextDocument(self)
        self._button: QToolButton | None = None
        if isinstance(row, UnitRow):
            self._button = self._make_button()
        self.set_row(row)
        self.set_look(look)

    def _make_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("kind", "view")
        button.setFixedSize(_BUTTON_SIZE, _BUTTON_SIZE)
        button.setIconSize(QSize(_ICON_SIZE, _ICON_SIZE))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        menu = QMenu(button)
        for view in View:
            action = QAction(view.value.capitalize(), menu)
            action.setData(view)
            action.setCheckable(True)
            menu.addAction(action)
        menu.triggered.connect(self._choose)
        button.setMenu(menu)
        button.clicked.connect(self._next_view)
        return button

    def _choose(self, action: QAction) -> None:
        self.view_chosen.emit(self._row.key, View(action.data()))

    def _next_view(self) -> None:
        if isinstance(self._row, UnitRow):
            views = list(View)
            self.view_chosen.emit(self._row.key, views[(views.index(self._row.view) + 1) % len(views)])

    @property
    def view_button(self) -> QToolButton | None:
        """The button that goes to the next view; held down, it opens a menu. None where there is one view only."""
        return self._button

    def set_row(self, row: Row) -> None:
        """Show another row's label."""
        self._row = row
        self.setAccessibleName(row.title)
        if self._button is not None and isinstance(row, UnitRow):
            self._button.setAccessibleName(f"{row.title}: view, now {row.view.value}")
            self._button.setToolTip(f"Drawn as {row.view.value}. Click for the next view, hold for the list.")
            for action in self._button.menu().actions():
                action.setChecked(action.data() == row.view)
        self._write_documents()

    def set_look(self, look: Look) -> None:
        """Change colours and fonts."""
        self._look = look
        if self._button is not None and isinstance(self._row, UnitRow):
            self._button.setIcon(make_icon(VIEW_ICONS[self._row.view], look.theme, look.theme.ink2, _ICON_SIZE))
        self._write_documents()

    def _write_documents(self) -> None:
        row = self._row
        note = row.note if isinstance(row, GradientRow) else f"{row.symbol}&nbsp; {row.note}".removeprefix("&nbsp; ")
        colour = self._look.theme.ink2
        if self._button is not None and isinstance(row, UnitRow):
            self._button.setIcon(make_icon(VIEW_ICONS[row.view], self._look.theme, self._look.theme.ink2, _ICON_SIZE))
        for document, html in (
            (self._note, note),
            (self._third, row.objective if isinstance(row, GradientRow) else ""),
        ):
            document.setDocumentMargin(0)
            document.setDefaultFont(self._look.font(Text.SECONDARY))
            document.setHtml(f'<span style="color:{colour}; white-space:pre">{html}</span>')
        self.update()

    def set_value(self, what: str, value: str) -> None:
        """Show the selected unit's name and value; repaints the third line only."""
        if (what, value) == (self._what, self._value):
            return
        width = self._value_right()
        self._what, self._value = what, value
        if self.lines == 1:
            self.update()
        else:
            line = QRectF(0, self._line_top(self.lines - 1), max(width, self._value_right()), self._pitch)
            self.update(line.toAlignedRect())

    def _value_right(self) -> float:
        what = self._look.metrics(Text.SECONDARY).horizontalAdvance(self._what)
        value = self._look.metrics(Text.VALUE).horizontalAdvance(self._value)
        return _TEXT_LEFT + what + _VALUE_GAP + value + 2

    @property
    def _pitch(self) -> float:
        return float(round(self._look.metrics(Text.ROW_LABEL).height() * 1.18))

    @property
    def lines(self) -> int:
        """How many lines fit: 3, 2 without the note, or 1."""
        return max(1, min(3, int((self.height() - 1) / self._pitch)))

    def _line_top(self, line: int) -> float:
        if self.lines == 1:
            return (self.height() - self._pitch) / 2
        return _MARGIN + line * self._pitch

    def place_button(self) -> None:
        """Put the button beside the last line, or at the right where only one line fits."""
        if self._button is None:
            return
        if self.lines == 1:
            self._button.move(self.width() - _BUTTON_SIZE, round((self.height() - _BUTTON_SIZE) / 2))
        else:
            top = self._line_top(self.lines - 1) + (self._pitch - _BUTTON_SIZE) / 2
            self._button.move(0, round(top))

    def resizeEvent(self, event: QEvent) -> None:  # noqa: N802, ARG002 - Qt's name
        """Keep the button in its place."""
        self.place_button()

    def event(self, event: QEvent) -> bool:
        """Show in a tool tip what the column is too narrow or too low for."""
        if isinstance(event, QHelpEvent):
            words = " · ".join(filter(None, (self._row.title, self._note.toPlainText(), self._third.toPlainText())))
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the lines that fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = _TEXT_LEFT
        last = self._line_top(self.lines - 1)
        if self.lines == 1 or event.rect().top() < last:
            self._paint_title(painter, left)
        if self.lines == 3 and event.rect().top() < last:
            self._paint_document(painter, self._note, QPointF(left, self._line_top(1)))
        if self.lines == 1:
            return
        if not self._third.isEmpty():
            self._paint_document(painter, self._third, QPointF(left, last))
        else:
            self._paint_value(painter, left, last)

    def _paint_title(self, painter: QPainter, left: float) -> None:
        theme = self._look.theme
        top = self._line_top(0)
        mark = theme.roles[self._row.role].mark
        badge = QRectF(0, top + (self._pitch - BADGE_SIZE) / 2, BADGE_SIZE, BADGE_SIZE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mark))
        painter.drawRoundedRect(badge, BADGE_RADIUS, BADGE_RADIUS)
        painter.setPen(QColor(theme.on(mark)))
        painter.setFont(self._look.font(Text.TICK_BOLD))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, self._row.badge)
        painter.setPen(QColor(theme.ink))
        painter.setFont(self._look.font(Text.ROW_LABEL))
        value = self._value if self.lines == 1 and self._button is None else ""
        room = QRectF(left, top, self.width() - left, self._pitch)
        title = painter.fontMetrics().elidedText(self._row.title, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, title)
        if value:
            painter.setFont(self._look.font(Text.VALUE))
            painter.setPen(QColor(theme.roles[self._row.role].text))
            painter.drawText(
                room.adjusted(0, 0, -20, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value
            )

    def _paint_document(self, painter: QPainter, document: QTextDocument, at: QPointF) -> None:
        painter.save()
        painter.translate(at.x(), at.y() + (self._pitch - self._look.metrics(Text.SECONDARY).height()) / 2)
        document.drawContents(painter, QRectF(0, 0, self.width() - at.x(), self._pitch + 4))
        painter.restore()

    def _paint_value(self, painter: QPainter, left: float, top: float) -> None:
        theme = self._look.theme
        painter.setFont(self._look.font(Text.SECONDARY))
        painter.setPen(QColor(theme.ink2))
        value_width = self._look.metrics(Text.VALUE).horizontalAdvance(self._value)
        room = QRectF(left, top, self.width() - left - value_width - _VALUE_GAP - _TICK_ROOM, self._pitch)
        what = painter.fontMetrics().elidedText(self._what, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, what)
        if self._value:
            gap = _VALUE_GAP if what else 0
            at = left + painter.fontMetrics().horizontalAdvance(what) + gap
            painter.setFont(self._look.font(Text.VALUE))
            painter.setPen(QColor(theme.roles[self._row.role].text))
            painter.drawText(QRectF(at, top, value_width + 4, self._pitch), Qt.AlignmentFlag.AlignVCenter, self._value)
