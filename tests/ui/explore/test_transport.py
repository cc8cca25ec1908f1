"""Stepping, playing and scrubbing move the session's cursor and nothing else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.session.settings import SPEEDS
from lstm_studio.ui.explore.scrub import OVERHANG, Mark, ScrubBar, label_numbers
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.fakes import AnsweringSession, number_set, small_setup


@pytest.fixture
def session() -> AnsweringSession:
    return AnsweringSession()


@pytest.fixture
def transport(qtbot: QtBot, session: AnsweringSession) -> Transport:
    made = Transport(session, LIGHT)
    qtbot.addWidget(made)
    made.resize(1400, 56)
    made.show()
    return made


def click_step(scrub: ScrubBar, step: int) -> None:
    point = QPoint(round(scrub.x_of(step)), scrub.height() // 2)
    QTest.mouseClick(scrub, Qt.MouseButton.LeftButton, pos=point)


def test_buttons_step(transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(0)
    transport._forward.click()
    transport._forward.click()
    assert session.view.cursor == 2
    transport._back.click()
    assert session.view.cursor == 1
    transport._last.click()
    assert session.view.cursor == session.steps - 1
    assert not transport._forward.isEnabled()
    transport._first.click()
    assert session.view.cursor == 0
    assert not transport._back.isEnabled()
    assert transport._counter.text() == "1 / 20"


def test_a_click_on_the_bar_goes_to_the_step_under_it(transport: Transport, session: AnsweringSession) -> None:
    for step in (0, 7, 19):
        click_step(transport.scrub, step)
        assert session.view.cursor == step


def test_dragging_beyond_the_ends_stays_at_the_ends(transport: Transport, session: AnsweringSession) -> None:
    scrub = transport.scrub
    QTest.mousePress(scrub, Qt.MouseButton.LeftButton, pos=QPoint(round(scrub.x_of(3)), 28))
    assert session.view.cursor == 3
    QTest.mouseMove(scrub, QPoint(round(scrub.x_of(11)), 28))
    assert session.view.cursor == 11
    QTest.mouseMove(scrub, QPoint(scrub.width() + 50, 28))
    assert session.view.cursor == 19
    QTest.mouseRelease(scrub, Qt.MouseButton.LeftButton, pos=QPoint(5, 28))
    QTest.mouseMove(scrub, QPoint(round(scrub.x_of(2)), 28))
    assert session.view.cursor == 19


def test_the_keyboard_scrubs(transport: Transport, session: AnsweringSession) -> None:
    transport.scrub.setFocus()
    QTest.keyClick(transport.scrub, Qt.Key.Key_End)
    assert session.view.cursor == 19
    QTest.keyClick(transport.scrub, Qt.Key.Key_Left)
    assert session.view.cursor == 18
    QTest.keyClick(transport.scrub, Qt.Key.Key_PageUp)
    assert session.view.cursor in {8, 19}
    QTest.keyClick(transport.scrub, Qt.Key.Key_Home)
    assert session.view.cursor == 0


def test_the_bar_follows_the_session(transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(12)
    assert transport.scrub.value() == 12
    session.change("Another", data=number_set(steps=30))
    assert (transport.scrub.maximum(), transport.scrub.value()) == (29, session.view.cursor)


def test_the_handle_stands_under_the_middle_of_the_plots_column(transport: Transport) -> None:
    left, right = 460, 1160
    transport.align(left, right)
    for step in range(20):
        x = transport.scrub.x() + transport.scrub.x_of(step)
        assert x == pytest.approx(left + (step + 0.5) * (right - left) / 20)
    assert transport.scrub.x() + OVERHANG == left


def test_edges_under_the_buttons_leave_the_bar_between_them(transport: Transport) -> None:
    transport.align(20, 1390)
    scrub = transport.scrub
    assert scrub.x() + OVERHANG > transport._last.mapTo(transport, QPoint(transport._last.width(), 0)).x()
    assert scrub.x() + scrub.width() - OVERHANG <= transport._right.x()


def test_playing_stops_at_the_last_step(qtbot: QtBot, transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(3)
    session.look(speed=1000.0)
    with qtbot.waitSignal(transport.playing_changed, check_params_cb=_stopped, timeout=5000):
        transport.toggle_playing()
        assert transport.playing
    assert session.view.cursor == 19
    assert not transport.playing


def _stopped(playing: bool) -> bool:
    return not playing


def test_playing_at_the_end_begins_again(transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(19)
    transport.play()
    assert session.view.cursor == 0
    transport.pause()


def test_looping_goes_round(transport: Transport, session: AnsweringSession) -> None:
    session.look(loop=True)
    session.move_cursor(18)
    transport.play()
    seen = []
    for _ in range(4):
        transport._tick()
        seen.append(session.view.cursor)
    assert seen == [19, 0, 1, 2]
    assert transport.playing
    transport.pause()


def test_the_speed_is_that_of_the_view(transport: Transport, session: AnsweringSession) -> None:
    transport._choose_speed(SPEEDS.index(8.0))
    assert session.view.speed == 8.0
    transport.play()
    assert transport._timer.interval() == 125
    session.look(speed=2.0)
    assert transport._timer.interval() == 500
    assert transport._speed.currentText() == "2 steps/s"
    transport.pause()


def test_loop_and_show_all_are_in_the_view(transport: Transport, session: AnsweringSession) -> None:
    transport._loop.click()
    transport._show_all.click()
    assert session.view.loop
    assert session.view.reveal_all
    session.look(loop=False)
    assert not transport._loop.isChecked()


def test_events_are_marked_and_added_ones_with_a_plus(transport: Transport, session: AnsweringSession) -> None:
    symbols = session.result.sequence.symbols
    assert symbols is not None
    wanted = [Mark(step, symbol) for step, symbol in enumerate(symbols) if symbol in "XY"]
    assert list(transport.scrub.marks) == wanted
    assert len(wanted) == 2
    session.add_event((0.0,) * 6 + (1.0, 0.0))
    assert transport.scrub.marks[-1] == Mark(20, "+X")


def test_one_step_cannot_be_played(qtbot: QtBot) -> None:
    single = Transport(AnsweringSession(small_setup(number_set(steps=1))), LIGHT)
    qtbot.addWidget(single)
    single.play()
    assert not single.playing
    assert not single._play.isEnabled()


@pytest.mark.parametrize("steps", [1, 2, 3, 50, 100, 999, 10_000, 123_457])
@pytest.mark.parametrize("most", [2.0, 8.0, 20.0])
def test_label_numbers_hold_the_ends_and_are_not_crowded(steps: int, most: float) -> None:
    numbers = label_numbers(steps, most)
    assert (numbers[0], numbers[-1]) == (1, steps)
    assert list(numbers) == sorted(set(numbers))
    assert len(numbers) <= most + 2


def test_tab_goes_through_the_bar_from_left_to_right(transport: Transport) -> None:
    seen: list[QWidget] = [transport._last]
    for _ in range(12):
        following = seen[-1].nextInFocusChain()
        assert isinstance(following, QWidget)
        seen.append(following)
    wanted = [transport._speed, transport._scrub, transport._loop, transport._show_all]
    assert [widget for widget in seen if widget in wanted] == wanted


def test_the_marked_stretch_is_drawn_below_its_steps(transport: Transport, session: AnsweringSession) -> None:
    session.look(stretch=(4, 8))
    scrub = transport.scrub
    assert scrub.stretch == (4, 8)
    image = scrub.grab().toImage()
    below = scrub.height() // 2 + 6

    def coloured(step: float) -> bool:
        ratio = image.devicePixelRatio()
        colour = image.pixelColor(round(scrub.x_of(step) * ratio), round(below * ratio))
        return colour.name().upper() == LIGHT.focus

    assert [coloured(step) for step in (3, 4, 7, 8)] == [False, True, True, False]
    session.look(mark=10, cursor=12)
    assert scrub.stretch == (10, 13)
    session.look(mark=None, stretch=None)
    assert scrub.stretch is None
