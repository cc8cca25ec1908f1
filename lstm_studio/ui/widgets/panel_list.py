"""What the lists of panels have in common: how they scroll, how they show the focus, and the cards they draw."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from lstm_studio.ui.icons import Icon, paint_icon
from lstm_studio.ui.theme import CARD_RADIUS, FOCUS_RING, Theme, scaled
from lstm_studio.ui.widgets.current_line import meet

Index = QModelIndex | QPersistentModelIndex
Row = TypeVar("Row")

TICK_BOX = 14
"""Side of a tick box in pixels at 100 %."""
ROW_EDGE = 3
"""Width in pixels of the bar at the left of the row that is chosen."""
_TICK = 12
_NO_PARENT = QModelIndex()
_RING = (
    f"QListView {{ background: transparent; border: {FOCUS_RING}px solid transparent; border-radius: 5px; }}"
    "QListView:focus { border-color: palette(link); }"
)
_NO_RING = "QListView { background: transparent; border: 0; }"


class PanelRows(QAbstractListModel, Generic[Row]):
    """Rows that are all told at once."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows."""
        return self._rows

    @abstractmethod
    def is_same(self, before: Row, now: Row) -> bool:
        """Return whether a row is about the same thing as before, whatever else it says."""

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show other rows; where they are about the same things, selection and focus stay."""
        same = len(rows) == len(self._rows) and all(map(self.is_same, self._rows, rows))
        if rows and same:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)


class PanelDelegate(QStyledItemDelegate):
    """Draws the rows of one list in the colours of a theme."""

    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self.theme = theme
        self._view = view

    def paint_card(self, painter: QPainter, card: QRectF, option: QStyleOptionViewItem, *, marked: bool) -> None:
        """Draw the frame of a row whose list has no ring: the row that has the keyboard shows it.

        Parameters
        ----------
        card
            Outline of the frame.
        marked
            Whether the row is told apart from the others.
        """
        theme = self.theme
        # The row that has the keyboard need not be the one that is chosen.
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setPen(QPen(QColor(theme.focus if focused or marked else theme.control), 2 if focused else 1))
        painter.setBrush(QColor(theme.selected if marked else theme.hover if hovered else theme.panel))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), CARD_RADIUS, CARD_RADIUS)

    def paint_row(self, painter: QPainter, row: QRectF, option: QStyleOptionViewItem) -> None:
        """Draw the ground of a row without a frame: the one that is chosen has a bar at its left."""
        theme = self.theme
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(row, QColor(theme.selected))
            painter.fillRect(QRectF(row.left(), row.top(), ROW_EDGE, row.height()), QColor(theme.focus))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(row, QColor(theme.hover))

    def paint_tick_box(self, painter: QPainter, box: QRectF, *, on: bool) -> None:
        """Draw a tick box as those of the style sheet look."""
        theme = self.theme
        painter.setPen(QPen(QColor(theme.ink if on else theme.control), 1))
        painter.setBrush(QColor(theme.ink if on else theme.panel))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if on:
            inset = (box.width() - scaled(_TICK)) / 2
            paint_icon(painter, Icon.TICK, box.adjusted(inset, inset, -inset, -inset), QColor(theme.panel))


class PanelList(QListView):
    """A list without a frame of its own, in which exactly one row is chosen.

    Parameters
    ----------
    name
        For screen readers.
    model
        The rows; it becomes the list's own.
    ring
        Whether the list shows the focus by a ring; else its rows do, by :meth:`PanelDelegate.paint_card`.
    """

    def __init__(self, name: str, model: QAbstractListModel, *, ring: bool) -> None:
        super().__init__()
        model.setParent(self)
        self.setModel(model)
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.viewport().setAutoFillBackground(False)
        self._around = 2 * FOCUS_RING + 2 if ring else 0
        self.setStyleSheet(_RING if ring else _NO_RING)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show and name the current line."""
        super().focusInEvent(event)
        meet(self)

    def height_of(self, rows: int) -> int:
        """Return the height that shows so many rows, where all of them have one size."""
        row = self.itemDelegate().sizeHint(QStyleOptionViewItem(), QModelIndex()).height()
        return rows * row + self._around

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, and another size of text."""
        delegate = self.itemDelegate()
        assert isinstance(delegate, PanelDelegate)  # noqa: S101 - no list has another one
        delegate.theme = theme
        self.scheduleDelayedItemsLayout()
        self.viewport().update()
