"""What a command is as data, the ``QAction`` objects made from it, and who gets a key that is pressed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSpinBox,
    QTextEdit,
    QWidget,
)

from lstm_studio.ui.icons import GRID_SIZE, Icon, make_icon
from lstm_studio.ui.theme import Theme, scaled
from lstm_studio.ui.widgets.said import say


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """One command.

    Parameters
    ----------
    key
        ``"menu.name"``, unique.
    text
        As in the menu, with ``…`` where a dialog follows.
    tooltip
        One sentence in words that both vocabularies share.
    slot
        Name of the method that does it; a checkable one is called with the new state.
    shortcuts
        In Qt's portable notation; the first is the one that menus show.
    icon
        Shown in menus and on buttons, or None.
    checkable
        Whether it switches something.
    group
        Of the checkable actions with the same group exactly one is on.
    workspace
        Key of the workspace in which it can be done; empty for wherever its group of commands can.
    """

    key: str
    text: str
    tooltip: str
    slot: str
    shortcuts: tuple[str, ...] = ()
    icon: Icon | None = None
    checkable: bool = False
    group: str = ""
    workspace: str = ""


def choice(key: str, text: str, tooltip: str, slot: str, group: str, *shortcuts: str) -> ActionInfo:
    """Return an action of which exactly one of its group is on."""
    return ActionInfo(key, text, tooltip, slot, shortcuts, checkable=True, group=group)


def switch(
    key: str, text: str, tooltip: str, slot: str, *shortcuts: str, icon: Icon | None = None, workspace: str = ""
) -> ActionInfo:
    """Return an action that is on or off; its slot is called with the new state."""
    return ActionInfo(key, text, tooltip, slot, shortcuts, icon, checkable=True, workspace=workspace)


SEPARATOR = ""
SUBMENU = ">"
"""An entry that begins with this names a submenu that the window fills, for example with recent files."""


@dataclass(frozen=True, slots=True)
class Submenu:
    """A menu within a menu, always with the same entries."""

    title: str
    entries: tuple[str, ...]


MenuEntry = str | Submenu
"""Key of an action, :data:`SEPARATOR`, :data:`SUBMENU` and a title, or a fixed submenu."""

Menus = tuple[tuple[str, tuple[MenuEntry, ...]], ...]
"""Title and entries of each menu."""


def keys_of(entries: tuple[MenuEntry, ...]) -> tuple[str, ...]:
    """Return the keys of all actions in a menu and its fixed submenus, in their order."""
    keys: list[str] = []
    for entry in entries:
        if isinstance(entry, Submenu):
            keys.extend(keys_of(entry.entries))
        elif entry != SEPARATOR and not entry.startswith(SUBMENU):
            keys.append(entry)
    return tuple(keys)


class Actions(QObject):
    """The table as ``QAction`` objects of one window.

    Parameters
    ----------
    targets
        Tables of actions, each with the object that has a method for each ``ActionInfo.slot``.
    window
        Where the shortcuts work.
    """

    def __init__(self, targets: Iterable[tuple[tuple[ActionInfo, ...], QObject]], window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._icons: dict[str, Icon] = {}
        groups: dict[str, QActionGroup] = {}
        for info, target in ((info, target) for infos, target in targets for info in infos):
            if info.icon is not None:
                self._icons[info.key] = info.icon
            action = QAction(info.text, self)
            action.setObjectName(info.key)
            action.setToolTip(_with_key(info))
            action.setStatusTip(info.tooltip)
            action.setShortcuts([QKeySequence(shortcut) for shortcut in info.shortcuts])
            action.setCheckable(info.checkable)
            action.setIconVisibleInMenu(False)
            # Else buttons lose the ellipsis that says a dialog follows.
            action.setIconText(info.text)
            if info.group:
                group = groups.setdefault(info.group, QActionGroup(self))
                group.addAction(action)
            # A slot without parameters ignores the state; one of a switch receives it.
            action.triggered.connect(getattr(target, info.slot))
            if info.checkable and not info.group:
                action.triggered.connect(self._tell)
            window.addAction(action)
            self._actions[info.key] = action

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def _tell(self, on: bool) -> None:
        """Say what a key has switched: only who sees the window sees it otherwise."""
        action = self.sender()
        if isinstance(action, QAction):
            say(self._window, f"{action.text().replace('&', '')} {'on' if on else 'off'}")

    def fill(self, menu: QMenu, entries: tuple[MenuEntry, ...]) -> dict[str, QMenu]:
        """Put actions into a menu; return its submenus by title, for the window to fill."""
        submenus = {}
        for key in entries:
            if isinstance(key, Submenu):
                submenus.update(self.fill(menu.addMenu(key.title), key.entries))
            elif key == SEPARATOR:
                menu.addSeparator()
            elif key.startswith(SUBMENU):
                submenus[key[1:]] = menu.addMenu(key[1:])
            else:
                menu.addAction(self._actions[key])
        return submenus

    def apply_theme(self, theme: Theme) -> None:
        """Draw the icons in the colours of a theme, at the size of the text."""
        for key, icon in self._icons.items():
            self._actions[key].setIcon(make_icon(icon, theme, size=scaled(GRID_SIZE)))


def shortcut_text(info: ActionInfo) -> str:
    """Return the keys of a command as they are written on this system, ``"Ctrl+Shift+Z, Ctrl+Y"``; empty for none."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(shortcut).toString(native) for shortcut in info.shortcuts)


