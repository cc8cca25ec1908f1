"""Files that are dropped on the window."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
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


def test_files_can_be_dropped_on_a_panel_in_a_window_of_its_own(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr(type(window.commands.files), "open_files", lambda _, paths: opened.append(paths))
    dock = window.arrangement.dock("step")
    dock.setFloating(True)
    data, text = QMimeData(), QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.csv")), QUrl.fromLocalFile(str(tmp_path / "b.csv"))])
    text.setText("no file")
    for what, takes in ((data, True), (text, False)):
        buttons = (Qt.DropAction.CopyAction, what, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        enter, drop = QDragEnterEvent(QPoint(40, 60), *buttons), QDropEvent(QPointF(40, 60), *buttons)
        enter.ignore()
        for event in (enter, drop):
            QApplication.sendEvent(dock, event)
        assert enter.isAccepted() is takes
    assert opened == [[str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]]
    dock.setFloating(False)
    assert not dock.acceptDrops(), "the window takes them"


def test_two_networks_that_are_dropped_at_once_are_one_change(window: StudioWindow, tmp_path: Path) -> None:
    before = window.session.setup
    paths = [str(tmp_path / name) for name in ("lstm.safetensors", "rnn.pt")]
    for path in paths:
        Path(path).write_bytes(b"")
    header = b'{"weight":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    Path(paths[0]).write_bytes(len(header).to_bytes(8, "little") + header)
    window.commands.files.open_files(paths)
    setup, session = window.session.setup, window.session
    assert setup.companion is not None
    assert [setup.network.checkpoint, setup.companion.checkpoint] == paths
    assert session.undo_text == "Open lstm.safetensors and rnn.pt"
    session.undo()
    assert session.setup == before


def test_files_that_are_held_over_the_window_are_named_until_they_are_let_go_or_taken_away(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(type(window.commands.files), "open_files", lambda *_: None)
    one, two, text = QMimeData(), QMimeData(), QMimeData()
    one.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.csv"))])
    two.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in ("a.csv", "b.csv")])
    text.setText("no file")
    hint = window.stage.drop_hint

    def send(what: QMimeData, *, let_go: bool) -> None:
        buttons = (Qt.DropAction.CopyAction, what, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(window, QDragEnterEvent(QPoint(400, 300), *buttons))
        assert hint.isVisible() is bool(what.urls())
        if let_go:
            QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), *buttons))
        else:
            QApplication.sendEvent(window, QDragLeaveEvent())
        assert not hint.isVisible()

    for what, words in ((one, "Drop to open a.csv"), (two, "Drop to open 2 files")):
        for let_go in (False, True):
            send(what, let_go=let_go)
            assert hint.words == hint.accessibleDescription() == words
    send(text, let_go=False)
    # It is drawn over the plots, and lets through what is dropped.
    hint.show_files([str(tmp_path / "a.csv")])
    before = window.stage.grab().toImage()
    assert hint.geometry() == window.stage.rect()
    assert window.childAt(window.stage.mapTo(window, QPoint(300, 300))) is not hint
    hint.hide()
    assert window.stage.grab().toImage() != before
