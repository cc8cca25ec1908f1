"""The number between two arrows has the room that it needs, and no more."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.widgets.stepper import Stepper

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("largest", [9, 200, 1_234_567])
def test_the_largest_number_is_whole_at_the_least_width(
    qapp: QApplication, qtbot: QtBot, largest: int, scale: float
) -> None:
    usual = qapp.font()
    large = qapp.font()
    large.setPixelSize(round(13 * scale))
    qapp.setFont(large)
    try:
        stepper = Stepper(LIGHT, "sequence", "Sequence ")
        qtbot.addWidget(stepper)
        stepper.setStyleSheet(style_sheet(LIGHT))
        stepper.show_value(largest, 0, largest)
        stepper.resize(stepper.minimumSizeHint())
        stepper.show()
        line = stepper.field.findChild(QLineEdit)
        assert line is not None
        needed = line.fontMetrics().horizontalAdvance(stepper.field.text())
        # Qt draws two pixels beside the text, and the caret takes one more.
        assert needed + 5 <= line.width() <= needed + 30 * scale
    finally:
        qapp.setFont(usual)
