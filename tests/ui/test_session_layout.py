"""What of the window a session keeps: its size, its workspace, and where the panels of each workspace are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.session.session import Session
from lstm_studio.session.settings import Settings
from lstm_studio.session.state import Branch, Comparison, branch_key
from lstm_studio.ui import session_layout
from lstm_studio.ui.app import destroy
from lstm_studio.ui.arrangement import FOLD_BELOW_WIDTH
from lstm_studio.ui.session_layout import lay_out, layout_of
from lstm_studio.ui.widgets.panel import Panel
from lstm_studio.ui.window import SMALLEST, StudioWindow
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")

LARGE = QRect(0, 0, 2560, 1440)


@pytest.fixture(autouse=True)
def screen(monkeypatch: pytest.MonkeyPatch) -> list[QRect]:
    """The screen of each window: that of the offscreen platform is too small for it. Put another one in its place."""
    rooms = [LARGE]
    monkeypatch.setattr(session_layout, "_room_of", lambda _: rooms[0])
    return rooms


@pytest.fixture
def window() -> Iterator[StudioWindow]:
    with opened_window() as made:
        yield made


def carried(window: StudioWindow) -> dict[str, Any]:
    """Return the layout of a window as a file brings it to another one."""
    layout = json.loads(json.dumps(layout_of(window)))
    assert isinstance(layout, dict)
    return layout


def test_panels_come_back_at_their_places_and_sizes() -> None:
    with opened_window() as window:
        window.show_panel("what-if", False)
        window.show_panel("notes", True)
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, window.arrangement.docks["units"])
        window.resizeDocks([window.arrangement.docks["sequence"]], [330], Qt.Orientation.Horizontal)
        QApplication.processEvents()
        layout = layout_of(window)
    with opened_window() as window:
        lay_out(window, layout)
        QApplication.processEvents()
        now = layout_of(window)["panels"]
        assert {key: _place(panel) for key, panel in now.items()} == {
            key: _place(panel) for key, panel in layout["panels"].items()
        }
        assert layout["panels"]["sequence"]["width"] == 330
        assert layout["panels"]["notes"]["front"]
        assert not layout["panels"]["step"]["front"]


def _place(panel: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is seen of a panel; one that is hidden has no size worth the name."""
    return panel["shown"], panel["front"], panel["side"], panel["width"] if panel["front"] else 0


@pytest.mark.parametrize(
    "layout",
    [
        {"panels": 3},
        {"panels": {"units": None, "step": {"shown": "yes", "side": 7, "width": -1, "height": 1e9}, "moon": {}}},
        {"panels": {"units": {"width": 9_999, "height": True, "front": 1}}},
        {"window": 7, "workspace": "moon", "workspaces": []},
        {"window": {"width": "1000", "height": 700, "maximised": 1}, "workspace": 3},
        {"window": {"width": 1000, "height": 10**9}, "workspaces": {"train": 3, "moon": {"panels": {}}}},
        {"window": {"width": True, "height": -5}, "workspaces": {"train": {"panels": 3}, "explore": {"panels": {}}}},
    ],
)
def test_a_layout_that_is_none_changes_no_panel(window: StudioWindow, layout: dict[str, Any]) -> None:
    shown = window.arrangement.wanted
    lay_out(window, layout)
    QApplication.processEvents()
    assert window.arrangement.wanted == shown
    assert window.size().toTuple() == (1600, 1000)
    assert window.current_workspace == "explore"


def test_the_window_has_the_size_that_it_had() -> None:
    with opened_window(size=(1240, 820)) as window:
        layout = carried(window)
    assert layout["window"] == {"width": 1240, "height": 820, "maximised": False}
    with opened_window(size=(1600, 1000)) as window:
        lay_out(window, layout)
        assert window.size().toTuple() == (1240, 820)


@pytest.mark.parametrize(
    ("room", "at", "expected"),
    [
        (QRect(0, 0, 1366, 728), (300, 200), (0, 0, 1366, 728)),
        (QRect(0, 40, 1920, 1040), (700, 400), (320, 80, 1600, 1000)),
        (QRect(0, 0, 2560, 1440), (700, 400), (700, 400, 1600, 1000)),
        (QRect(1920, 0, 1920, 1080), (0, 0), (1920, 0, 1600, 1000)),
        (QRect(0, 0, 800, 480), (9, 9), (0, 0, 0, 0)),
    ],
)
def test_a_window_fits_the_screen_of_the_machine_that_opens_it(
    screen: list[QRect], room: QRect, at: tuple[int, int], expected: tuple[int, int, int, int]
) -> None:
    screen[0] = room
    with opened_window(size=(1000, 600)) as window:
        window.move(*at)
        frame = window.frameGeometry().size() - window.size()
        wanted = QSize(1600, 1000) - frame
        lay_out(window, {"window": {"width": wanted.width(), "height": wanted.height(), "maximised": False}})
        least = QSize(*SMALLEST) + frame
        assert window.frameGeometry().topLeft().toTuple() == expected[:2]
        assert window.frameGeometry().size() == QSize(*expected[2:]).expandedTo(least)


