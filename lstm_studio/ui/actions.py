"""Every command of the window, as data: menus and the shortcut sheet are made from this table alone.

A new command is one :class:`ActionInfo` here and one method of :class:`~lstm_studio.ui.commands.Commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeGuard

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from lstm_studio.ui.icons import Icon, make_icon
from lstm_studio.ui.theme import Theme


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
    """

    key: str
    text: str
    tooltip: str
    slot: str
    shortcuts: tuple[str, ...] = ()
    icon: Icon | None = None
    checkable: bool = False
    group: str = ""


def _choice(key: str, text: str, tooltip: str, slot: str, group: str, *shortcuts: str) -> ActionInfo:
    return ActionInfo(key, text, tooltip, slot, shortcuts, checkable=True, group=group)


def _switch(key: str, text: str, tooltip: str, slot: str, *shortcuts: str, icon: Icon | None = None) -> ActionInfo:
    return ActionInfo(key, text, tooltip, slot, shortcuts, icon, checkable=True)


_ALL = (
    ActionInfo(
        "file.open-sequence",
        "Open sequence…",
        "Open a table, array, text or sound file and run it through the networks.",
        "choose_sequence",
        ("Ctrl+O",),
        Icon.FOLDER,
    ),
    ActionInfo(
        "file.open-folder",
        "Open a folder of sequences…",
        "Open all files of one folder as one set of sequences.",
        "choose_folder",
    ),
    ActionInfo(
        "file.open-network",
        "Open network…",
        "Put a network from a checkpoint (.pt, .pth, .safetensors) under the microscope.",
        "choose_network",
        ("Ctrl+Shift+O",),
        Icon.FOLDER,
    ),
    ActionInfo(
        "file.open-companion",
        "Open network as companion…",
        "Put a network from a checkpoint beside the first one.",
        "choose_companion",
    ),
    ActionInfo(
        "file.export-picture",
        "Export picture…",
        "Save what is on the screen as a PNG.",
        "export_picture",
        ("Ctrl+E",),
        Icon.SAVE,
    ),
    ActionInfo(
        "file.export-numbers",
        "Export numbers…",
        "Save all signals of a network as CSV, NPZ or safetensors.",
        "export_numbers",
        ("Ctrl+Shift+E",),
    ),
    ActionInfo("file.quit", "Quit", "Close the window.", "quit", ("Ctrl+Q",)),
    ActionInfo("edit.undo", "Undo", "Take back the last change.", "undo", ("Ctrl+Z",), Icon.UNDO),
    ActionInfo("edit.redo", "Redo", "Do again what was taken back.", "redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    ActionInfo(
        "edit.remove-event",
        "Remove the last added event",
        "Take away the event that was added last at the end of the sequence.",
        "remove_event",
        ("Ctrl+Backspace",),
        Icon.MINUS,
    ),
    _switch(
        "view.show-all",
        "Show steps to come",
        "Show what is after the cursor, faintly.",
        "show_all",
        "A",
        icon=Icon.EYE,
    ),
    _choice("view.labels-standard", "Standard labels", "Names as in papers.", "label_standard", "labels", "Ctrl+1"),
    _choice(
        "view.labels-classroom", "Classroom labels", "Names as in the lessons.", "label_classroom", "labels", "Ctrl+2"
    ),
    _choice("view.theme-system", "Theme: as the system", "Follow the desktop.", "theme_system", "theme"),
    _choice("view.theme-light", "Theme: light", "Dark on light.", "theme_light", "theme", "Ctrl+Shift+L"),
    _choice("view.theme-dark", "Theme: dark", "Light on dark.", "theme_dark", "theme", "Ctrl+Shift+D"),
    ActionInfo("view.larger", "Larger text", "Enlarge all text.", "larger", ("Ctrl++", "Ctrl+="), Icon.PLUS),
    ActionInfo("view.smaller", "Smaller text", "Shrink all text.", "smaller", ("Ctrl+-",), Icon.MINUS),
    ActionInfo("view.normal-size", "Normal text size", "Text at 100 %.", "normal_size", ("Ctrl+0",)),
    _switch(
        "view.panel-sequence",
        "Sequence panel",
        "Show or hide the panel.",
        "panel_sequence",
        "Alt+1",
        icon=Icon.SEQUENCE,
    ),
    _switch(
        "view.panel-networks", "Networks panel", "Show or hide the panel.", "panel_networks", "Alt+2", icon=Icon.NETWORK
    ),
    _switch("view.panel-units", "Units panel", "Show or hide the panel.", "panel_units", "Alt+3", icon=Icon.UNITS),
    _switch("view.panel-step", "At step panel", "Show or hide the panel.", "panel_step", "Alt+4", icon=Icon.NUMBERS),
    ActionInfo("view.whole-sequence", "Show the whole sequence", "Undo zooming into time.", "whole_sequence", ("W",)),
    ActionInfo("view.reset-layout", "Reset layout", "Put all panels back to where they were at first.", "reset_layout"),
    _switch("view.full-screen", "Full screen", "Use the whole screen.", "full_screen", "F11"),
    ActionInfo(
        "view.dismiss",
        "Close notice, back to plots",
        "Close the newest notice; without one, return the keyboard to the plots.",
        "dismiss",
        ("Escape",),
    ),
    ActionInfo(
        "network.next-seed",
        "Another seed",
        "Build the untrained networks again with the next seed.",
        "next_seed",
        ("N",),
    ),
    _switch("network.companion", "Companion network", "Show a second network on the same sequence.", "companion", "C"),
    _choice(
        "network.same-units",
        "Companion of the same size",
        "The companion has as many units as the first network.",
        "match_units",
        "match",
    ),
    _choice(
        "network.same-parameters",
        "Companion with as many weights",
        "The companion has nearly as many weights as the first network.",
        "match_parameters",
        "match",
    ),
    ActionInfo("run.play", "Play", "Play the sequence, or pause.", "play", ("Space",), Icon.PLAY),
    ActionInfo("run.next", "Next step", "One step on.", "next_step", ("Right",), Icon.NEXT),
    ActionInfo("run.previous", "Previous step", "One step back.", "previous_step", ("Left",), Icon.PREVIOUS),
    ActionInfo("run.next-ten", "Ten steps on", "Ten steps on.", "next_ten", ("Shift+Right",)),
    ActionInfo("run.previous-ten", "Ten steps back", "Ten steps back.", "previous_ten", ("Shift+Left",)),
    ActionInfo("run.first", "First step", "To the first step.", "first_step", ("Home",), Icon.FIRST),
    ActionInfo("run.last", "Last step", "To the last step.", "last_step", ("End",), Icon.LAST),
    ActionInfo("run.faster", "Faster", "More steps a second.", "faster", ("]",)),
    ActionInfo("run.slower", "Slower", "Fewer steps a second.", "slower", ("[",)),
    _switch("run.loop", "Loop", "Start again after the last step.", "loop", "L", icon=Icon.LOOP),
    ActionInfo("run.next-unit", "Next unit", "Select the next unit.", "next_unit", ("Down",)),
    ActionInfo("run.previous-unit", "Previous unit", "Select the unit before.", "previous_unit", ("Up",)),
    ActionInfo("run.next-sequence", "Next sequence", "The next one of the set.", "next_sequence", ("PgDown",)),
    ActionInfo(
        "run.previous-sequence", "Previous sequence", "The one before in the set.", "previous_sequence", ("PgUp",)
    ),
    ActionInfo("help.shortcuts", "Keyboard shortcuts", "All keys on one page.", "show_shortcuts", ("F1",)),
    ActionInfo("help.about", "About LSTM Studio", "Versions and licence.", "show_about"),
)

