"""The label column: badge, name, symbol, the selected unit's value, and the button that changes the view."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QToolButton, QToolTip, QWidget

from lstm_studio.ui.icons import Icon, set_icon
from lstm_studio.ui.plots.rich_label import RichLabel
from lstm_studio.ui.plots.row_item import Look, Reach
from lstm_studio.ui.plots.rows import GradientRow, Row, UnitRow, View
from lstm_studio.ui.theme import BADGE_RADIUS, HALF_GRID, Text, scaled

VIEW_ICONS = {View.HEAT: Icon.HEAT, View.LINES: Icon.LINES, View.BAND: Icon.BAND}
_ICON_SIZE, _AROUND_ICON = 11, 6
_MARGIN = 2
_VALUE_GAP = 8
_TICK_CLEARANCE = 4
_MOST_LINES = 4
_APART = 4
"""Pixels between badge and button, where they can have them."""
_SMALLEST_TITLE = 0.75
"""Share of its size to which a title shrinks where there is no room for it; what is still longer is cut."""


def line_pitch(look: Look) -> float:
    """Return how far one line of a label stands below the one before."""
    return float(round(look.metrics(Text.ROW_LABEL).height() * 1.18))


def lines_in(height: float, look: Look) -> int:
    """Return how many lines a label has room for, beside a plot so many logical pixels high; at least one."""
    return max(1, min(_MOST_LINES, int((height + 1) / line_pitch(look))))


def view_button_side() -> int:
    """Return width and height of the button that changes the view."""
    return scaled(_ICON_SIZE) + _AROUND_ICON


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
        self._lines = 1
        self._note = RichLabel(self)
        self._third = RichLabel(self)
        self._title_font = look.font(Text.ROW_LABEL)
        self._reaches: list[Reach] = []
        self._gap = 0.0
        self._button: QToolButton | None = None
        if isinstance(row, UnitRow):
            self._button = self._make_button()
        self.set_row(row)
        self.set_look(look)

    def _make_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setProperty("kind", "view")
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
            self._button.setAccessibleName(f"{row.title}, drawn as {row.view.value}")
            self._button.setToolTip(f"Drawn as {row.view.value}. Click for the next view, hold for the list.")
            for action in self._button.menu().actions():
                action.setChecked(action.data() == row.view)
        self._write_documents()

    def set_look(self, look: Look) -> None:
        """Change colours and fonts."""
        self._look = look
        self._write_documents()

    @property
    def words_without_button(self) -> str:
        """What the row shows, if it has nothing that the keyboard comes to; else empty."""
        return f"{self.accessibleName()}: {self.accessibleDescription()}" if self._button is None else ""

    def describe(self, summary: str) -> None:
        """Say in words what the row shows; where its button has the keyboard, when that comes to it again."""
        self.setAccessibleDescription(summary)
        if self._button is not None and not self._button.hasFocus():
            # All that a screen reader comes to in a row is its button. What changes there is read out at once, and
            # the step is said anyhow.
            self._button.setAccessibleDescription(f"{summary}. Return draws it another way.")

    def _write_documents(self) -> None:
        row = self._row
        note = row.note if isinstance(row, GradientRow) else f"{row.symbol}&nbsp; {row.note}".removeprefix("&nbsp; ")
        colour = self._look.theme.ink2
        if self._button is not None and isinstance(row, UnitRow):
            theme, side = self._look.theme, view_button_side()
            set_icon(self._button, VIEW_ICONS[row.view], theme, theme.ink2, _ICON_SIZE)
            self._button.setFixedSize(side, side)
        font = self._look.font(Text.SECONDARY)
        self._note.write(f'<span style="color:{colour}">{note}</span>', font)
        objective = row.objective if isinstance(row, GradientRow) else ""
        self._third.write(f'<span style="color:{colour}">{objective}</span>', font)
        self._arrange()

    def set_reaches(self, reaches: list[Reach], gap: float) -> None:
        """Keep the lines below the title clear of what the axis writes.

        Parameters
        ----------
        reaches
            Of the row's ticks, which stand at the right of the column and reach into it.
        gap
            Logical pixels from the column's right edge to the plot.
        """
        if (reaches, gap) != (self._reaches, self._gap):
            self._reaches, self._gap = reaches, gap
            self._arrange()

    def _room(self, line: int, lines: int = 1) -> float:
        """Return the width that ticks leave to some lines."""
        # The header begins a pixel above the row: the row's frame.
        top = self._line_top(line) - 1
        bottom = top + lines * self._pitch
        reach = max((r.width for r in self._reaches if r.top < bottom - 2 and r.bottom > top + 2), default=0.0)
        clear = self.width() + self._gap - reach - _TICK_CLEARANCE
        return max(0.0, min(float(self.width()), clear) - self._text_left)

    def _arrange(self) -> None:
        """Share the lines that fit between note and value, and cut both where they would meet the ticks."""
        # The header is as high as the plot with its frame.
        fitting = lines_in(self.height() - 2, self._look)
        note_lines, self._lines = 0, fitting
        if fitting > 2 and not self._note.empty:
            note_lines = self._note.fit(self._room(1, fitting - 2), fitting - 2)
            if note_lines == 1:
                self._note.fit(self._room(1), 1)
        self._lines = min(fitting, 2) + note_lines
        if self._lines > 1:
            self._third.fit(self._room(self._lines - 1), 1)
        self.place_button()
        self._title_font = self._fitted_font()
        self.update()

    def _fitted_font(self) -> QFont:
        """Return the title's font, smaller where it can be read as a whole only then; never below three quarters."""
        usual, room = self._look.font(Text.ROW_LABEL), self.title_room
        needed = self._look.metrics(Text.ROW_LABEL).horizontalAdvance(self._row.title)
        if needed <= room:
            return usual
        fitted = QFont(usual)
        least = math.ceil(usual.pixelSize() * _SMALLEST_TITLE)
        for size in range(max(least, math.ceil(usual.pixelSize() * room / needed)), least - 1, -1):
            fitted.setPixelSize(size)
            # Letters do not shrink quite in proportion.
            if QFontMetricsF(fitted).horizontalAdvance(self._row.title) <= room:
                break
        return fitted

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
        return self._text_left + what + _VALUE_GAP + value + 2

    @property
    def _text_left(self) -> float:
        return float(self._look.badge + HALF_GRID)

    @property
    def _pitch(self) -> float:
        return line_pitch(self._look)

    @property
    def lines(self) -> int:
        """How many lines are shown: title, as much of the note as fits, and value; or the title alone."""
        return self._lines

    @property
    def note_shown(self) -> str:
        """The note as it is shown, cut with an ellipsis where there is no room for all of it."""
        return self._note.shown if self._lines > 2 else ""

    def _line_top(self, line: int) -> float:
        if self.lines == 1:
            return (self.height() - self._pitch) / 2
        if self.lines > 2:
            return _MARGIN + line * self._pitch
        top, spread = self._two_lines
        return top + (self._pitch + spread if line else 0)

    @property
    def _two_lines(self) -> tuple[int, int]:
        """Where the first of two lines begins, and how much further apart they stand than others.

        So that the button keeps off the badge, as far as there is room; the margin above gives way to that.
        """
        beside = self._look.badge if self._button is None else (self._look.badge + self._button.height()) / 2
        wanted = max(0, math.ceil(beside + _APART - self._pitch))
        over = int(self.height() - 2 * self._pitch)
        top = max(0, min(_MARGIN, over - wanted))
        return top, max(0, min(wanted, over - top))

    @property
    def title_room(self) -> float:
        """How wide a title may be; a longer one shrinks, and of one that is still too long the end is cut."""
        button = self._button if self.lines == 1 else None
        return (self.width() if button is None else button.x() - HALF_GRID) - self._text_left

    @property
    def title_font(self) -> QFont:
        """The font of the title: the usual one, or a smaller one in which it can be read as a whole."""
        return self._title_font

    @property
    def title_shown(self) -> str:
        """The title as it is shown, cut with an ellipsis where there is no room for all of it."""
        metrics = QFontMetricsF(self._title_font)
        return metrics.elidedText(self._row.title, Qt.TextElideMode.ElideRight, self.title_room)

    @property
    def badge_rect(self) -> QRectF:
        """Where the badge is."""
        side = float(self._look.badge)
        return QRectF(0, self._line_top(0) + (self._pitch - side) / 2, side, side)

    def place_button(self) -> None:
        """Put the button beside the last line, or before the ticks where only one line fits."""
        if self._button is None:
            return
        side = self._button.height()
        if self.lines == 1:
            left = self._text_left + self._room(0) - side
            self._button.move(int(left), round((self.height() - side) / 2))
        else:
            top = self._line_top(self.lines - 1) + (self._pitch - side) / 2
            # A little higher than its line where that one ends with the row.
            self._button.move(0, min(int(top), self.height() - side))

    def resizeEvent(self, _event: QEvent) -> None:
        """Share the new size among the lines."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Show in a tool tip what the column is too narrow or too low for."""
        if isinstance(event, QHelpEvent):
            value = " ".join(filter(None, (self._what if self._third.empty else "", self._value)))
            words = " · ".join(filter(None, (self._row.title, self._note.text, self._third.text, value)))
            QToolTip.showText(event.globalPos(), words, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines that fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self._text_left
        last = self._line_top(self.lines - 1)
        if self.lines == 1 or event.rect().top() < last:
            self._paint_title(painter, left)
        if self.lines > 2 and event.rect().top() < last:
            self._note.paint(painter, QPointF(left, self._line_top(1)), self._pitch)
        if self.lines == 1:
            return
        if not self._third.empty:
            self._third.paint(painter, QPointF(left, last), self._pitch)
        else:
            self._paint_value(painter, left, last)

    def _paint_title(self, painter: QPainter, left: float) -> None:
        theme = self._look.theme
        top, badge = self._line_top(0), self.badge_rect
        mark = theme.roles[self._row.role].mark
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mark))
        painter.drawRoundedRect(badge, BADGE_RADIUS, BADGE_RADIUS)
        painter.setPen(QColor(theme.on(mark)))
        painter.setFont(self._look.font(Text.TICK_BOLD))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, self._row.badge)
        painter.setPen(QColor(theme.ink))
        painter.setFont(self._title_font)
        value = self._value if self.lines == 1 and self._button is None else ""
        room = QRectF(left, top, self.title_room, self._pitch)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.title_shown)
        if value:
            painter.setFont(self._look.font(Text.VALUE))
            painter.setPen(QColor(theme.roles[self._row.role].text))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(left, top, self._room(0), self._pitch), flags, value)

    def _paint_value(self, painter: QPainter, left: float, top: float) -> None:
        theme = self._look.theme
        painter.setFont(self._look.font(Text.SECONDARY))
        painter.setPen(QColor(theme.ink2))
        value_width = self._look.metrics(Text.VALUE).horizontalAdvance(self._value)
        width = self._room(self.lines - 1) - (value_width + _VALUE_GAP if self._value else 0)
        room = QRectF(left, top, max(0.0, width), self._pitch)
        what = painter.fontMetrics().elidedText(self._what, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, what)
        if self._value:
            gap = _VALUE_GAP if what else 0
            at = left + painter.fontMetrics().horizontalAdvance(what) + gap
            painter.setFont(self._look.font(Text.VALUE))
            painter.setPen(QColor(theme.roles[self._row.role].text))
            painter.drawText(QRectF(at, top, value_width + 4, self._pitch), Qt.AlignmentFlag.AlignVCenter, self._value)
