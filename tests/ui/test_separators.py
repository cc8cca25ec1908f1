"""Panels that come back from a window of their own take their place again; the lines between panels go with them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


def pixels(picture: QPixmap) -> NDArray[np.int16]:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, : image.width(), :3].astype(np.int16)


def stale(window: StudioWindow) -> int:
    """Return how many pixels of the window on the screen are not as they would be drawn now."""
    for _ in range(6):
        QApplication.processEvents()
    on_screen, drawn = pixels(window.screen().grabWindow(window.winId())), pixels(window.grab())
    return int((np.abs(on_screen - drawn).max(axis=2) > 24).sum())


def test_lines_between_panels_are_drawn_where_they_are_and_nowhere_else(qtbot: QtBot) -> None:
    with opened_window(size=(1366, 700)) as window:
        dock = window.arrangement.dock("step")
        seen = set()
        for width in (312, 314, 320, 340):
            # As where a symbol of many letters comes, and the panel needs as much more room.
            dock.panel.setMinimumWidth(width)
            stale(window)
            dock.setFloating(True)
            dock.move(300, 100)
            stale(window)
            dock.setFloating(False)
            assert stale(window) == 0, width
            seen.add(dock.x())
        assert len(seen) == 4, "else no line has moved"


@pytest.mark.parametrize("key", ["step", "what-if", "sequence"])
def test_a_panel_that_comes_back_is_as_large_as_before(qtbot: QtBot, key: str) -> None:
    with opened_window(size=(1600, 1000)) as window:
        stale(window)
        here = [dock for dock in window.arrangement.here.values() if dock.isVisible()]
        before = {dock.objectName(): dock.size() for dock in here}
        dock = window.arrangement.dock(key)
        for _ in range(3):
            for floating in (True, False):
                dock._float.click()
                assert dock.isFloating() is floating
                stale(window)
        qtbot.waitUntil(lambda: {dock.objectName(): dock.size() for dock in here} == before)
