"""Segments have room for the bold text of whichever button is down, at any size of text."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.widgets.segments import Segments

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

OPTIONS = {"whole": "Whole step", "phases": "Four phases"}


def bold_fits(segments: Segments) -> bool:
    for key in OPTIONS:
        button = segments.button(key)
        bold = QFont(button.font())
        bold.setWeight(QFont.Weight.DemiBold)
        if button.width() < QFontMetrics(bold).horizontalAdvance(button.text()) + 2:
            return False
    return True


@pytest.mark.parametrize("padding", [None, 4])
def test_bold_words_fit_whatever_the_size_of_text(qtbot: QtBot, padding: int | None) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    segments = Segments("Steps", OPTIONS, padding=padding)
    line = QHBoxLayout(host)
    line.addWidget(segments)
    line.addStretch(1)
    host.resize(600, 60)
    host.show()
    for scale in (1.0, 2.0, 0.8, 1.25):
        host.setStyleSheet(style_sheet(LIGHT, scale))
        qtbot.waitUntil(lambda: bold_fits(segments), timeout=2000)


def test_a_choice_gets_another_text_and_room_for_it(qtbot: QtBot) -> None:
    segments = Segments("Steps", OPTIONS)
    qtbot.addWidget(segments)
    segments.show()
    before = segments.sizeHint().width()
    segments.set_text("phases", "Three phases, and many more words")
    assert segments.button("phases").accessibleName() == "Three phases, and many more words"
    assert segments.accessibleName() == "Steps", "a screen reader says the group before the button"
    assert segments.sizeHint().width() > before
    segments.adjustSize()
    qtbot.waitUntil(lambda: bold_fits(segments), timeout=2000)
