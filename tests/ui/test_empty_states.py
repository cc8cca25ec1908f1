"""Panels that have nothing to show: each says what to do next, wholly readable, and no longer than that is true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.ui.panels import PANELS
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import number_set
from tests.ui.opened import opened_window

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    with opened_window(size=(1366, 720)) as opened:
        yield opened


def settle() -> None:
    for _ in range(6):
        QApplication.processEvents()


def said(window: StudioWindow, key: str) -> list[str]:
    """Return what a panel says of being empty."""
    window.show_panel(key, True)
    settle()
    panel = window.shown_panel(key)
    assert panel is not None
    return [one.text() for one in panel.findChildren(EmptyState) if one.isVisible() and one.text()]


@pytest.mark.parametrize("percent", [80, 100, 200])
def test_what_an_empty_panel_says_is_seen_whole(window: StudioWindow, percent: int) -> None:
    window.scale_text(percent)
    seen = set()
    for info in PANELS:
        if said(window, info.key):
            seen.add(info.key)
            panel = window.panel(info.key)
            for one in panel.findChildren(EmptyState):
                if one.isVisible() and one.text():
                    assert one.height() >= one.heightForWidth(one.width()), f"{info.key}: {one.text()}"
    assert {"similar", "notes", "train-snapshot", "train-seeds", "train-kept", "train-result", "alarms"} <= seen
    assert "recorder" in seen


def test_without_a_run_nobody_is_asked_to_select_one(window: StudioWindow) -> None:
    for key in ("alarms", "recorder"):
        assert any("Add the folder of a run" in words for words in said(window, key)), key


def test_the_horizon_of_a_single_step_asks_for_more_of_them(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.change("One step", data=number_set(count=1, steps=1), item=0)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert any("one step" in words and "open a longer one" in words for words in said(window, "horizon"))
    window.session.change("More steps", data=number_set(count=1, steps=9), item=0)
    qtbot.waitUntil(lambda: not window.session.waiting)
    assert not any("one step" in words for words in said(window, "horizon"))
