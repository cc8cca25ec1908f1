"""At twice the size of the text, everything else grows with it, and panels share the room anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QScrollArea
from pytestqt.qtbot import QtBot

from lstm_studio.ui.monitor.bar import MonitorBar
from lstm_studio.ui.monitor.run_list import RunDelegate
from lstm_studio.ui.monitor.runs_panel import RunsPanel
from lstm_studio.ui.train.bar import TrainBar
from lstm_studio.ui.train.gallery import TaskCard
from lstm_studio.ui.train.result_panel import ResultPanel
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(size=(3840, 2160)) as opened:
        yield opened


def settle(window: StudioWindow) -> None:
    for _ in range(6):
        QApplication.processEvents()
    assert window.isVisible()


def dot_width(card: TaskCard, ink: str) -> int:
    """Return how wide the filled dot of a card is: the run of ink in the upper right corner of its title."""
    image = card.grab().toImage()
    rows = range(round(card.picture.top()))
    wanted = QColor(ink).rgb()
    left = card.width() * 3 // 4
    return max(sum(image.pixel(x, y) == wanted for x in range(left, card.width() - 4)) for y in rows if y > 4)


def test_marks_of_train_grow_with_the_text(window: StudioWindow) -> None:
    window.show_workspace("train")
    settle(window)
    card = next(card for card in window.findChildren(TaskCard) if card.isChecked())
    found = []
    for percent in (100, 200):
        window.scale_text(percent)
        settle(window)
        marks = [mark for mark in window.panel("train-equal").findChildren(QLabel) if not mark.pixmap().isNull()]
        assert len(marks) >= 6
        assert all(mark.pixmap().deviceIndependentSize().toSize() == mark.size() for mark in marks)
        found.append((marks[0].width(), round(card.picture.height()), dot_width(card, window.appearance.theme.ink)))
    for small, large in zip(*found, strict=True):
        assert 0 < 1.7 * small <= large


@pytest.mark.parametrize("workspace", ["explore", "train", "monitor"])
def test_panels_that_large_text_made_longer_are_whole_where_there_is_room(
    qtbot: QtBot, window: StudioWindow, workspace: str
) -> None:
    window.show_workspace(workspace)
    settle(window)
    window.scale_text(200)

    def all_are_whole() -> None:
        for key, dock in window.arrangement.here.items():
            if dock.isVisible() and key != "step":
                assert dock.height() >= dock.sizeHint().height() - 4, key

    # On a busy machine the panels share the room later.
    qtbot.waitUntil(all_are_whole)


def test_a_panel_that_comes_back_gets_the_room_that_it_needs(qtbot: QtBot) -> None:
    with opened_window(size=(1920, 1200)) as window:
        left = ("sequence", "networks", "units")
        for key in left[:2]:
            window.command_actions[f"view.panel-{key}"].trigger()
            settle(window)
        for key in left[:2]:
            window.command_actions[f"view.panel-{key}"].trigger()
            settle(window)
        docks = [window.arrangement.docks[key] for key in left]
        wanted = [dock.sizeHint().height() for dock in docks]
        assert sum(wanted) <= window.stage.height()
        for dock, height in zip(docks, wanted, strict=True):
            assert dock.height() >= height - 4, dock.objectName()


def test_the_lines_that_record_a_training_are_whole(window: StudioWindow) -> None:
    window.show_workspace("monitor")
    for percent in (100, 200):
        window.scale_text(percent)
        settle(window)
        code = next(it for it in window.findChildren(QPlainTextEdit) if it.isVisible())
        longest = max(QFontMetricsF(code.font()).horizontalAdvance(line) for line in code.toPlainText().splitlines())
        assert code.viewport().width() >= longest
        assert code.horizontalScrollBar().maximum() == 0


def test_panels_of_other_workspaces_become_narrow_again_with_the_text(window: StudioWindow) -> None:
    found: dict[str, list[list[int]]] = {}
    for percent in (100, 200, 100):
        window.scale_text(percent)
        for workspace in ("monitor", "train", "explore"):
            window.show_workspace(workspace)
            settle(window)
            widths = [dock.width() for dock in window.arrangement.here.values() if dock.isVisible()]
            found.setdefault(workspace, []).append(widths)
    for workspace, (small, large, again) in found.items():
        assert sum(large) > sum(small), workspace
        assert again == small, workspace


def test_the_button_that_opens_a_step_shrinks_with_the_text(window: StudioWindow) -> None:
    window.show_workspace("monitor")
    bar = window.findChild(MonitorBar)
    assert bar is not None
    found = []
    for percent in (100, 200, 100):
        window.scale_text(percent)
        settle(window)
        found.append(bar._open.minimumWidth())
    assert found[0] == found[2] < found[1]


def test_the_tick_of_a_run_grows_with_the_text(window: StudioWindow) -> None:
    window.show_workspace("monitor")
    runs = window.panel("runs")
    assert isinstance(runs, RunsPanel)
    delegate = runs.list.itemDelegate()
    assert isinstance(delegate, RunDelegate)
    sides = []
    for percent in (100, 200):
        window.scale_text(percent)
        settle(window)
        box = delegate.box(QRectF(0, 0, 300, 90))
        sides.append(box.width())
        assert box.width() == box.height()
    assert sides[1] >= 1.7 * sides[0] > 0


def hidden_below(window: StudioWindow) -> dict[str, int]:
    """Return for each panel that is seen how many pixels of it have to be scrolled to."""
    bars = {key: window.panel(key).findChild(QScrollArea) for key, dock in window.arrangement.here.items()}
    seen = {key: bar for key, bar in bars.items() if bar is not None and bar.isVisible()}
    return {key: bar.verticalScrollBar().maximum() for key, bar in seen.items()}


@pytest.mark.parametrize("percent", [100, 150])
def test_no_panel_scrolls_where_there_is_room_for_all(qtbot: QtBot, percent: int) -> None:
    with opened_window(size=(2560, 1440)) as window:
        window.scale_text(percent)
        for workspace in ("train", "explore"):
            window.show_workspace(workspace)
            # Text that is broken into lines needs more height at this width than at the one it would like to have.
            qtbot.waitUntil(lambda: len(hidden_below(window)) >= 5 and not any(hidden_below(window).values()))
        window.show_workspace("train")
        # Nor where text was larger in between.
        for between in (200, percent):
            window.scale_text(between)
            settle(window)
        qtbot.waitUntil(lambda: not any(hidden_below(window).values()))


def test_a_panel_gets_back_what_it_gave_up_while_text_was_large(qtbot: QtBot) -> None:
    with opened_window(size=(1600, 1000)) as window:
        settle(window)
        assert hidden_below(window)["what-if"] == 0
        window.scale_text(200)
        qtbot.waitUntil(lambda: hidden_below(window)["what-if"] > 0)
        window.scale_text(100)
        qtbot.waitUntil(lambda: hidden_below(window)["what-if"] == 0)


@pytest.mark.parametrize("percent", [100, 150, 200])
def test_buttons_that_are_first_seen_with_large_text_are_as_wide_as_their_words(
    qtbot: QtBot, window: StudioWindow, percent: int
) -> None:
    window.scale_text(percent)
    window.show_workspace("train")
    settle(window)
    bar = window.findChild(TrainBar)
    assert bar is not None
    widths = {}
    for button in bar.findChildren(QPushButton):
        words = QFontMetricsF(button.font()).horizontalAdvance(button.text())
        widths[button.text()] = button.width() - words - (0 if button.icon().isNull() else button.iconSize().width())
    assert len(widths) == 4
    # As much beside them as every button has at every size: two paddings and a border.
    assert all(beside >= 18 for beside in widths.values()), widths


def test_a_panel_that_keeps_room_for_what_will_come_needs_no_more_than_that(window: StudioWindow) -> None:
    window.show_workspace("train")
    for percent in (100, 200):
        window.scale_text(percent)
        settle(window)
        dock = window.arrangement.here["train-result"]
        panel = dock.panel
        assert isinstance(panel, ResultPanel)
        # Its sentence takes more lines at this width, but fewer than there is room for.
        assert panel.sizeHint().height() > 1.5 * panel._body.sizeHint().height()
        assert dock.needed_height == dock.sizeHint().height()
