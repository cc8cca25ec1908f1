"""Commands: each one works, each one can be found, and keys go where they belong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QPushButton, QSpinBox, QTextBrowser
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.compute import Export
from lstm_studio.session.state import Match
from lstm_studio.ui import dialogs
from lstm_studio.ui.actions import keys_of, shortcut_text
from lstm_studio.ui.commands import ACTIONS, GROUPS, MENUS, WHERE
from lstm_studio.ui.explore.sequence_panel import SequencePanel
from lstm_studio.ui.notices import Level, Notice
from lstm_studio.ui.sheets import TextSheet, shortcuts_page
from lstm_studio.ui.window import StudioWindow
from lstm_studio.ui.workspaces import WORKSPACES
from tests.ui.explore.fakes import small_setup
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

# Of the offscreen platform, for every window whose size is limited.
pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def computer() -> FakeComputer:
    return FakeComputer()


@pytest.fixture
def window(qtbot: QtBot, computer: FakeComputer) -> Iterator[StudioWindow]:
    with opened_window(computer) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_dialogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file dialog is cancelled, unless the test says otherwise."""
    for name in ("ask_open", "ask_folder", "ask_save"):
        monkeypatch.setattr(dialogs, name, lambda *_: "")


def settle(window: StudioWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.session.waiting)


def test_every_action_is_in_a_menu_exactly_once() -> None:
    listed = Counter(key for _, entries in MENUS for key in keys_of(entries))
    assert listed == Counter(ACTIONS.keys())


@pytest.mark.parametrize("workspace", [info.key for info in WORKSPACES])
def test_no_two_actions_of_a_workspace_share_a_key(workspace: str) -> None:
    here = [
        info
        for group in GROUPS
        for info in group.actions
        if (info.workspace or group.workspace or workspace) == workspace
    ]
    used = Counter(QKeySequence(key).toString() for info in here for key in info.shortcuts)
    assert "" not in used
    assert [key for key, count in used.items() if count > 1] == []


_WRITTEN = {"←": "Left", "→": "Right", "↑": "Up", "↓": "Down", "Page Up": "PgUp", "Page Down": "PgDown"}
_OF_QT = {"Tab", "Return", "Alt and a letter"}


def test_the_keys_of_the_guide_are_those_of_the_window() -> None:
    page = (Path(__file__).parents[2] / "docs" / "guide" / "explore.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| .+ \|$", page.partition("\n## Keys\n")[2], re.MULTILINE)[1:]
    assert len(rows) > 15
    used = {QKeySequence(key).toString() for info in ACTIONS.values() for key in info.shortcuts}
    for row in rows:
        for name in [row] if row in _OF_QT else re.split(r",? (?!Up|Down)", row.replace(". ,", ". Comma")):
            key = QKeySequence(_WRITTEN.get(name, name.replace("Comma", ","))).toString()
            assert name in _OF_QT or key in used, f"{name} in {row}"


def test_every_action_has_its_method() -> None:
    assert [
        info.key for group in GROUPS for info in group.actions if not callable(getattr(group, info.slot, None))
    ] == []
    assert len(ACTIONS) == sum(len(group.actions) for group in GROUPS)


def test_tooltips_keep_to_neither_vocabulary() -> None:
    words = {"forget", "learn", "remember", "memory", "ignore", "cell state", "hidden state", "candidate", "gate"}
    for info in ACTIONS.values():
        assert not [word for word in words if word in f"{info.text} {info.tooltip}".lower()], info.key


@pytest.mark.parametrize("key", [key for key in ACTIONS if key != "file.quit"])
def test_every_action_works_twice(window: StudioWindow, qtbot: QtBot, key: str) -> None:
    action = window.findChild(QAction, key)
    assert action is not None
    for _ in range(2):
        action.trigger()
        settle(window, qtbot)
    window.transport.pause()
    for dialog in window.findChildren(QDialog):
        dialog.close()
    assert window.stage.notices.notices == ()


def test_quit_closes_the_window(window: StudioWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.closed):
        window.command_actions["file.quit"].trigger()
    assert not window.isVisible()


@pytest.mark.parametrize("where", ["plots", "button", "combo box", "scrub bar"])
def test_keys_step_wherever_the_focus_is(window: StudioWindow, qtbot: QtBot, where: str) -> None:
    focused = {
        "plots": window.workspace.stack,
        "button": window.findChild(QPushButton),
        "combo box": window.transport.findChild(QComboBox),
        "scrub bar": window.transport.scrub,
    }[where]
    assert focused is not None
    focused.setFocus()
    shift = Qt.KeyboardModifier.ShiftModifier
    for key, modifiers, start, end in (
        (Qt.Key.Key_Right, (), 5, 6),
        (Qt.Key.Key_Left, (), 5, 4),
        (Qt.Key.Key_Right, (shift,), 5, 15),
        (Qt.Key.Key_Left, (shift,), 15, 5),
        (Qt.Key.Key_Left, (shift,), 5, 0),
        (Qt.Key.Key_Home, (), 5, 0),
        (Qt.Key.Key_End, (), 5, 19),
        (Qt.Key.Key_Right, (), 19, 19),
    ):
        window.session.move_cursor(start)
        press(window, key, *modifiers)
        assert window.session.view.cursor == end, key