def test_a_window_that_filled_the_screen_fills_this_one_and_the_other_way_round(qtbot: QtBot) -> None:
    with opened_window(size=(1300, 800)) as window:
        normal = carried(window)
        window.showMaximized()
        qtbot.waitUntil(window.isMaximized)
        maximised = carried(window)
        assert maximised["window"] == {"width": 1300, "height": 800, "maximised": True}
        lay_out(window, normal)
        qtbot.waitUntil(lambda: not window.isMaximized())
        assert window.size().toTuple() == (1300, 800)
        lay_out(window, maximised)
        qtbot.waitUntil(window.isMaximized)
    with opened_window(size=(1300, 800)) as window:
        window.showFullScreen()
        qtbot.waitUntil(window.isFullScreen)
        assert carried(window)["window"]["maximised"] is False
        lay_out(window, normal)
        assert window.isFullScreen(), "a full screen is a matter of the room"


def test_each_workspace_finds_its_panels_and_the_one_that_was_shown_is_shown(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.show_panel("units", False)
        window.show_workspace("train")
        QApplication.processEvents()
        here = window.arrangement.here
        left = Qt.DockWidgetArea.LeftDockWidgetArea
        first = next(key for key, dock in here.items() if window.dockWidgetArea(dock) is left)
        hidden = next(key for key in here if key != first and not here[key].isHidden())
        window.show_panel(hidden, False)
        window.resizeDocks([here[first]], [391], Qt.Orientation.Horizontal)
        QApplication.processEvents()
        layout = carried(window)
        assert layout["workspace"] == "train"
        assert layout["workspaces"]["train"]["panels"][first]["width"] == 391
    with opened_window() as window:
        lay_out(window, layout)
        assert window.current_workspace == "train"
        qtbot.waitUntil(lambda: window.arrangement.docks[first].width() == 391)
        assert hidden not in window.arrangement.wanted
        window.show_workspace("explore")
        assert "units" not in window.arrangement.wanted
        again = carried(window)
        assert again["workspaces"]["train"]["panels"][first]["width"] == 391
    with opened_window() as window:
        lay_out(window, {**layout, "workspace": "explore"})
        assert window.current_workspace == "explore"
        # Never entered here, they are handed on.
        assert carried(window)["workspaces"]["train"] == layout["workspaces"]["train"]
        window.show_workspace("train")
        qtbot.waitUntil(lambda: window.arrangement.docks[first].width() == 391)
        assert hidden not in window.arrangement.wanted


def test_sessions_of_earlier_programs_leave_the_window_as_it_is(window: StudioWindow) -> None:
    panels = carried(window)["panels"]
    panels["units"]["shown"] = False
    lay_out(window, {"panels": panels})
    assert window.size().toTuple() == (1600, 1000)
    assert window.current_workspace == "explore"
    assert "units" not in window.arrangement.wanted


def test_a_frame_that_comes_later_leaves_the_window_on_the_screen(screen: list[QRect], qtbot: QtBot) -> None:
    with opened_window(size=(1300, 800)) as window:
        lay_out(window, {"window": {"width": 1340, "height": 760, "maximised": False}})
        # As if the frame had taken that much of the screen.
        screen[0] = QRect(0, 0, 1300, 720)
        qtbot.waitUntil(lambda: window.frameGeometry().size().toTuple() == (1300, 720))
        assert window.frameGeometry().topLeft().toTuple() == (0, 0)


def test_a_panel_in_a_window_of_its_own_comes_back_in_one(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.arrangement.dock("step").setFloating(True)
        dock = window.arrangement.docks["step"]
        dock.resize(411, 522)
        dock.move(window.pos() + QPoint(700, 150))
        QApplication.processEvents()
        size = dock.size()
        layout = carried(window)
        assert layout["panels"]["step"]["floating"]
    with opened_window() as window:
        window.move(33, 44)
        lay_out(window, layout)
        qtbot.waitUntil(lambda: not window.panels_to_place)
        dock = window.arrangement.docks["step"]
        assert dock.isFloating()
        assert dock.size() == size
        assert dock.pos() - window.pos() == QPoint(700, 150)
        layout["panels"]["step"]["floating"] = False
        lay_out(window, layout)
        qtbot.waitUntil(lambda: not window.panels_to_place)
        assert not dock.isFloating()
        assert window.dockWidgetArea(dock) is Qt.DockWidgetArea.RightDockWidgetArea


@pytest.mark.parametrize(("workspace", "key"), [("explore", "step"), ("train", "train-snapshot")])
def test_a_panel_in_a_window_of_its_own_comes_back_where_the_frame_comes_later(
    workspace: str, key: str, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    with opened_window() as window:
        window.show_workspace(workspace)
        dock = window.arrangement.dock(key)
        dock.setFloating(True)
        dock.resize(300, 400)
        dock.move(window.pos() + QPoint(341, 63))
        layout = carried(window)
    with opened_window() as window:
        lay_out(window, layout)
        QApplication.processEvents()
        frame = QPoint(-1, -20)
        # As if the desktop had put its frame around the window where it is.
        monkeypatch.setattr(StudioWindow, "pos", lambda self: QWidget.pos(self) + frame)
        qtbot.waitUntil(lambda: window.current_workspace not in window.panels_to_place)
        dock = window.arrangement.docks[key]
        assert dock.isFloating()
        assert dock.pos() - window.pos() == QPoint(341, 63)


@pytest.mark.parametrize(("workspace", "key"), [("explore", "what-if"), ("train", "train-networks")])
def test_a_panel_comes_back_scrolled_to_where_it_was(workspace: str, key: str, qtbot: QtBot) -> None:
    size = (1200, 620)
    with opened_window(size=size) as window:
        window.show_workspace(workspace)
        panel = window.panel(key)
        assert isinstance(panel, Panel)
        qtbot.waitUntil(lambda: panel._scroll.verticalScrollBar().maximum() > 21)
        panel._scroll.verticalScrollBar().setValue(21)
        layout = carried(window)
    with opened_window(size=size) as window:
        lay_out(window, layout)
        again = window.panel(key)
        assert isinstance(again, Panel)
        qtbot.waitUntil(lambda: again.scrolled == 21)
        qtbot.waitUntil(lambda: window.current_workspace not in window.panels_to_place)
        assert again.scrolled == 21
    with opened_window(size=size) as window:
        lay_out(window, {**layout, "workspace": "monitor"})
        window.show_workspace(workspace)
        later = window.panel(key)
        assert isinstance(later, Panel)
        qtbot.waitUntil(lambda: later.scrolled == 21)


def test_a_panel_in_a_window_of_its_own_comes_back_on_a_smaller_screen(screen: list[QRect], qtbot: QtBot) -> None:
    with opened_window() as window:
        panels = carried(window)["panels"]
    panels["step"] |= {"floating": True, "x": 3_000, "y": -500, "width": 5_000, "height": 400}
    screen[0] = QRect(0, 0, 1366, 728)
    with opened_window(size=(1200, 700)) as window:
        lay_out(window, {"panels": panels})
        qtbot.waitUntil(lambda: not window.panels_to_place)
        assert screen[0].contains(window.arrangement.docks["step"].geometry())
        for wrong in (True, "3", 10**9, None):
            panels["step"] |= {"x": wrong, "floating": 7}
            lay_out(window, {"panels": panels})
            qtbot.waitUntil(lambda: not window.panels_to_place)
            assert window.arrangement.docks["step"].isFloating(), "what is no place changes none"


def test_a_panel_brought_out_where_the_left_is_folded_is_out_again(qtbot: QtBot) -> None:
    size = (FOLD_BELOW_WIDTH - 60, 800)
    with opened_window(size=size) as window:
        assert window.arrangement.brought_out == frozenset()
        window.show_panel("units", True)
        assert window.arrangement.brought_out == {"units"}
        layout = carried(window)
        del layout["window"]
    with opened_window(size=size) as window:
        window.show_panel("sequence", True)
        lay_out(window, layout)
        qtbot.waitUntil(lambda: not window.panels_to_place)
        assert window.arrangement.brought_out == {"units"}
    with opened_window(size=(1600, 800)) as window:
        lay_out(window, layout)
        qtbot.waitUntil(lambda: not window.panels_to_place)
        assert {"units", "sequence", "networks"} <= window.arrangement.wanted, "with room, nothing is folded"
        assert not window.arrangement.docks["sequence"].isHidden()


def test_the_heights_of_panels_come_back_to_the_pixel_with_tabs_too(qtbot: QtBot) -> None:
    with opened_window() as window:
        window.show_panel("notes", True)
        docks = window.arrangement.docks
        window.resizeDocks([docks["notes"], docks["what-if"]], [500, 300], Qt.Orientation.Vertical)
        QApplication.processEvents()
        layout = carried(window)
        heights = {key: docks[key].height() for key in ("notes", "what-if", "sequence", "networks", "units")}
    with opened_window() as window:
        lay_out(window, layout)
        qtbot.waitUntil(lambda: not window.panels_to_place)
        docks = window.arrangement.docks
        qtbot.waitUntil(lambda: {key: docks[key].height() for key in heights} == heights)


def test_a_window_has_its_measures_before_anything_is_done_in_it() -> None:
    comparison = Comparison(branch_key("Without unit 1"))
    with opened_window(size=(1366, 768)) as window:
        session = window.session
        session.change("What if", branches=(Branch("Without unit 1", 2, ablate=(("lstm.0", (1,)),)),))
        session.look(comparison=comparison)
        state = (session.result, session.view)
    session = Session(state[0], state[1])
    window = StudioWindow(session, FakeComputer(), Settings(theme="light"))
    try:
        window.resize(1366, 768)
        window.show()
        QApplication.processEvents()
        before = window.transport.grab().toImage(), window.workspace.compare_bar.base.width()
        # What any step does, and any choice in the bar.
        session.look(speed=8.0)
        session.look(speed=state[1].speed)
        window.workspace.compare_bar.apply_theme(window.appearance.theme)
        QApplication.processEvents()
        assert window.transport.grab().toImage() == before[0]
        assert window.workspace.compare_bar.base.width() == before[1]
    finally:
        destroy(window)
