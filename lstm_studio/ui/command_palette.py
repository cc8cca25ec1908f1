"""Any command by its name: a field, and below it the commands that fit what is typed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QAction, QColor, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from lstm_studio.ui.actions import ActionInfo, Actions, Menus, keys_of, shortcut_text
from lstm_studio.ui.finding import best_matches
from lstm_studio.ui.theme import GRID, HALF_GRID, PANEL_INSET, Text, Theme, font
from lstm_studio.ui.widgets.said import say

_WIDTH = 560
_ROWS = 10
_ANY = QModelIndex | QPersistentModelIndex
_NOTHING = "No command has these words in its name. Fewer letters find more."


@dataclass(frozen=True, slots=True)
class Entry:
    """One command in the list.

    Parameters
    ----------
    action
        What it does.
    menu
        Where it is found without the palette.
    keys
        Its shortcuts as they are written on this system.
    """

    action: QAction
    menu: str
    keys: str

    @property
    def name(self) -> str:
        """What is shown and searched."""
        return f"{self.menu}: {self.action.text().replace('&', '').rstrip('…')}"


def entries_of(menus: Menus, infos: Mapping[str, ActionInfo], actions: Actions) -> tuple[Entry, ...]:
    """Return all commands in the order of the menus."""
    return tuple(
        Entry(actions[key], menu, shortcut_text(infos[key])) for menu, entries in menus for key in keys_of(entries)
    )


class _Found(QAbstractListModel):
    """The entries that fit, the best first."""

    def __init__(self, entries: tuple[Entry, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._entries = entries
        self._shown = list(range(len(entries)))

    def search(self, query: str) -> None:
        self.beginResetModel()
        names = [entry.name for entry in self._entries]
        self._shown = best_matches(query, names, [entry.action.statusTip() for entry in self._entries])
        self.endResetModel()

    def menu_width(self, metrics: QFontMetrics) -> int:
        return max(metrics.horizontalAdvance(entry.menu) for entry in self._entries)

    def entry(self, index: _ANY) -> Entry:
        return self._entries[self._shown[index.row()]]

    def rowCount(self, parent: _ANY | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._shown)

    def data(self, index: _ANY, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.action.statusTip()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            on = ", on" if entry.action.isChecked() else ""
            off = "" if entry.action.isEnabled() else ", not possible now"
            return f"{entry.name}{on}{off}, {entry.keys or 'no key'}"
        return None

    def flags(self, index: _ANY) -> Qt.ItemFlag:
        if self.entry(index).action.isEnabled():
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags


class _Painter(QStyledItemDelegate):
    """Draws an entry: a tick where it is on, menu and name, its keys on the right."""

    def __init__(self, theme: Theme, found: _Found, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._found = found

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _ANY) -> QSize:
        return QSize(_WIDTH - 2 * HALF_GRID, QFontMetrics(font(Text.BODY)).height() + GRID + HALF_GRID)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _ANY) -> None:
        theme, entry = self.theme, self._found.entry(index)
        room = QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.fillRect(room, QColor(theme.selected))
            painter.fillRect(room.x(), room.y(), 3, room.height(), QColor(theme.focus))
        inside = room.adjusted(PANEL_INSET, 0, -PANEL_INSET, 0)
        possible = entry.action.isEnabled()
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        keys_wide = QFontMetrics(font(Text.SECONDARY)).horizontalAdvance(entry.keys)
        painter.setFont(font(Text.SECONDARY))
        painter.setPen(QColor(theme.ink2 if selected else theme.ink3))
        painter.drawText(inside, middle | int(Qt.AlignmentFlag.AlignRight), entry.keys)
        menu, _, name = entry.name.partition(": ")
        room_left = inside.adjusted(0, 0, -keys_wide - GRID, 0)
        painter.setFont(font(Text.BODY))
        metrics = painter.fontMetrics()
        painter.drawText(room_left, middle, menu)
        room_left.setLeft(room_left.left() + self._found.menu_width(metrics) + 2 * GRID)
        painter.setPen(QColor(theme.ink if possible else theme.ink3))
        state = ("  ✓" if entry.action.isChecked() else "") + ("" if possible else "  (not possible now)")
        text = metrics.elidedText(name + state, Qt.TextElideMode.ElideRight, room_left.width())
        painter.drawText(room_left, middle, text)
        painter.restore()


class CommandPalette(QFrame):
    """A popup over the window; Up, Down and Return choose, Escape leaves.

    Parameters
    ----------
    entries
        All commands.
    theme
        Its colours.
    """

    def __init__(self, entries: tuple[Entry, ...], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Find a command")
        self.setProperty("kind", "popup")
        self._found = _Found(entries, self)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a command")
        self.field.setAccessibleName("Find a command")
        self.list = QListView()
        self.list.setAccessibleName("Commands")
        self.list.setModel(self._found)
        self._painter = _Painter(theme, self._found, self.list)
        self.list.setItemDelegate(self._painter)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._nothing = QLabel(_NOTHING)
        self._nothing.setProperty("kind", "secondary")
        self._nothing.setContentsMargins(PANEL_INSET, GRID, PANEL_INSET, GRID)
        self._nothing.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(HALF_GRID, HALF_GRID, HALF_GRID, HALF_GRID)
        column.setSpacing(HALF_GRID)
        for widget in (self.field, self.list, self._nothing):
            column.addWidget(widget)
        self.setFocusProxy(self.field)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.clicked.connect(self._choose)
        self._search("")

    def open_below(self, place: QPoint, room: QRect) -> None:
        """Show it with its upper right corner at a place on the screen, within the room that there is."""
        row = self.list.sizeHintForRow(0)
        self.list.setFixedHeight(row * _ROWS)
        self.setFixedWidth(min(_WIDTH, room.width() - 2 * GRID))
        self.adjustSize()
        x = max(room.left() + GRID, min(place.x() - self.width(), room.right() - self.width() - GRID))
        self.move(x, place.y())
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def apply_theme(self, theme: Theme) -> None:
        """Draw in another theme, as when the system turns dark meanwhile."""
        self._painter.theme = theme
        self.list.viewport().update()

    def _search(self, query: str) -> None:
        self._found.search(query)
        found = self._found.rowCount()
        self._nothing.setVisible(not found)
        self.list.setVisible(bool(found))
        first = next((row for row in range(found) if self._possible(row)), -1)
        self._select(first)
        if first < 0:
            self._say(_NOTHING if not found else "Nothing of this is possible now")

    def _possible(self, row: int) -> bool:
        return bool(self._found.flags(self._found.index(row)) & Qt.ItemFlag.ItemIsEnabled)

    def _select(self, row: int) -> None:
        if row >= 0:
            self.list.setCurrentIndex(self._found.index(row))
            self._say(str(self._found.index(row).data(Qt.ItemDataRole.AccessibleTextRole)))

    def _say(self, words: str) -> None:
        """Tell screen readers what Return would do: the keyboard stays in the field, so they do not follow the list."""
        self.field.setAccessibleDescription(words)
        if sys.platform != "linux":
            # There, what a focused widget is newly described as is read as it is: both would be heard.
            say(self.field, words)

    def _move(self, by: int) -> None:
        rows = [row for row in range(self._found.rowCount()) if self._possible(row)]
        if not rows:
            return
        now = self.list.currentIndex().row()
        place = rows.index(now) if now in rows else 0
        self._select(rows[max(0, min(place + by, len(rows) - 1))])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys that choose reach the list while the field is typed in."""
        if watched is not self.field or not isinstance(event, QKeyEvent) or event.type() is not QEvent.Type.KeyPress:
            return False
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}
        key = Qt.Key(event.key())
        if key in steps:
            self._move(steps[key])
            return True
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose(self.list.currentIndex())
            return True
        return False

    def _choose(self, index: _ANY) -> None:
        if not index.isValid() or not self._possible(index.row()):
            return
        action = self._found.entry(index).action
        # Closed first: what the command opens must not be closed as a popup's child.
        self.close()
        action.trigger()
