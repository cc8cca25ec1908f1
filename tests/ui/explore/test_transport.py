"""Stepping, playing and scrubbing move the session's cursor and nothing else."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.session.conditions import Condition, Quantifier, Relation, StopWhen
from lstm_studio.session.session import Session
from lstm_studio.session.settings import SPEEDS
from lstm_studio.session.state import View
from lstm_studio.ui.explore.scrub import OVERHANG, Mark, ScrubBar, label_numbers
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.plots.rows import StackState
from lstm_studio.ui.plots.scale import TimeScale
from lstm_studio.ui.plots.stack import PlotStack
from lstm_studio.ui.theme import GRID, LIGHT
from tests.ui.explore.fakes import AnsweringSession, answer, number_set, small_setup


@pytest.fixture
def session() -> AnsweringSession:
    return AnsweringSession()


@pytest.fixture
def transport(qtbot: QtBot, session: AnsweringSession) -> Transport:
    made = Transport(session, LIGHT)
    qtbot.addWidget(made)
    made.resize(1600, 56)
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
    assert (transport.scrub.index, transport.scrub.value()) == (12, 13), "screen readers read the number of the step"
    session.change("Another", data=number_set(steps=30))
    assert (transport.scrub.minimum(), transport.scrub.maximum()) == (1, 30)
    assert transport.scrub.value() == session.view.cursor + 1


def test_the_handle_stands_under_the_middle_of_the_plots_column(transport: Transport) -> None:
    left, right = 460, 1160
    transport.align(left, right)
    for step in range(20):
        x = transport.scrub.x() + transport.scrub.x_of(step)
        assert x == pytest.approx(left + (step + 0.5) * (right - left) / 20)
    assert transport.scrub.x() + OVERHANG == left


def test_edges_under_the_buttons_leave_the_bar_between_them(transport: Transport) -> None:
    transport.align(20, 1590)
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


@pytest.mark.parametrize("steps", [2, 50, 1_000, 1_000_000])
def test_the_label_of_the_last_step_stands_clear_of_what_is_beside_the_bar(qtbot: QtBot, steps: int) -> None:
    bar = ScrubBar(LIGHT)
    qtbot.addWidget(bar)
    bar.resize(400, 56)
    bar.show()
    bar.show_steps(steps, 0, ())
    image = bar.grab().toImage()
    below = range(round(bar.height() * 0.75), bar.height())
    written = [x for x in range(image.width()) for y in below if image.pixelColor(x, y).lightness() < 180]
    assert written
    assert min(written) >= OVERHANG - GRID
    assert max(written) <= bar.width() - (OVERHANG - GRID)


@pytest.mark.parametrize("steps", [50, 200, 1_000, 12_345])
@pytest.mark.parametrize("width", [560, 800, 1_100, 1_750, 3_000])
def test_the_bar_names_no_more_steps_than_the_axis_above_it(qtbot: QtBot, steps: int, width: int) -> None:
    bar, stack = ScrubBar(LIGHT), PlotStack(LIGHT)
    for widget in (bar, stack):
        qtbot.addWidget(widget)
        widget.resize(width + 2 * OVERHANG, 300)
        widget.show()
    bar.show_steps(steps, 0, ())
    axis = stack.axis_item
    axis.place(TimeScale(0, width, 1, 0, steps), StackState(steps=steps), QRectF(0, 0, width, 30))
    above = [int(tick.position) for tick in axis.ticks]
    named = [step for step, _ in bar.labels()]
    assert 2 <= len(named) <= len(above)
    assert {named[0], named[-1]} == {0, steps - 1}


@pytest.mark.parametrize("steps", [1, 2, 3, 50, 100, 999, 10_000, 123_457])
@pytest.mark.parametrize("most", [2.0, 8.0, 20.0])
def test_label_numbers_hold_the_ends_and_are_not_crowded(steps: int, most: float) -> None:
    numbers = label_numbers(steps, most)
    assert (numbers[0], numbers[-1]) == (1, steps)
    assert list(numbers) == sorted(set(numbers))
    assert len(numbers) <= most + 2


@pytest.mark.parametrize("width", [960, 984, 1024, 1366])
def test_the_speed_stays_whole_when_the_counter_names_phases(qtbot: QtBot, width: int) -> None:
    session = AnsweringSession()
    bar = Transport(session, LIGHT)
    qtbot.addWidget(bar)
    bar.resize(width, bar.sizeHint().height())
    bar.show()
    for phases in (False, True, False, True):
        session.show_phases(phases)
        for _ in range(4):
            QApplication.processEvents()
        speed, counter = bar.findChild(QComboBox), bar._counter
        assert isinstance(speed, QComboBox)
        assert speed.width() >= speed.sizeHint().width()
        assert counter.width() >= counter.sizeHint().width()


def test_the_counter_takes_two_lines_only_where_the_bar_comes_under_the_plots_so(
    transport: Transport, session: AnsweringSession
) -> None:
    session.change("Another", data=number_set(steps=1_000))
    session.move_cursor(666)

    def settled() -> str:
        for _ in range(4):
            QApplication.processEvents()
        assert transport._counter.width() >= transport._counter.sizeHint().width()
        return transport._counter.text()

    assert settled()
    one, two = (transport._left_width(two_lines=lines) for lines in (False, True))
    assert two < one
    right = 1600 - transport._right_width(toggles=True, roomy=True) - 2 * GRID
    for left, text in (
        (one + 2 * GRID, "667 / 1,000"),
        ((one + two) // 2 + GRID, "667 /\n1,000"),
        # There it cannot stand under the plots anyhow.
        (two - GRID, "667 / 1,000"),
        (one + 2 * GRID, "667 / 1,000"),
    ):
        transport.align(left, right)
        assert settled() == text, left
        assert (transport.scrub.x() + OVERHANG == left) == (left > two)
        assert transport._counter.accessibleName() == "Step 667 of 1,000"
    transport.resize(960, 56)
    transport.align(200, 650)
    assert settled() == "667 /\n1,000", "the bar is short as it is"


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


def test_the_toggles_make_room_where_the_bar_could_not_stand_under_the_plots(transport: Transport) -> None:
    room = transport._right_width(toggles=False, roomy=False)
    right = 1600 - room - 2 * 8
    transport.align(460, right)
    assert transport.scrub.x() + OVERHANG == 460
    assert transport._loop.isHidden()
    transport.align(460, 1600 - transport._right_width(toggles=True, roomy=True) - 2 * 8)
    assert not transport._loop.isHidden()
    assert transport.scrub.x() + OVERHANG == 460


def test_in_phases_the_buttons_step_through_the_operations(transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(0)
    transport._phases.button("phases").click()
    assert (session.view.four_phases, session.view.phase) == (True, Phase.FORGET)
    assert not transport._back.isEnabled()
    places = []
    for _ in range(5):
        transport._forward.click()
        places.append((session.view.cursor, session.view.phase))
    assert places == [(0, 2), (0, 3), (0, 4), (1, 1), (1, 2)]
    assert transport._counter.text() == "2 / 20\n2 Input"
    assert transport._counter.accessibleName() == "Step 2 of 20 · 2 Input"
    session.look(labels=Labels.CLASSROOM)
    assert transport._counter.accessibleName() == "Step 2 of 20 · 2 Learn"
    transport._back.click()
    transport._back.click()
    assert (session.view.cursor, session.view.phase) == (0, Phase.USE)
    transport._last.click()
    assert not transport._forward.isEnabled()
    session.look(phase=Phase.LEARN)
    assert transport._forward.isEnabled(), "two phases of the last step are still to come"
    transport._phases.button("whole").click()
    assert transport._counter.text() == "20 / 20"


def test_a_step_takes_as_long_in_phases(transport: Transport, session: AnsweringSession) -> None:
    session.move_cursor(0)
    session.look(speed=4.0)
    transport.play()
    assert transport._timer.interval() == 250
    session.show_phases(True)
    assert transport._timer.interval() == round(250 / 4)
    transport.pause()


@pytest.mark.parametrize("speed", SPEEDS)
def test_phases_that_cannot_be_drawn_in_time_are_passed_over_but_no_step_is(
    transport: Transport, session: AnsweringSession, speed: float
) -> None:
    session.show_phases(True)
    session.look(speed=speed, cursor=0)
    transport.play()
    ticks, seen = 0, [session.view.cursor]
    while transport.playing:
        transport._tick()
        ticks += 1
        seen.append(session.view.cursor)
    assert sorted(set(seen)) == list(range(session.steps))
    assert transport._interval() >= 25
    assert ticks * transport._interval() == pytest.approx(1000 / speed * session.steps, rel=0.1)


def test_playing_in_phases_ends_with_the_last_phase_and_begins_with_the_first(
    transport: Transport, session: AnsweringSession
) -> None:
    session.show_phases(True)
    session.move_cursor(18)
    transport.play()
    seen = []
    while transport.playing:
        seen.append((session.view.cursor, int(session.view.phase)))
        transport._tick()
    seen.append((session.view.cursor, int(session.view.phase)))
    assert seen == [(step, phase) for step in (18, 19) for phase in (1, 2, 3, 4)]
    transport.play()
    assert (session.view.cursor, session.view.phase) == (0, Phase.FORGET)
    transport.pause()


def test_a_cell_without_phases_says_why_it_has_none(qtbot: QtBot) -> None:
    result = answer(small_setup())
    swapped = replace(result, infos=result.infos[1:], traces=result.traces[1:])
    made = Transport(Session(swapped, View(cursor=3, four_phases=True)), LIGHT)
    qtbot.addWidget(made)
    button = made._phases.button("phases")
    assert not button.isEnabled()
    assert button.toolTip() == "The Vanilla RNN has no operations to take one by one"
    assert made._phases.choice == "whole"
    made._forward.click()
    assert made._counter.text() == "5 / 20"


def test_fewer_phases_are_called_so(transport: Transport, session: AnsweringSession) -> None:
    layer = session.result.traces[0].layers[0]
    some = tuple(signal for signal in layer.signals if signal.name != "hidden_state")
    trace = replace(session.result.traces[0], layers=(replace(layer, signals=some),))
    session.show_sample(replace(session.result, setup=replace(session.setup), traces=(trace,)))
    assert transport._phases.button("phases").text() == "Three phases"


def play_to_the_stop(transport: Transport) -> None:
    transport.play()
    while transport.playing:
        transport._tick()


def hits_on(transport: Transport) -> list[tuple[int, int]]:
    """Stretches of hits; a call, so that a type checker does not take them for unchanged."""
    return list(transport.scrub.hits)


def forget_below(session: AnsweringSession, threshold: float) -> list[int]:
    gate = session.result.traces[0]["lstm.0.forget_gate"]
    return [step for step in range(session.steps) if float(gate[step].min()) < threshold]


def test_playing_stops_at_every_hit_and_goes_on_from_it(transport: Transport, session: AnsweringSession) -> None:
    gate = session.result.traces[0]["lstm.0.forget_gate"].min(axis=1)
    threshold = float(np.sort(gate)[3]) + 1e-6
    wanted = forget_below(session, threshold)
    assert len(wanted) == 4
    stop = StopWhen((Condition("lstm.0.forget_gate", threshold=threshold),), on=True)
    session.remark("Stop when", stop=stop)
    session.move_cursor(0)
    stopped = []
    while session.view.cursor < session.steps - 1:
        play_to_the_stop(transport)
        stopped.append(session.view.cursor)
    assert [step for step in stopped if step < session.steps - 1] == [step for step in wanted if 0 < step < 19]
    session.remark("Do not stop", stop=replace(stop, on=False))
    session.move_cursor(0)
    play_to_the_stop(transport)
    assert session.view.cursor == session.steps - 1


def test_in_phases_a_hit_stops_when_its_step_begins(transport: Transport, session: AnsweringSession) -> None:
    feature = Condition("input", Quantifier.ONE, Relation.GREATER, 0.5, unit=1)
    session.remark("Stop when", stop=StopWhen((feature,), on=True))
    session.show_phases(True)
    session.move_cursor(15)
    play_to_the_stop(transport)
    assert (session.view.cursor, session.view.phase) == (19, Phase.FORGET), "the symbol B ends the sequence"
    transport.play()
    transport._tick()
    assert transport.playing
    assert session.view.phase == 2
    transport.pause()


def test_hits_are_ticks_on_the_bar_while_playing_heeds_them(transport: Transport, session: AnsweringSession) -> None:
    some = float(np.median(session.result.traces[0]["lstm.0.forget_gate"].min(axis=1)))
    wanted = forget_below(session, some)
    stop = StopWhen((Condition("lstm.0.forget_gate", threshold=some),))
    session.remark("Stop when", stop=stop)
    assert hits_on(transport) == []
    session.remark("Stop when", stop=replace(stop, on=True))
    assert [step for start, end in hits_on(transport) for step in range(start, end)] == wanted
    assert all(before[1] < after[0] for before, after in pairwise(hits_on(transport))), "runs are joined"
    transport.grab()


def test_many_hits_are_drawn_where_they_are_and_fast(qtbot: QtBot) -> None:
    scrub = ScrubBar(LIGHT)
    qtbot.addWidget(scrub)
    scrub.resize(440, 56)
    steps = 100_000
    scrub.show_steps(steps, 0, ())
    bare = scrub.grab().toImage()
    scrub.show_hits(np.concatenate((np.arange(50_000, 75_000, 2), [99_999])))
    assert len(scrub.hits) == 12_501
    image = scrub.grab().toImage()
    changed = {
        x
        for x in range(image.width())
        for y in range(image.height() // 2, image.height())
        if image.pixel(x, y) != bare.pixel(x, y)
    }
    assert min(changed) == pytest.approx(OVERHANG + 200, abs=1)
    assert {round(scrub.x_of(step)) for step in (50_500, 62_000, 74_000)} <= changed
    assert not changed & set(range(OVERHANG + 303, OVERHANG + 397))
    assert max(changed) == pytest.approx(OVERHANG + 400, abs=2)


def test_going_from_hit_to_hit_wraps_around(transport: Transport, session: AnsweringSession) -> None:
    some = float(np.median(session.result.traces[0]["lstm.0.forget_gate"].min(axis=1)))
    transport.next_hit()
    assert session.view.cursor == 19, "there is no condition yet"
    session.remark("Stop when", stop=StopWhen((Condition("lstm.0.forget_gate", threshold=some),)))
    wanted = forget_below(session, some)
    session.move_cursor(wanted[-1])
    seen = []
    for _ in range(len(wanted) + 1):
        transport.next_hit()
        seen.append(session.view.cursor)
    assert seen == [*wanted, wanted[0]]
    transport.previous_hit()
    assert session.view.cursor == wanted[-1]


def test_a_step_paints_of_the_bar_only_what_moves_and_leaves_nothing_behind(
    transport: Transport, session: AnsweringSession, qtbot: QtBot
) -> None:
    class Painted(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.rects: list[QRect] = []

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if isinstance(event, QPaintEvent):
                self.rects.append(event.rect())
            return False

    qtbot.waitExposed(transport)
    scrub, painted = transport._scrub, Painted()
    QApplication.processEvents()
    scrub.installEventFilter(painted)
    for step in (1, 2, 9, 3, session.steps - 1, 0):
        painted.rects.clear()
        session.move_cursor(step)
        QApplication.processEvents()
        if step == 2:
            assert max(rect.width() for rect in painted.rects) < scrub.width() / 4
        shown = transport.screen().grabWindow(transport.winId()).toImage()
        whole = transport.grab().toImage()
        assert shown.convertToFormat(whole.format()) == whole
