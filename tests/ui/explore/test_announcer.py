"""What those hear who do not see the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.ui.window import StudioWindow
from tests.ui.explore.fakes import number_set
from tests.ui.heard import listening
from tests.ui.opened import opened_window, press
from tests.ui.slow_computer import FakeComputer

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[StudioWindow]:
    QAccessible.setActive(True)
    with opened_window() as opened:
        yield opened
    QAccessible.setActive(False)


def heard(spy: QSignalSpy) -> list[str]:
    return [str(spy.at(place)[0]) for place in range(spy.count())]


def role_of(widget: QWidget) -> QAccessible.Role:
    return QAccessible.queryAccessibleInterface(widget).role()


def test_a_step_is_said_once_when_the_user_has_come_to_rest_on_it(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.move_cursor(2)
    spy = QSignalSpy(window.announcer.said)
    qtbot.waitUntil(lambda: spy.count() == 1)
    window.workspace.stack.setFocus()
    for _ in range(5):
        press(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: spy.count() == 2)
    qtbot.wait(400)
    assert spy.count() == 2
    sequence = window.session.result.sequence
    assert sequence.symbols is not None
    last = heard(spy)[-1]
    assert last.startswith(f"Step 8 of {sequence.steps}, {sequence.symbols[7]}. Unit 0 keeps ")
    assert "<" not in last


def test_another_unit_and_a_phase_are_said(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.move_cursor(4)
    spy = QSignalSpy(window.announcer.said)
    qtbot.waitUntil(lambda: spy.count() == 1)
    window.session.select_unit("0:lstm.0", 2)
    qtbot.waitUntil(lambda: spy.count() == 2)
    assert "Unit 2 keeps" in heard(spy)[1]
    window.session.show_phases(True)
    qtbot.waitUntil(lambda: spy.count() == 3)
    assert "1 Forget. The forget gate keeps" in heard(spy)[2]


def test_nothing_is_said_while_it_plays_or_where_nobody_listens(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.move_cursor(0)
    spy = QSignalSpy(window.announcer.said)
    qtbot.waitUntil(lambda: spy.count() == 1)
    window.session.look(speed=30.0)
    window.command_actions["run.play"].trigger()
    qtbot.waitUntil(lambda: not window.transport.playing, timeout=10_000)
    qtbot.waitUntil(lambda: spy.count() == 2)
    steps = window.session.steps
    assert heard(spy)[1].startswith(f"Step {steps} of {steps}, ")
    QAccessible.setActive(False)
    window.session.move_cursor(1)
    qtbot.wait(400)
    assert spy.count() == 2


def test_the_step_can_be_read_where_it_is_shown(window: StudioWindow) -> None:
    window.session.move_cursor(6)
    names = [part.accessibleName() for part in window.findChildren(QWidget) if part.isVisible()]
    assert f"Step 7 of {window.session.steps}" in names
    assert "Step 7" in names
    assert not [name for name in names if name.startswith(":")]


@pytest.mark.parametrize("workspace", ["explore", "train"])
def test_one_of_several_is_told_from_a_tick_box(window: StudioWindow, workspace: str) -> None:
    window.show_workspace(workspace)
    for button in window.findChildren(QAbstractButton):
        group = button.group()
        if button.isVisible() and group is not None and group.exclusive():
            assert role_of(button) is QAccessible.Role.RadioButton, button.accessibleName()


def test_the_label_beside_a_choice_names_it(window: StudioWindow) -> None:
    # Where Qt takes what is chosen for the name of a combo box, as on Linux, the label is all that names it.
    for name in ("Device", "Scaling"):
        chooser = next(it for it in window.findChildren(QComboBox) if it.accessibleName() == name)
        labels = [
            other.text(QAccessible.Text.Name) for other, _ in QAccessible.queryAccessibleInterface(chooser).relations()
        ]
        assert labels == [name]


def test_what_has_come_is_said_before_its_step(window: StudioWindow, qtbot: QtBot) -> None:
    spy = QSignalSpy(window.announcer.said)
    many = len(window.session.result.sequences)
    press(window, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: spy.count() == 1)
    assert heard(spy)[0].startswith(f"Sequence 2 of {many}. Step ")
    fed = number_set()
    window.session.change("Open a table", data=fed, item=0)
    qtbot.waitUntil(lambda: spy.count() == 2)
    steps = fed[0].steps
    assert heard(spy)[1].startswith(f"{fed.title}. Sequence 1 of {len(fed)}. ")
    assert f"Step {steps} of {steps}" in heard(spy)[1]
    before = window.session.result.infos
    window.session.change("Another network", network=NetworkSpec("gru", hidden_size=7))
    qtbot.waitUntil(lambda: spy.count() == 3)
    assert [info.fingerprint for info in window.session.result.infos] != [info.fingerprint for info in before]
    named = " and ".join(info.title for info in window.session.result.infos)
    assert heard(spy)[2].startswith(f"{named}. Step {steps} of {steps}")


def test_nothing_is_said_of_an_answer_that_changes_nothing(window: StudioWindow, qtbot: QtBot) -> None:
    window.session.move_cursor(3)
    spy = QSignalSpy(window.announcer.said)
    qtbot.waitUntil(lambda: spy.count() == 1)
    window.session.result_replaced.emit(window.session.result)
    qtbot.wait(400)
    assert spy.count() == 1


def test_work_that_takes_long_is_said_once(qtbot: QtBot) -> None:
    computer = FakeComputer(open_gate=False)
    with listening() as said, opened_window(computer) as window:
        window.runner.open_sequence("far.csv")
        qtbot.waitUntil(lambda: window.runner.busy)
        qtbot.waitUntil(lambda: bool(said))
        computer.release()
        qtbot.waitUntil(lambda: not window.runner.busy)
    work = [words for words, _ in said if "…" in words]
    # Which of the two words for it is the first, the fake decides.
    assert len(work) == 1
    assert work[0] in {"Reading far.csv…", "Working…"}