def test_space_plays_and_return_presses_the_focused_button(window: StudioWindow, qtbot: QtBot) -> None:
    button = QPushButton("A button", window.stage)
    button.show()
    presses = QSignalSpy(button.clicked)
    button.setFocus()
    played = []
    for _ in range(2):
        press(window, Qt.Key.Key_Space)
        played.append(window.transport.playing)
    assert played == [True, False]
    assert presses.count() == 0
    press(window, Qt.Key.Key_Return)
    assert presses.count() == 1


def test_a_field_that_is_typed_in_gets_its_keys(window: StudioWindow, qtbot: QtBot) -> None:
    field = QLineEdit(window.stage)
    field.show()
    field.setFocus()
    before = window.session.view
    QTest.keyClicks(field, "a c n w")
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_End):
        press(window, key)
    assert field.text() == "a c n w"
    assert window.session.view == before
    assert not window.transport.playing
    # Commands with Ctrl work even here.
    press(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert window.session.view.labels is Labels.CLASSROOM


def test_lists_keep_the_keys_that_choose(window: StudioWindow, qtbot: QtBot) -> None:
    unit_before = dict(window.session.view.units)
    box = window.transport.findChild(QComboBox)
    assert box is not None
    box.setFocus()
    index = box.currentIndex()
    press(window, Qt.Key.Key_Down)
    assert box.currentIndex() == index + 1
    assert dict(window.session.view.units) == unit_before


def test_up_and_down_select_units(window: StudioWindow, qtbot: QtBot) -> None:
    window.panel("step").setFocus()
    window.workspace.stack.clearFocus()
    window.command_actions["run.next-unit"].trigger()
    window.command_actions["run.next-unit"].trigger()
    window.command_actions["run.previous-unit"].trigger()
    assert window.session.view.units["0:lstm.0"] == 1


def test_undo_and_redo_name_what_they_do(window: StudioWindow, qtbot: QtBot) -> None:
    undo, redo = window.command_actions["edit.undo"], window.command_actions["edit.redo"]
    assert (undo.isEnabled(), redo.isEnabled()) == (False, False)
    window.command_actions["network.next-seed"].trigger()
    settle(window, qtbot)
    assert undo.text() == "Undo: Change the seed"
    undo.trigger()
    settle(window, qtbot)
    assert window.session.setup.network.seed == 0
    assert (undo.isEnabled(), redo.text()) == (False, "Redo: Change the seed")
    redo.trigger()
    settle(window, qtbot)
    assert window.session.result.setup.network.seed == 1


def test_undo_and_redo_work_from_the_field_that_made_the_change(window: StudioWindow, qtbot: QtBot) -> None:
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    window.activateWindow()
    window.show_panel("networks", True)
    units = next(it for it in window.panel("networks").findChildren(QSpinBox) if it.accessibleName() == "Units")
    units.setFocus()
    qtbot.waitUntil(units.hasFocus)
    size = window.session.setup.network.hidden_size
    press(window, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: window.session.undo_text == "Change the units")
    settle(window, qtbot)
    QTest.keyClick(units, Qt.Key.Key_A, control)
    QTest.keyClicks(units, "7")
    press(window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.setup.network.hidden_size == 7)
    settle(window, qtbot)
    found = []
    redo = (control, shift)
    for key, held in (
        (Qt.Key.Key_Z, (control,)),
        (Qt.Key.Key_Z, (control,)),
        (Qt.Key.Key_Z, redo),
        (Qt.Key.Key_Y, (control,)),
    ):
        press(window, key, *held)
        settle(window, qtbot)
        found.append((window.session.setup.network.hidden_size, units.value()))
    assert found == [(size + 1, size + 1), (size, size), (size + 1, size + 1), (7, 7)]
    assert units.hasFocus()


def test_a_field_undoes_what_was_typed_and_counts_nowhere_yet(window: StudioWindow, qtbot: QtBot) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    window.activateWindow()
    window.session.change("Change the seed", network=NetworkSpec(hidden_size=5, seed=3))
    settle(window, qtbot)
    wanted = window.session.setup
    number, words = QSpinBox(window.stage), QLineEdit(window.stage)
    number.setKeyboardTracking(False)
    number.setValue(5)
    for field, typed, before in ((number, "24", "5"), (words, "abc", "")):
        field.show()
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        field.selectAll()
        QTest.keyClicks(field, typed)
        assert field.text() == typed
        press(window, Qt.Key.Key_Z, control)
        assert field.text() == before
        assert window.session.setup == wanted
    # Now there is nothing left to undo in it.
    press(window, Qt.Key.Key_Z, control)
    settle(window, qtbot)
    assert window.session.undo_text is None


def test_an_event_that_was_typed_is_taken_back_from_its_field(window: StudioWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    window.show_panel("sequence", True)
    panel = window.panel("sequence")
    assert isinstance(panel, SequencePanel)
    field = panel.new_event.field
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClicks(field, window.session.result.sequence.names[0])
    found = []
    for key, held in ((Qt.Key.Key_Return, ()), (Qt.Key.Key_Z, (Qt.KeyboardModifier.ControlModifier,))):
        press(window, key, *held)
        settle(window, qtbot)
        found.append((len(window.session.setup.events), field.text()))
    assert found == [(1, ""), (0, "")]


def test_the_companion_comes_back_as_it_was(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.change("Choose", companion=NetworkSpec("lstm"), match=Match.PARAMETERS)
    settle(window, qtbot)
    switch = window.command_actions["network.companion"]
    found = []
    for _ in range(2):
        switch.trigger()
        settle(window, qtbot)
        found.append((window.session.setup.companion, window.command_actions["network.same-units"].isEnabled()))
    assert found == [(None, False), (NetworkSpec("lstm"), True)]
    assert window.command_actions["network.same-parameters"].isChecked()


def test_a_trained_network_has_no_other_seed(qtbot: QtBot) -> None:
    setup = small_setup(network=NetworkSpec(hidden_size=5, checkpoint="net.pt"))
    with opened_window(setup=setup) as window:
        assert not window.command_actions["network.next-seed"].isEnabled()


def test_speed_moves_between_notches(window: StudioWindow) -> None:
    for expected in (8.0, 15.0, 30.0, 30.0):
        window.command_actions["run.faster"].trigger()
        assert window.session.view.speed == expected
    window.session.look(speed=3.0)
    window.command_actions["run.slower"].trigger()
    assert window.session.view.speed == 2.0


def test_text_size_follows_the_notches_and_ends_with_the_window(qtbot: QtBot) -> None:
    before = QApplication.font().pointSizeF()
    with opened_window() as window:
        window.command_actions["view.larger"].trigger()
        window.command_actions["view.larger"].trigger()
        assert window.settings.font_scale == 125
        assert QApplication.font().pointSizeF() == pytest.approx(before * 1.25)
        for _ in range(9):
            window.command_actions["view.smaller"].trigger()
        assert window.settings.font_scale == 80
    assert QApplication.font().pointSizeF() == pytest.approx(before)


def test_sequences_of_the_set_are_stepped_through(window: StudioWindow, qtbot: QtBot) -> None:
    last = len(window.session.result.sequences) - 1
    assert not window.command_actions["run.previous-sequence"].isEnabled()
    for expected in range(1, last + 1):
        window.command_actions["run.next-sequence"].trigger()
        settle(window, qtbot)
        assert window.session.result.setup.item == expected
    assert not window.command_actions["run.next-sequence"].isEnabled()


def test_numbers_are_saved_by_the_worker(
    window: StudioWindow, computer: FakeComputer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "ask_save", lambda *_: "numbers")
    window.command_actions["file.export-numbers"].trigger()
    qtbot.waitUntil(lambda: bool(window.stage.notices.notices))
    (export,) = [request for request in computer.begun if isinstance(request, Export)]
    # Without a suffix there is no format: the first one of the dialog is meant.
    assert export.path == "numbers.npz"
    assert export.result is window.session.result


def test_the_shortcut_sheet_is_made_from_the_table(window: StudioWindow) -> None:
    page = shortcuts_page(MENUS, ACTIONS, {key: where.upper() for key, where in WHERE.items()})
    for info in ACTIONS.values():
        if info.shortcuts:
            assert info.text.rstrip("…") in page
            assert shortcut_text(info).replace("&", "&amp;") in page
    # A key that does something else in another workspace says where.
    assert "Export numbers (EXPLORE)" in page
    assert "Export run (MONITOR)" in page
    assert "Save session (" not in page
    window.command_actions["help.shortcuts"].trigger()
    sheet = window.findChild(TextSheet)
    assert sheet is not None
    text = sheet.findChild(QTextBrowser)
    assert text is not None
    assert "Play" in text.toPlainText()
    sheet.close()


def test_escape_goes_from_a_field_back_to_the_plots_where_arrows_step(window: StudioWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    field = window.panel("units").findChild(QSpinBox)
    assert field is not None
    field.setFocus()
    window.command_actions["view.dismiss"].trigger()
    assert window.focusWidget() is window.workspace.stack


def test_escape_closes_notices_first_and_leaves_the_full_screen_then(window: StudioWindow, qtbot: QtBot) -> None:
    window.show_notice(Notice(Level.NOTE, "one"))
    window.command_actions["view.full-screen"].trigger()
    assert window.isFullScreen()
    window.command_actions["view.dismiss"].trigger()
    assert window.stage.notices.notices == ()
    assert window.isFullScreen()
    window.command_actions["view.dismiss"].trigger()
    assert not window.isFullScreen()
