"""A label in a room has its surroundings laid out anew only where it needs another size."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.widgets.text import ElidedLabel, Room

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


class Counter(QObject):
    """Counts how often a widget is laid out."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.LayoutRequest
        return False


def hosted(qtbot: QtBot, held: QLabel, *, grows: bool = False) -> tuple[QWidget, Room]:
    host = QWidget()
    qtbot.addWidget(host)
    room = Room(held, grows=grows)
    line = QHBoxLayout(host)
    line.addWidget(room)
    line.addStretch(1)
    host.resize(400, 60)
    host.show()
    settle()
    return host, room


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def test_a_text_of_the_same_size_lays_nothing_out(qtbot: QtBot) -> None:
    held = QLabel("0.11")
    host, room = hosted(qtbot, held)
    counter = Counter(host)
    held.setText("1.01")
    settle()
    assert held.size() == room.size()
    same = counter.count
    assert same == 0
    held.setText("0.11 and more")
    settle()
    assert counter.count > same
    assert room.width() == held.width() == held.sizeHint().width()


def test_a_room_that_grows_never_shrinks_until_the_font_does(qtbot: QtBot) -> None:
    held = QLabel("<b>short</b>")
    host, room = hosted(qtbot, held, grows=True)
    held.setText("much longer than it was before")
    settle()
    wide = room.width()
    assert wide >= held.sizeHint().width()
    counter = Counter(host)
    held.setText("short")
    settle()
    assert (room.width(), counter.count) == (wide, 0)
    host.setStyleSheet("* { font-size: 9px; }")
    held.setText("short again")
    settle()
    assert room.width() < wide


def test_what_is_written_while_it_is_hidden_gets_its_room_when_shown(qtbot: QtBot) -> None:
    held = QLabel("a")
    host, room = hosted(qtbot, held)
    host.hide()
    held.setText("something far longer than that")
    host.show()
    settle()
    assert room.width() == held.sizeHint().width()
    room.hide()
    held.setText("and longer still, as it was hidden by itself")
    room.show()
    settle()
    assert room.width() == held.sizeHint().width()


def test_a_label_that_is_cut_asks_for_no_width(qtbot: QtBot) -> None:
    held = ElidedLabel("a text")
    host, room = hosted(qtbot, held)
    counter = Counter(host)
    held.setText("a text that is far wider than the window in which it stands, by which it is cut")
    settle()
    assert counter.count == 0
    assert room.minimumSizeHint().width() == held.minimumSizeHint().width()
