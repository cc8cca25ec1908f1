"""The theme while the program runs: as the user says, or as the desktop does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import Settings
from lstm_studio.ui.theme import DARK, LIGHT
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


class Desktop(QObject):
    """A desktop that can turn dark, as a test's own cannot."""

    turned = Signal(Qt.ColorScheme)

    def __init__(self) -> None:
        super().__init__()
        self.scheme = Qt.ColorScheme.Light
        self.hints = SimpleNamespace(colorScheme=lambda: self.scheme, colorSchemeChanged=self.turned)

    def turn(self, scheme: Qt.ColorScheme) -> None:
        self.scheme = scheme
        self.turned.emit(scheme)


def test_the_window_follows_the_desktop_unless_the_user_has_chosen(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    desktop = Desktop()
    monkeypatch.setattr(QGuiApplication, "styleHints", lambda: desktop.hints)
    with opened_window(settings=Settings(theme="system")) as window:
        told: list[str] = []
        window.appearance.changed.connect(lambda theme: told.append(theme.name))
        shown = []
        for scheme in (Qt.ColorScheme.Dark, Qt.ColorScheme.Light, Qt.ColorScheme.Unknown, Qt.ColorScheme.Dark):
            desktop.turn(scheme)
            shown.append((window.appearance.theme.name, QApplication.palette().color(QPalette.ColorRole.Base).name()))
        light, dark = (LIGHT.name, LIGHT.panel.lower()), (DARK.name, DARK.panel.lower())
        assert shown == [dark, light, light, dark]
        assert told == [DARK.name, LIGHT.name, DARK.name]
        # What the user has chosen stays; as the desktop is again, it is followed at once.
        window.command_actions["view.theme-light"].trigger()
        desktop.turn(Qt.ColorScheme.Light)
        desktop.turn(Qt.ColorScheme.Dark)
        assert window.appearance.theme.name == LIGHT.name
        window.command_actions["view.theme-system"].trigger()
        assert window.appearance.theme.name == DARK.name
