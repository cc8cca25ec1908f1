"""Recent files: told apart, forgotten when they are gone, remembered when they could be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6 import QtGui
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from lstm_studio.errors import NetworkError
from lstm_studio.session.compute import Answer, Compute, Request
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import EXPLORE
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


@pytest.fixture
def computer() -> FakeComputer:
    return FakeComputer()


@pytest.fixture
def window(computer: FakeComputer) -> Iterator[StudioWindow]:
    with opened_window(computer) as opened:
        yield opened


def settle(window: StudioWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.session.waiting and not window.runner.busy)


def recent_menu(window: StudioWindow) -> QMenu:
    menu = window.header.submenus["Recent files"]
    menu.aboutToShow.emit()
    return menu


def recent_names(window: StudioWindow) -> list[str]:
    settings = window.settings
    return [Path(path).name for path in (*settings.recent_sequences, *settings.recent_networks)]


def test_recent_files_of_one_name_are_told_apart_and_long_names_end(window: StudioWindow, tmp_path: Path) -> None:
    settings = window.settings
    for path in ("one/walk.csv", "two/walk.csv", f"{'long' * 60}.csv", "a&b <i>.csv"):
        settings = settings.with_recent_sequence(tmp_path / path)
    window.remember(settings.with_recent_network(tmp_path / "one" / "net.pt"))
    actions = [action for action in recent_menu(window).actions() if action.data()]
    texts = [action.text() for action in actions]
    assert texts[0] == "a&&b <i>.csv"
    assert texts[1].startswith("long")
    assert "…" in texts[1]
    assert texts[2:] == ["walk.csv – two", "walk.csv – one", "net.pt", "Clear recent files"]
    assert max(window.fontMetrics().horizontalAdvance(text) for text in texts) < 500
    assert not QtGui.Qt.mightBeRichText(actions[0].toolTip())
    assert actions[0].toolTip().replace("\n", "").endswith("csv")


def test_a_recent_file_that_is_gone_is_said_to_be_and_forgotten(window: StudioWindow, tmp_path: Path) -> None:
    gone, there = str(tmp_path / "gone.csv"), tmp_path / "there.csv"
    there.write_text("x\n1\n")
    window.remember(window.settings.with_recent_sequence(there).with_recent_sequence(gone))
    menu = recent_menu(window)
    menu.triggered.emit(menu.actions()[0])
    assert window.stage.notices.notices[0].found == f"{gone} is not there any more."
    assert recent_names(window) == ["there.csv"]
    assert not window.session.waiting
    menu = recent_menu(window)
    menu.triggered.emit(menu.actions()[-1])
    assert recent_names(window) == []
    assert [action.isEnabled() for action in recent_menu(window).actions()] == [False]


def test_a_network_is_shown_in_explore_and_remembered_only_if_it_can_be_read(
    window: StudioWindow, computer: FakeComputer, qtbot: QtBot
) -> None:
    def refuse(request: Request) -> Answer | None:
        if isinstance(request, Compute) and request.setup.network.checkpoint == "bad.pt":
            raise NetworkError("bad.pt is damaged.", "Open another.")
        return None

    computer.rule = refuse
    window.show_workspace("monitor")
    window.commands.files.open_files(["bad.pt"])
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    settle(window, qtbot)
    assert window.current_workspace == "monitor"
    assert recent_names(window) == []
    window.commands.files.open_files(["net.pt"])
    settle(window, qtbot)
    assert window.current_workspace == EXPLORE
    assert recent_names(window) == ["net.pt"]
    window.show_workspace("train")
    window.commands.files.open_files(["net.pt"])
    assert window.current_workspace == EXPLORE, "also where it is shown already"
    window.show_workspace("train")
    window.commands.files.open_sample("waves")
    assert window.current_workspace == EXPLORE
    settle(window, qtbot)