ACTIONS: Mapping[str, ActionInfo] = MappingProxyType({info.key: info for info in _ALL})

SEPARATOR = ""
SUBMENU = ">"
"""An entry that begins with this names a submenu that the window fills, for example with recent files."""

MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "File",
        (
            "file.open-sequence",
            "file.open-folder",
            "file.open-network",
            "file.open-companion",
            ">Samples",
            ">Recent files",
            SEPARATOR,
            "file.export-picture",
            "file.export-numbers",
            SEPARATOR,
            "file.quit",
        ),
    ),
    ("Edit", ("edit.undo", "edit.redo", SEPARATOR, "edit.remove-event")),
    (
        "View",
        (
            "view.show-all",
            "view.whole-sequence",
            SEPARATOR,
            "view.labels-standard",
            "view.labels-classroom",
            SEPARATOR,
            "view.theme-system",
            "view.theme-light",
            "view.theme-dark",
            SEPARATOR,
            "view.larger",
            "view.smaller",
            "view.normal-size",
            SEPARATOR,
            "view.panel-sequence",
            "view.panel-networks",
            "view.panel-units",
            "view.panel-step",
            "view.reset-layout",
            "view.full-screen",
            SEPARATOR,
            "view.dismiss",
        ),
    ),
    (
        "Network",
        (
            "network.next-seed",
            SEPARATOR,
            "network.companion",
            "network.same-units",
            "network.same-parameters",
            SEPARATOR,
            ">Device",
        ),
    ),
    (
        "Run",
        (
            "run.play",
            SEPARATOR,
            "run.next",
            "run.previous",
            "run.next-ten",
            "run.previous-ten",
            "run.first",
            "run.last",
            SEPARATOR,
            "run.faster",
            "run.slower",
            "run.loop",
            SEPARATOR,
            "run.next-unit",
            "run.previous-unit",
            "run.next-sequence",
            "run.previous-sequence",
        ),
    ),
    ("Help", ("help.shortcuts", "help.about")),
)


class Actions(QObject):
    """The table as ``QAction`` objects of one window.

    Parameters
    ----------
    target
        Has a method for each ``ActionInfo.slot``.
    window
        Where the shortcuts work.
    """

    def __init__(self, target: QObject, window: QWidget) -> None:
        super().__init__(window)
        self._actions: dict[str, QAction] = {}
        groups: dict[str, QActionGroup] = {}
        for info in ACTIONS.values():
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
            window.addAction(action)
            self._actions[info.key] = action

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def fill(self, menu: QMenu, keys: tuple[str, ...]) -> dict[str, QMenu]:
        """Put actions into a menu; return its submenus by title, for the window to fill."""
        submenus = {}
        for key in keys:
            if key == SEPARATOR:
                menu.addSeparator()
            elif key.startswith(SUBMENU):
                submenus[key[1:]] = menu.addMenu(key[1:])
            else:
                menu.addAction(self._actions[key])
        return submenus

    def apply_theme(self, theme: Theme) -> None:
        """Draw the icons in the colours of a theme."""
        for key, action in self._actions.items():
            icon = ACTIONS[key].icon
            if icon is not None:
                action.setIcon(make_icon(icon, theme))


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

    A field that is typed in gets every key without Ctrl or Alt; lists and combo boxes keep the keys that choose;
    Return presses a focused button, as Space belongs to Play. Only the focused widget is filtered: a filter on the
    application would bring every event of every widget through Python.
    """

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        application.focusChanged.connect(self._follow)

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Claim or pass on a key."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() is QEvent.Type.ShortcutOverride and _keeps(watched, event):
            event.accept()
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


def _is_function_key(event: QKeyEvent) -> bool:
    return Qt.Key.Key_F1 <= event.key() <= Qt.Key.Key_F35
