"""The list of what can be compared: the recorded trace first, then each what-if, as cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QStyleOptionViewItem,
    QWidget,
)

from lstm_studio.ui.theme import GRID, HALF_GRID, Text, Theme, scaled
from lstm_studio.ui.widgets.panel_list import TICK_BOX, Index, PanelDelegate, PanelList, PanelRows
from lstm_studio.ui.widgets.text import text_font, written_tip

_GAP = 5
_PADDING = 6


@dataclass(frozen=True, slots=True)
class BranchRow:
    """One line of the list.

    Parameters
    ----------
    key
        As in :class:`~lstm_studio.session.state.Comparison`.
    title, sentence, outcome
        What it is called, what goes on, what it comes to.
    details
        All of it, for tool tips and screen readers.
    checked
        Whether it is one of the two that are compared.
    removable, renamable
        What can be done with it.
    """

    key: str
    title: str
    sentence: str
    outcome: str
    details: str
    checked: bool
    removable: bool = True
    renamable: bool = True


class BranchModel(PanelRows[BranchRow]):
    """The lines; checking and renaming them is asked for, not done."""

    check_wanted = Signal(str)
    rename_wanted = Signal(str, str)
    """Key and new name."""

    def is_same(self, before: BranchRow, now: BranchRow) -> bool:
        """Return whether both are of the same what-if."""
        return before.key == now.key

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the texts of a line."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return row.title
            case Qt.ItemDataRole.CheckStateRole:
                return Qt.CheckState.Checked if row.checked else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.AccessibleTextRole:
                return row.details
            case Qt.ItemDataRole.ToolTipRole:
                return written_tip(row.details)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for another name or another tick."""
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            self.check_wanted.emit(row.key)
            return True
        name = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not name or name == row.title:
            return False
        self.rename_wanted.emit(row.key, name)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that all lines can be ticked, and which can be renamed."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable
        if index.isValid() and self._rows[index.row()].renamable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags


