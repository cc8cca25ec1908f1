"""A window for tests: with a fake computer, small sequences and settings of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from lstm_studio.session.session import Session
from lstm_studio.session.settings import Settings
from lstm_studio.session.state import Setup
from lstm_studio.ui.app import destroy, make_application
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.worker import Answers
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.slow_computer import FakeComputer


@contextmanager
def opened_window(
    computer: Answers | None = None,
    settings: Settings | None = None,
    settings_path: Path | None = None,
    setup: Setup | None = None,
    size: tuple[int, int] = (1600, 1000),
) -> Iterator[StudioWindow]:
    """Show a window, and destroy it afterwards."""
    make_application()
    session = Session(answer(setup or small_setup()))
    window = StudioWindow(session, computer or FakeComputer(), settings or Settings(theme="light"), settings_path)
    window.resize(*size)
    window.show()
    QApplication.processEvents()
    try:
        yield window
    finally:
        destroy(window)


def press(widget: QWidget, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    """Press a key as the keyboard does: to the focused widget of the active window."""
    held = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        held |= modifier
    target = QApplication.focusWidget() or widget
    QTest.keyClick(target, key, held)
