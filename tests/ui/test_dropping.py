"""Files that are dropped on the window."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import WORKSPACES
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened_window() as made:
        yield made


def test_files_that_are_dropped_anywhere_are_the_windows(window: StudioWindow) -> None:
    for info in WORKSPACES:
        window.show_workspace(info.key)
        QApplication.processEvents()
        for key in window.arrangement.here:
            window.show_panel(key, True)
            QApplication.processEvents()
            taking = {widget for widget in window.findChildren(QWidget) if widget.acceptDrops()}
            typed = {widget for widget in taking if isinstance(widget, QLineEdit | QPlainTextEdit)}
            within = {widget for widget in taking if widget.parentWidget() in typed}
            assert {type(widget).__name__ for widget in taking - typed - within} == set()


def test_files_can_be_dropped(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "good.csv")), QUrl("https://example.org/a.csv")])
    event = QDropEvent(
        QPointF(400, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    assert event.isAccepted()
    qtbot.waitUntil(lambda: window.session.result.setup.data.sequences[0].steps == 14)


@pytest.mark.parametrize("host", ["localhost", socket.gethostname()])
def test_a_file_may_be_named_with_this_computer(
    window: StudioWindow, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(window.commands.files, "open_files", opened.extend)
    data = QMimeData()
    data.setData("text/uri-list", f"file://{host}/data/a%20b.csv\r\nfile:///data/c.csv\r\n".encode())
    event = QDropEvent(
        QPointF(400, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    assert opened == ["/data/a b.csv", "/data/c.csv"]