class BranchDelegate(PanelDelegate):
    """Draws a line as a card: tick box, name and outcome, the sentence below."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return the same height for every line, gap included."""
        name = QFontMetricsF(text_font(self._view, Text.ACTIVE)).height()
        sentence = QFontMetricsF(text_font(self._view, Text.SECONDARY)).height()
        return QSize(120, round(name + sentence + 2 * _PADDING) + _GAP)

    def box_of(self, rect: QRect) -> QRectF:
        """Return where the tick box of a line is."""
        card = QRectF(rect).adjusted(0, 0, 0, -_GAP)
        side = scaled(TICK_BOX)
        return QRectF(card.left() + GRID, card.center().y() - side / 2, side, side)

    def _text_of(self, rect: QRect) -> QRectF:
        left = self.box_of(rect).right() + GRID
        return QRectF(left, rect.top() + _PADDING, rect.right() - GRID - left, rect.height() - _GAP - 2 * _PADDING)

    def _places(self, rect: QRect, row: BranchRow) -> tuple[QRectF, QRectF, bool]:
        """Return the place of all text, that beside the outcome, and whether the outcome is beside the sentence alone.

        A long name has the whole of its line: it says at its end to what value, and when.
        """
        text = self._text_of(rect)
        outcome = QFontMetricsF(text_font(self._view, Text.VALUE)).horizontalAdvance(row.outcome)
        beside = text.adjusted(0, 0, -outcome - GRID, 0)
        return (
            text,
            beside,
            QFontMetricsF(text_font(self._view, Text.ACTIVE)).horizontalAdvance(row.title) > beside.width(),
        )

    def _elided(self, words: str, kind: Text, room: QRectF) -> str:
        metrics = QFontMetricsF(text_font(self._view, kind))
        return metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width())

    def shown_title(self, rect: QRect, row: BranchRow) -> str:
        """Return as much of a name as a line of that size shows."""
        text, beside, low = self._places(rect, row)
        return self._elided(row.title, Text.ACTIVE, text if low else beside)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one line."""
        model = index.model()
        assert isinstance(model, BranchModel)  # noqa: S101 - no other model has these lines
        row, theme = model.rows[index.row()], self.theme
        card = QRectF(option.rect).adjusted(1, 1, -1, -_GAP - 1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_card(painter, card, option, marked=row.checked)
        self.paint_tick_box(painter, self.box_of(option.rect), on=row.checked)
        text, beside, low = self._places(option.rect, row)
        painter.setFont(text_font(self._view, Text.VALUE))
        painter.setPen(QColor(theme.ink))
        height = Qt.AlignmentFlag.AlignBottom if low else Qt.AlignmentFlag.AlignVCenter
        painter.drawText(text, int(Qt.AlignmentFlag.AlignRight | height), row.outcome)
        for words, room, kind, colour, edge in (
            (row.title, text if low else beside, Text.ACTIVE, theme.ink, Qt.AlignmentFlag.AlignTop),
            (row.sentence, beside, Text.SECONDARY, theme.ink2, Qt.AlignmentFlag.AlignBottom),
        ):
            painter.setFont(text_font(self._view, kind))
            painter.setPen(QColor(colour))
            painter.drawText(room, int(edge | Qt.AlignmentFlag.AlignLeft), self._elided(words, kind, room))
        painter.restore()

    def editorEvent(self, event: QEvent, model: Any, option: QStyleOptionViewItem, index: Index) -> bool:
        """Tick where the box is clicked; the rest of the card only selects."""
        if isinstance(event, QMouseEvent) and event.type() is QEvent.Type.MouseButtonRelease:
            reach = self.box_of(option.rect).adjusted(-GRID, -GRID, HALF_GRID, GRID)
            if event.button() == Qt.MouseButton.LeftButton and reach.contains(event.position()):
                return bool(model.setData(index, None, Qt.ItemDataRole.CheckStateRole))
        return False

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index) -> QWidget:
        """Return a field over the name."""
        field = QLineEdit(parent)
        field.setAccessibleName("New name")
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: Index) -> None:
        """Put the field over the text of the card."""
        text = self._text_of(option.rect).toRect()
        height = editor.sizeHint().height()
        editor.setGeometry(text.left() - 4, text.center().y() - height // 2, text.width() + 4, height)


class BranchList(PanelList):
    """The lines as a list: Return ticks, F2 renames, Delete removes."""

    remove_wanted = Signal(str)
    line_reached = Signal(QRect)
    """Where the line is that is new, or that the keyboard has come to: the panel scrolls, not the list."""

    def __init__(self, theme: Theme) -> None:
        self._model = BranchModel()
        super().__init__("What can be compared", self._model, ring=False)
        self.setItemDelegate(BranchDelegate(theme, self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.selectionModel().currentChanged.connect(self._tell_line)

    @property
    def branch_model(self) -> BranchModel:
        """The model."""
        return self._model

    @property
    def line(self) -> QRect:
        """Where the line is that has the keyboard, or would have it."""
        return QRect(0, self.height_of(max(0, self.currentIndex().row())), self.width(), self.height_of(1))

    def show_rows(self, rows: tuple[BranchRow, ...]) -> None:
        """Show other lines; the keyboard goes to one that is new, else stays at its line, or where that was."""
        before, place = [row.key for row in self._model.rows], self.currentIndex().row()
        self._model.show_rows(rows)
        self.setFixedHeight(self.height_of(max(1, len(rows))))
        keys = [row.key for row in rows]
        if keys and keys != before:
            new = [index for index, key in enumerate(keys) if key not in before]
            at = min(max(place, 0), len(keys) - 1)
            if 0 <= place < len(before) and before[place] in keys:
                at = keys.index(before[place])
            if before and len(new) == 1:
                at = new[0]
            self.selectionModel().setCurrentIndex(self._model.index(at), self.selectionModel().SelectionFlag.NoUpdate)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        super().apply_theme(theme)
        self.setFixedHeight(self.height_of(max(1, self._model.rowCount())))

    def sizeHint(self) -> QSize:
        """Return room for all lines: the panel scrolls, not the list."""
        return QSize(208, self.height_of(max(1, self._model.rowCount())))

    def _tell_line(self, current: QModelIndex) -> None:
        if current.isValid():
            self.line_reached.emit(self.line)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tick, or remove, the line that has the keyboard."""
        index = self.currentIndex()
        if self.state() is QAbstractItemView.State.EditingState:
            # The field passes on the Return that ends it.
            super().keyPressEvent(event)
        elif index.isValid() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._model.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        elif index.isValid() and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._remove(index)
        else:
            super().keyPressEvent(event)

    def _remove(self, index: QModelIndex) -> None:
        row = self._model.rows[index.row()]
        if row.removable:
            self.remove_wanted.emit(row.key)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with a line."""
        index = self.indexAt(event.pos())
        if not index.isValid():
            return
        self.setCurrentIndex(index)
        row = self._model.rows[index.row()]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Do not compare" if row.checked else "Compare").triggered.connect(self._tick_current)
        rename = menu.addAction("Rename\tF2")
        rename.setEnabled(row.renamable)
        rename.triggered.connect(self._rename_current)
        remove = menu.addAction("Remove\tDel")
        remove.setEnabled(row.removable)
        remove.triggered.connect(self._remove_current)
        menu.popup(event.globalPos())

    def _tick_current(self) -> None:
        self._model.setData(self.currentIndex(), None, Qt.ItemDataRole.CheckStateRole)

    def _rename_current(self) -> None:
        self.edit(self.currentIndex())

    def _remove_current(self) -> None:
        self._remove(self.currentIndex())
