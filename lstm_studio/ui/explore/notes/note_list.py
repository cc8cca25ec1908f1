"""The notes as a list: the step, and below it what is written there."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QAbstractItemView, QStyleOptionViewItem

from lstm_studio.ui.theme import GRID, Text, Theme
from lstm_studio.ui.widgets.panel_list import Index, PanelDelegate, PanelList, PanelRows
from lstm_studio.ui.widgets.text import text_font, written_tip

_GAP = 5
_PADDING = 6
_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One line of the list.

    Parameters
    ----------
    step, sequence
        Where the note is, in words.
    text
        What it says.
    here
        Whether it is on the step under the cursor.
    """

    step: str
    sequence: str
    text: str
    here: bool


class NoteModel(PanelRows[NoteRow]):
    """The lines."""

    def is_same(self, before: NoteRow, now: NoteRow) -> bool:
        """Return whether the same is written in both."""
        return before.text == now.text

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the texts of a line."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.text
            case Qt.ItemDataRole.ToolTipRole:
                return written_tip(row.text)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{row.step}, {row.sequence}: {row.text}"
        return None


class NoteDelegate(PanelDelegate):
    """Draws a line as a card."""

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of the text at the width of the list."""
        width = self._view.viewport().width()
        head = QFontMetrics(text_font(self._view, Text.ACTIVE)).height()
        body = QFontMetrics(text_font(self._view, Text.BODY)).lineSpacing()
        lines = len(self.lines(self._text(index), max(40, width - 2 * GRID - 2)))
        return QSize(width, head + lines * body + 2 * _PADDING + _GAP)

    def lines(self, text: str, width: float) -> list[str]:
        """Return a text in lines of a width; of more than are shown, the last one ends in an ellipsis."""
        font = text_font(self._view, Text.BODY)
        lines: list[str] = []
        for paragraph in text.splitlines():
            layout = QTextLayout(paragraph, font)
            option = QTextOption()
            option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
            layout.setTextOption(option)
            layout.beginLayout()
            while len(lines) <= _MOST_LINES:
                line = layout.createLine()
                if not line.isValid():
                    break
                line.setLineWidth(width)
                lines.append(_part(paragraph, line.textStart(), line.textLength()).rstrip())
            layout.endLayout()
            if len(lines) > _MOST_LINES:
                last = f"{lines[_MOST_LINES - 1]}…"
                elided = QFontMetrics(font).elidedText(last, Qt.TextElideMode.ElideRight, int(width))
                return [*lines[: _MOST_LINES - 1], elided]
        return lines

    @staticmethod
    def _text(index: Index) -> str:
        return str(index.data(Qt.ItemDataRole.DisplayRole) or "")

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one line."""
        model = index.model()
        assert isinstance(model, NoteModel)  # noqa: S101 - no other model has these lines
        row, theme = model.rows[index.row()], self.theme
        card = QRectF(option.rect).adjusted(1, 1, -1, -_GAP - 1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_card(painter, card, option, marked=row.here)
        room = card.adjusted(GRID, _PADDING - 1, -GRID, -_PADDING + 1)
        painter.setFont(text_font(self._view, Text.ACTIVE))
        painter.setPen(QColor(theme.ink))
        head = QRectF(room.left(), room.top(), room.width(), painter.fontMetrics().height())
        painter.drawText(head, int(Qt.AlignmentFlag.AlignLeft), row.step)
        painter.setFont(text_font(self._view, Text.SECONDARY))
        painter.setPen(QColor(theme.ink2))
        painter.drawText(head, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), row.sequence)
        painter.setFont(text_font(self._view, Text.BODY))
        painter.setPen(QColor(theme.ink))
        one_line = QTextOption(begins_at(row.text))
        one_line.setWrapMode(QTextOption.WrapMode.NoWrap)
        for place, line in enumerate(self.lines(row.text, room.width())):
            top = head.bottom() + place * painter.fontMetrics().lineSpacing()
            painter.drawText(QRectF(room.left(), top, room.width(), head.height()), line, one_line)
        painter.restore()


def begins_at(text: str) -> Qt.AlignmentFlag:
    """Return the side at which the lines of a text begin: the right where its first letter is written from there."""
    strong = (unicodedata.bidirectional(letter) for letter in text)
    first = next((kind for kind in strong if kind in {"L", "R", "AL"}), "L")
    return Qt.AlignmentFlag.AlignLeft if first == "L" else Qt.AlignmentFlag.AlignRight


def _part(text: str, start: int, length: int) -> str:
    """Return a part of a text whose place is counted as Qt does, where some characters count twice."""
    counted = text.encode("utf-16-le", "surrogatepass")
    return counted[2 * start : 2 * (start + length)].decode("utf-16-le", "surrogatepass")


class NoteList(PanelList):
    """The lines: a click or Return goes there, F2 changes the text, Delete removes it."""

    go_wanted = Signal(int)
    edit_wanted = Signal(int)
    remove_wanted = Signal(int)

    def __init__(self, theme: Theme) -> None:
        self._model = NoteModel()
        super().__init__("Notes", self._model, ring=False)
        self.setItemDelegate(NoteDelegate(theme, self))
        self.setUniformItemSizes(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(self._on_double_clicked)

    @property
    def note_model(self) -> NoteModel:
        """The model."""
        return self._model

    @property
    def chosen(self) -> int | None:
        """The line that has the keyboard, or would have it."""
        index = self.currentIndex()
        return index.row() if index.isValid() else None

    def show_rows(self, rows: tuple[NoteRow, ...]) -> None:
        """Show other lines; the keyboard stays on a line of the same place."""
        before = self.chosen
        was_here = [row.here for row in self._model.rows]
        self._model.show_rows(rows)
        is_here = [row.here for row in rows]
        if True in is_here and is_here != was_here:
            self.scrollTo(self._model.index(is_here.index(True)))
        if rows and not self.currentIndex().isValid():
            place = min(before or 0, len(rows) - 1)
            self.selectionModel().setCurrentIndex(
                self._model.index(place), self.selectionModel().SelectionFlag.ClearAndSelect
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold the texts anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to, change or remove the note that has the keyboard."""
        row = self.chosen
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.go_wanted.emit(row)
        elif row is not None and event.key() == Qt.Key.Key_F2:
            self.edit_wanted.emit(row)
        elif row is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_wanted.emit(row)
        else:
            super().keyPressEvent(event)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.go_wanted.emit(index.row())

    def _on_double_clicked(self, index: QModelIndex) -> None:
        self.edit_wanted.emit(index.row())

    def minimumSizeHint(self) -> QSize:
        """Return room for one note."""
        return QSize(120, 60)
