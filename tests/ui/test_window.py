"""The window: files in, results on the screen, errors in the notices, and everything gone when it closes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QMenu,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from lstm_studio.errors import SequenceError
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.options import MemoryLimitError, Missing, MissingValuesError, ReadOptions
from lstm_studio.session.compute import Answer, Compute, Judge, OpenFile, Request
from lstm_studio.session.settings import Settings, load_settings
from lstm_studio.ui.arrangement import FOLD_BELOW_WIDTH
from lstm_studio.ui.commands import MENUS
from lstm_studio.ui.notices import Level, Notice
from lstm_studio.ui.theme import DARK, LIGHT
from lstm_studio.ui.window import StudioWindow
from tests.ui.opened import opened_window
from tests.ui.slow_computer import FakeComputer

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")


@pytest.fixture
def computer() -> FakeComputer:
    return FakeComputer()


@pytest.fixture
def window(qtbot: QtBot, computer: FakeComputer) -> Iterator[StudioWindow]:
    with opened_window(computer) as opened:
        yield opened


def settle(window: StudioWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.session.waiting and not window.runner.busy)


def button(window: StudioWindow, text: str) -> QPushButton:
    found = [one for one in window.stage.notices.findChildren(QPushButton) if one.text() == text]
    assert len(found) == 1, [one.text() for one in window.stage.notices.findChildren(QPushButton)]
    return found[0]


# Opening.


def test_a_file_is_read_traced_shown_and_remembered(window: StudioWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = str(tmp_path / "good.csv")
    window.commands.files.open_files([path])
    qtbot.waitUntil(lambda: window.session.result.setup.data.sequences[0].steps == 14)
    settle(window, qtbot)
    assert window.workspace.stack.state.steps == 14
    assert window.settings.recent_sequences == (path,)
    assert window.settings.folder == str(tmp_path)
    assert window.stage.notices.notices == ()


def test_a_bad_file_is_explained_and_leaves_everything_as_it_was(window: StudioWindow, qtbot: QtBot) -> None:
    before = window.session.result
    focus = QApplication.focusWidget()
    window.commands.files.open_files(["bad.csv"])
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    (notice,) = window.stage.notices.notices
    assert (notice.level, notice.found) == (Level.ERROR, "bad.csv, line 7: 'abc' is not a number.")
    assert notice.cure == "Correct line 7."
    assert window.session.result is before
    assert window.settings.recent_sequences == ()
    assert QApplication.focusWidget() is focus
    button(window, "Copy details").click()
    assert QApplication.clipboard().text() == f"{notice.found}\n{notice.cure}"


def test_missing_values_can_be_filled_by_a_click(window: StudioWindow, computer: FakeComputer, qtbot: QtBot) -> None:
    def refuse(request: Request) -> Answer | None:
        if isinstance(request, OpenFile) and request.options.missing is Missing.REFUSE:
            raise MissingValuesError("gaps.csv: 3 values are missing.", "Choose.")
        return None

    computer.rule = refuse
    window.commands.files.open_files(["gaps.csv"])
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    texts = {one.text() for one in window.stage.notices.findChildren(QPushButton)}
    assert texts == {"Fill forward", "Interpolate", "Drop those steps", "Copy details"}
    button(window, "Interpolate").click()
    qtbot.waitUntil(lambda: window.session.result.setup.data.sequences[0].steps == 14)
    opened = [request for request in computer.begun if isinstance(request, OpenFile)]
    assert [request.options.missing for request in opened] == [Missing.REFUSE, Missing.INTERPOLATE]
    assert window.stage.notices.notices == ()


def test_more_memory_can_be_granted_by_a_click(window: StudioWindow, computer: FakeComputer, qtbot: QtBot) -> None:
    limits = []

    def refuse(request: Request) -> Answer | None:
        if isinstance(request, OpenFile):
            limits.append(request.options.memory_limit)
            if len(limits) == 1:
                raise MemoryLimitError("big.csv holds 25 GB.", "Raise the limit.", 25_000_000_000)
        return None

    computer.rule = refuse
    window.commands.files.open_files(["big.csv"])
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    button(window, "Use 25.0 GB").click()
    qtbot.waitUntil(lambda: len(limits) == 2)
    settle(window, qtbot)
    assert limits == [ReadOptions().memory_limit, 25_000_000_000]


def test_sequences_and_networks_open_as_one_change(window: StudioWindow, qtbot: QtBot) -> None:
    window.commands.files.open_files(["net.pt", "good.csv", "second.pth"])
    qtbot.waitUntil(lambda: window.session.result.setup.data.sequences[0].steps == 14)
    setup = window.session.result.setup
    assert (setup.network.checkpoint, setup.companion and setup.companion.checkpoint) == ("net.pt", "second.pth")
    window.session.undo()
    settle(window, qtbot)
    assert window.session.setup.network.checkpoint is None
    assert window.session.undo_text is None


def test_a_network_alone_keeps_the_sequences(window: StudioWindow, qtbot: QtBot) -> None:
    data = window.session.setup.data
    window.commands.files.open_files(["net.pt"])
    settle(window, qtbot)
    assert window.session.result.setup.network == NetworkSpec(checkpoint="net.pt")
    assert window.session.result.setup.data is data
    assert [Path(path).name for path in window.settings.recent_networks] == ["net.pt"]


def test_files_that_do_not_fit_in_are_named(window: StudioWindow, qtbot: QtBot) -> None:
    window.commands.files.open_files(["a.csv", "b.csv"])
    assert "b.csv" in window.stage.notices.notices[0].found
    settle(window, qtbot)


def test_recent_files_and_devices_are_offered_in_their_menus(window: StudioWindow, qtbot: QtBot) -> None:
    window.start()
    qtbot.waitUntil(lambda: window.runner.warm is not None)
    window.commands.files.open_files(["good.csv"])
    qtbot.waitUntil(lambda: bool(window.settings.recent_sequences))
    settle(window, qtbot)
    texts = {}
    for menu in window.findChildren(QMenu):
        menu.aboutToShow.emit()
        texts[menu.title()] = [action.text() for action in menu.actions()]
    assert texts["Recent files"] == ["good.csv", "", "Clear recent files"]
    assert texts["Device"] == ["Automatic", "CPU"]
    boxes = [box for box in window.header.findChildren(QComboBox) if box.accessibleName() == "Device"]
    assert [boxes[0].itemText(index) for index in range(boxes[0].count())] == ["Automatic", "CPU"]


# Computing.


def test_only_the_last_of_many_changes_is_shown(qtbot: QtBot) -> None:
    computer = FakeComputer(open_gate=False)
    with opened_window(computer) as window:
        for size in range(6, 16):
            window.session.change("Change the size", network=NetworkSpec(hidden_size=size))
            QApplication.processEvents()
        computer.release()
        settle(window, qtbot)
        qtbot.wait(20)
        assert window.session.result.infos[0].hidden_size == 15
        traced = [request for request in computer.finished if isinstance(request, Compute)]
        assert [request.setup.network.hidden_size for request in traced] == [15]


def test_undo_to_what_is_on_the_screen_stops_the_computation(qtbot: QtBot) -> None:
    computer = FakeComputer(open_gate=False)
    with opened_window(computer) as window:
        shown = window.session.result
        window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
        qtbot.waitUntil(lambda: len(computer.begun) == 1)
        window.session.undo()
        qtbot.waitUntil(lambda: window.runner.busy is False)
        computer.release()
        qtbot.wait(20)
        assert window.session.result is shown
        assert computer.finished == []


def test_long_work_shows_words_and_can_be_cancelled(qtbot: QtBot) -> None:
    computer = FakeComputer(open_gate=False)
    with opened_window(computer) as window:
        shown = window.session.setup
        window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
        assert not window.stage.bar.isVisible()
        qtbot.waitUntil(window.stage.bar.isVisible)
        cancel = next(one for one in window.header.findChildren(QPushButton) if one.text() == "Cancel")
        assert cancel.isVisible()
        # While it goes on, what is on the screen can be stepped.
        window.session.move_cursor(0)
        window.command_actions["run.next"].trigger()
        assert window.session.view.cursor == 1
        cancel.click()
        qtbot.waitUntil(lambda: not window.stage.bar.isVisible())
        assert window.session.setup is shown
        assert window.session.undo_text is None
        assert not cancel.isVisible()
        assert window.stage.notices.notices == ()


def test_short_work_shows_no_progress(window: StudioWindow, qtbot: QtBot) -> None:
    busy: list[bool] = []
    window.runner.busy_changed.connect(busy.append)
    for size in range(6, 10):
        window.session.change("Change the size", network=NetworkSpec(hidden_size=size))
        qtbot.waitUntil(lambda: not window.session.waiting)
    qtbot.wait(250)
    assert busy == []


def test_what_needs_torch_says_that_it_is_starting(qtbot: QtBot) -> None:
    computer = FakeComputer(open_gate=False)
    with opened_window(computer) as window:
        words: list[str] = []
        window.runner.progressed.connect(lambda _, text: words.append(text))
        window.start()
        window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
        qtbot.waitUntil(lambda: "Starting PyTorch…" in words)
        assert window.runner.warm is None
        computer.release()
        settle(window, qtbot)
        assert window.session.result.infos[0].hidden_size == 9


def test_a_setup_that_cannot_be_computed_is_taken_back(
    window: StudioWindow, computer: FakeComputer, qtbot: QtBot
) -> None:
    def refuse(request: Request) -> Answer | None:
        if isinstance(request, Compute) and request.setup.network.checkpoint is not None:
            raise SequenceError("net.pt takes 3 features, the sequence has 8.", "Open a sequence with 3 features.")
        return None

    computer.rule = refuse
    shown = window.session.setup
    window.session.open_checkpoint("net.pt")
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    assert "takes 3 features" in window.stage.notices.notices[0].found
    assert window.session.setup is shown


def test_a_bug_in_the_worker_reaches_the_exception_hook(
    window: StudioWindow, computer: FakeComputer, qtbot: QtBot
) -> None:
    def stumble(request: Request) -> Answer | None:
        if isinstance(request, Compute):
            raise ZeroDivisionError("a bug")
        return None

    computer.rule = stumble
    shown = window.session.setup
    with qtbot.captureExceptions() as caught:
        window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
        qtbot.waitUntil(lambda: bool(caught))
    assert [kind for kind, _, _ in caught] == [ZeroDivisionError]
    assert window.session.setup is shown


def test_sequences_are_judged_once_for_each_pair_of_networks(
    window: StudioWindow, computer: FakeComputer, qtbot: QtBot
) -> None:
    window.session.change("Change the size", network=NetworkSpec(hidden_size=9))
    qtbot.waitUntil(lambda: window.session.verdicts is not None)
    window.session.change("Show sequence 2", item=1)
    settle(window, qtbot)
    qtbot.wait(20)
    assert len([request for request in computer.finished if isinstance(request, Judge)]) == 1


# Playing.


def test_playing_stops_at_the_end(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.look(speed=1000.0, cursor=window.session.steps - 5)
    window.command_actions["run.play"].trigger()
    assert window.transport.playing
    qtbot.waitUntil(lambda: not window.transport.playing)
    assert window.session.view.cursor == window.session.steps - 1


def test_looping_begins_again(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.look(speed=1000.0, cursor=window.session.steps - 3, loop=True)
    window.command_actions["run.play"].trigger()
    qtbot.waitUntil(lambda: window.session.view.cursor < 5)
    assert window.transport.playing
    window.transport.pause()


# Layout.


@pytest.mark.parametrize(
    ("size", "folded", "one_row"),
    [
        ((1600, 1000), False, False),
        ((2560, 1440), False, False),
        ((1366, 768), True, False),
        ((1280, 660), True, True),
        # What the title bar and a task bar leave of a screen with 960 × 560 pixels.
        ((960, 512), True, True),
    ],
)
def test_each_size_gets_its_density(qtbot: QtBot, size: tuple[int, int], folded: bool, one_row: bool) -> None:
    with opened_window(size=size) as window:
        assert (window.width(), window.height()) == size
        left: list[QWidget] = [window.panel("sequence"), window.panel("networks"), window.panel("units")]
        assert [panel.isVisible() for panel in left] == [not folded] * 3
        assert window.panel("step").isVisible()
        menus, tools = window.header.menu_bar, window.header.open_button
        level = menus.mapTo(window, menus.rect().center()).y() == tools.mapTo(window, tools.rect().center()).y()
        assert level is one_row
        assert clipped(window) == []


@pytest.mark.parametrize("percent", [80, 200])
def test_menus_and_transport_keep_their_words_at_any_size_of_text(qtbot: QtBot, percent: int) -> None:
    with opened_window(size=(1366, 768)) as window:
        window.scale_text(percent)
        bar = window.header.menu_bar
        qtbot.waitUntil(lambda: bar.height() >= bar.sizeHint().height())
        items = [bar.actionGeometry(action) for action in bar.actions()]
        assert len(items) == len(MENUS)
        assert all(item.isValid() and bar.rect().contains(item) for item in items)
        qtbot.waitUntil(lambda: window.transport.height() >= window.transport.sizeHint().height())
        assert window.transport.scrub.height() >= window.transport.scrub.sizeHint().height()


@pytest.mark.parametrize("percent", [80, 100, 200])
def test_what_is_in_a_title_bar_is_whole_and_level_at_any_size_of_text(qtbot: QtBot, percent: int) -> None:
    with opened_window(size=(1600, 1000)) as window:
        window.scale_text(percent)
        QApplication.processEvents()
        for dock in window.arrangement.here.values():
            bar = dock.titleBarWidget()
            if not bar.isVisible():
                continue
            inside = [child for child in bar.children() if isinstance(child, QAbstractButton)]
            assert {"Float", "Hide"} <= {child.accessibleName().partition(" ")[0] for child in inside}
            for child in inside:
                assert bar.rect().contains(child.geometry())
                assert abs(child.geometry().center().y() - bar.rect().center().y()) <= 1
                # Text and icons have room beside the ring of the keyboard.
                assert child.height() >= child.fontMetrics().height() + 4 or not child.text()
                assert child.height() >= child.iconSize().height() + 4 or child.text()


def test_docks_that_larger_text_made_wider_shrink_with_it(qtbot: QtBot) -> None:
    with opened_window(size=(1600, 1000)) as window:
        before = window.panel("step").width()
        window.scale_text(200)
        qtbot.waitUntil(lambda: window.panel("step").width() > before)
        window.scale_text(100)
        qtbot.waitUntil(lambda: window.panel("step").width() == before)


def test_every_menu_opens_by_alt_and_a_letter_of_its_own(window: StudioWindow) -> None:
    titles = [action.text() for action in window.header.menu_bar.actions()]
    letters = [title[title.index("&") + 1] for title in titles]
    assert len(set(letters)) == len(titles) == len(MENUS)


def clipped(window: StudioWindow) -> list[str]:
    """Return the visible widgets that stick out of their parent, other than what scrolls."""
    scrolled = {id(area.widget()) for area in window.findChildren(QScrollArea)}
    found = []
    for widget in window.findChildren(QWidget):
        parent = widget.parentWidget()
        if not widget.isVisible() or widget.isWindow() or parent is None or id(widget) in scrolled:
            continue
        if isinstance(widget, QPushButton | QComboBox) and not parent.rect().contains(widget.geometry()):
            found.append(f"{type(widget).__name__} {widget.accessibleName()} {widget.geometry()} in {parent.rect()}")
    return found


def test_panels_fold_and_come_back_except_one_that_was_hidden(window: StudioWindow) -> None:
    window.command_actions["view.panel-units"].trigger()
    window.resize(FOLD_BELOW_WIDTH - 1, 1000)
    QApplication.processEvents()
    assert not window.panel("sequence").isVisible()
    assert not window.command_actions["view.panel-sequence"].isChecked()
    window.command_actions["view.panel-networks"].trigger()
    assert window.panel("networks").isVisible()
    window.resize(FOLD_BELOW_WIDTH, 1000)
    QApplication.processEvents()
    left: list[QWidget] = [window.panel("sequence"), window.panel("networks"), window.panel("units")]
    assert [panel.isVisible() for panel in left] == [True, True, False]


def test_the_scrub_bar_ends_under_the_plots(window: StudioWindow) -> None:
    left, right = window.workspace.stack.edges
    offset = window.workspace.stack.mapTo(window, QPoint()).x()
    scrub = window.transport.scrub
    first, last = (scrub.mapTo(window, QPointF(scrub.x_of(step), 0)).x() for step in (0, window.session.steps - 1))
    column = (right - left) / window.session.steps
    assert first == pytest.approx(left + offset + column / 2, abs=1)
    assert last == pytest.approx(right + offset - column / 2, abs=1)


def test_a_notice_stays_inside_and_is_replaced_by_its_like(window: StudioWindow) -> None:
    long = Notice(Level.WARNING, "word " * 60, "cure " * 60)
    for notice in (long, Notice(Level.ERROR, "second"), replace(long), Notice(Level.NOTE, "third")):
        window.show_notice(notice)
    assert [notice.found for notice in window.stage.notices.notices] == ["second", long.found, "third"]
    QApplication.processEvents()
    assert window.stage.rect().contains(window.stage.notices.geometry())
    window.show_notice(Notice(Level.NOTE, "fourth"))
    assert len(window.stage.notices.notices) == 3


# Settings.


def test_what_one_window_leaves_the_next_one_finds(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    with opened_window(settings_path=path) as window:
        window.session.look(labels=Labels.CLASSROOM, theme="dark", speed=8.0, loop=True, reveal_all=True)
        window.command_actions["view.larger"].trigger()
        window.command_actions["view.panel-units"].trigger()
        window.resize(1500, 900)
        QApplication.processEvents()
    loaded = load_settings(path)
    assert loaded.problems == ()
    with opened_window(settings=loaded.settings, settings_path=path, size=(1500, 900)) as window:
        view = window.session.view
        assert (view.labels, view.theme, view.speed, view.loop, view.reveal_all) == (
            Labels.CLASSROOM,
            "dark",
            8.0,
            True,
            True,
        )
        assert window.settings.font_scale == 110
        assert window.appearance.theme is DARK
        assert not window.panel("units").isVisible()
        assert window.panel("sequence").isVisible()
        window.command_actions["view.reset-layout"].trigger()
        assert window.panel("units").isVisible()


def test_panels_that_only_the_size_has_folded_are_not_saved_as_hidden(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    with opened_window(settings_path=path, size=(1366, 768)) as window:
        assert not window.panel("sequence").isVisible()
    with opened_window(settings=replace(load_settings(path).settings, geometry="")) as window:
        assert window.panel("sequence").isVisible()


def test_a_window_of_a_larger_screen_comes_back_within_this_one(qtbot: QtBot) -> None:
    room = QGuiApplication.primaryScreen().availableGeometry()
    with opened_window() as window:
        window.setGeometry(room.x() + 40, room.y() + 40, room.width() + 500, room.height() + 300)
        geometry = bytes(window.saveGeometry().toHex().data()).decode()
    with opened_window(settings=Settings(theme="light", geometry=geometry)) as window:
        window.hide()
        window.restoreGeometry(QByteArray.fromHex(geometry.encode()))
        window.show_first()
        QTest.qWait(100)
        frame = window.frameGeometry()
        assert frame.top() >= room.top()
        assert frame.bottom() <= room.bottom()
        # The screen of the tests is narrower than any window can be.
        assert window.width() == max(window.minimumWidth(), room.width() - (frame.width() - window.width()))


@pytest.mark.parametrize("state", ["00ff", "000000ff00000000fd", "ab" * 300])
def test_a_layout_that_is_none_does_not_block_the_start(qtbot: QtBot, state: str) -> None:
    with opened_window(settings=Settings(theme="light", geometry=state, layouts={"explore": state})) as window:
        assert window.isVisible()
        assert window.transport.isVisible()
        assert window.workspace.isVisible()


def test_settings_that_cannot_be_saved_do_not_block_the_end(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    with opened_window(settings_path=tmp_path / "settings.json") as window:
        with qtbot.waitSignal(window.closed):
            window.close()
        assert not window.isVisible()


def test_the_theme_reaches_everything_and_ends_with_the_window(qtbot: QtBot) -> None:
    before = QApplication.palette().window().color(), QApplication.instance()
    with opened_window() as window:
        assert window.appearance.theme is LIGHT
        window.command_actions["view.theme-dark"].trigger()
        assert QApplication.palette().window().color().name().upper() == DARK.window
        assert window.command_actions["view.theme-dark"].isChecked()
        window.command_actions["view.theme-light"].trigger()
        assert QApplication.palette().window().color().name().upper() == LIGHT.window
    assert QApplication.palette().window().color() == before[0]


# Everybody.


def test_everything_that_takes_the_focus_has_a_name(window: StudioWindow) -> None:
    window.show_notice(Notice(Level.ERROR, "found", "cure"))
    nameless = [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        # What passes the focus on, such as a viewport, is not met by a reader; nor is the frame of a popup.
        and widget.focusProxy() is None
        and (widget.parent() or widget).metaObject().className() != "QComboBoxPrivateContainer"
        and not widget.accessibleName()
        and not getattr(widget, "text", str)()
    ]
    assert nameless == []


def test_nothing_of_a_closed_window_stays_alive(qtbot: QtBot) -> None:
    with opened_window() as window:
        left = {
            name: weakref.ref(thing)
            for name, thing in (
                ("window", window),
                ("stack", window.workspace.stack),
                ("inspector", window.panel("step")),
                ("session", window.session),
                ("trace", window.session.result.traces[0]),
            )
        }
    del window
    gc.collect()
    assert [name for name, reference in left.items() if reference() is not None] == []


def test_two_windows_one_after_the_other(qtbot: QtBot) -> None:
    for labels in Labels:
        with opened_window() as window:
            window.session.look(labels=labels)
            window.command_actions["run.last"].trigger()
            assert window.workspace.stack.state.cursor == window.session.steps - 1


@pytest.mark.qt_log_ignore("plugin does not support")
def test_the_tabs_of_panels_have_a_name_and_leave_nothing_behind(window: StudioWindow) -> None:
    def bars() -> int:
        gc.collect()
        return sum(type(thing) is QTabBar for thing in gc.get_objects())

    arrangement = window.arrangement
    layout = window.saveState()
    before = bars()
    for _ in range(12):
        arrangement.dock("notes").show()
        arrangement.dock("units").setFloating(True)
        QApplication.processEvents()
        window.restoreState(layout)
        arrangement.dock("units").setFloating(False)
        QApplication.processEvents()
    assert bars() == before
    window.show_panel("notes", True)
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    shown = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    assert [bar.accessibleName() for bar in shown] == ["Panels behind each other"]


def test_the_time_of_a_card_that_is_gone_may_come_all_the_same(window: StudioWindow) -> None:
    board = window.stage.notices
    window.note(Level.NOTE, "Saved.")
    window.note(Level.NOTE, "Copied.")
    gone = board._cards[0]
    board._remove(gone)
    gone._lasts.timeout.emit()
    assert [notice.found for notice in board.notices] == ["Copied."]