def _with_key(info: ActionInfo) -> str:
    keys = shortcut_text(info)
    return f"{info.tooltip} ({keys})" if keys else info.tooltip


_FIELDS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_CHOOSERS = (QAbstractItemView, QComboBox)
_CHOOSING_KEYS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})
_PRESSING_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class KeyboardRules(QObject):
    """Decides who gets a key: the command with that shortcut, wherever the focus is, or the focused widget.

    A field that is typed in gets every key without Ctrl or Alt, and undoes what is typed in it and counts nowhere else
    yet; lists and combo boxes keep the keys that choose; Return presses a focused button, as Space belongs to Play.
    Only the focused widget is filtered: a filter on the application would bring every event of every widget through
    Python.
    """

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        application.focusChanged.connect(self._follow)

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim or pass on a key."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride and _keeps(watched, event):
            event.accept()
            return True
        if event.type() is QEvent.Type.ShortcutOverride and _leaves_undo(watched, event):
            # Else the field claims it, for what it has typed itself or for nothing.
            event.ignore()
            return True
        if event.type() is QEvent.Type.KeyPress and _presses(watched, event):
            watched.click()
            return True
        return False


def _presses(widget: QObject, event: QKeyEvent) -> TypeGuard[QAbstractButton]:
    return isinstance(widget, QAbstractButton) and widget.isEnabled() and event.key() in _PRESSING_KEYS


def _keeps(widget: QObject, event: QKeyEvent) -> bool:
    """Return whether the widget, not a shortcut, gets the key."""
    typed = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    if typed != Qt.KeyboardModifier.NoModifier:
        return False
    if isinstance(widget, _FIELDS):
        return event.key() != Qt.Key.Key_Escape and not _is_function_key(event)
    return isinstance(widget, _CHOOSERS) and event.key() in _CHOOSING_KEYS


def _leaves_undo(widget: QObject, event: QKeyEvent) -> bool:
    """Return whether the key undoes or does again, and the field has nothing of its own to undo or do again."""
    undoes = event.matches(QKeySequence.StandardKey.Undo)
    if not (undoes or event.matches(QKeySequence.StandardKey.Redo) or _is_second_redo(event)):
        return False
    if isinstance(widget, QAbstractSpinBox):
        return _counts(widget)
    return isinstance(widget, QLineEdit) and not (widget.isUndoAvailable() if undoes else widget.isRedoAvailable())


def _is_second_redo(event: QKeyEvent) -> bool:
    # Which of the two keys a system has for this, and whether its fields claim both, differs.
    return event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _counts(field: QAbstractSpinBox) -> bool:
    """Return whether the number that can be read in a field is the one that it stands for."""
    if isinstance(field, QSpinBox):
        return field.cleanText() == field.textFromValue(field.value())
    return isinstance(field, QDoubleSpinBox) and field.cleanText() == field.textFromValue(field.value())


def _is_function_key(event: QKeyEvent) -> bool:
    return Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
