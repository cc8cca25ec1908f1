"""Find similar: units that are on, off or either, ends that move, and a list that follows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.engine.search import Pattern
from lstm_studio.session.similar import FindSimilar, Similar
from lstm_studio.session.wishes import LookingFor, Stance
from lstm_studio.ui.explore.similar.panel import SimilarPanel
from lstm_studio.ui.explore.similar.query import signal_choices
from lstm_studio.ui.explore.similar.unit_list import blocks
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.similar.fakes import (
    HIDDEN,
    Array,
    SearchingSession,
    ends,
    found_in,
    listed_rows,
    marked,
    on_throughout,
)


def fitting(values: Array, start: int, pattern: Pattern, threshold: float) -> int:
    """How many units fit a stretch, one comparison at a time."""
    found = 0
    for unit in (*pattern.on, *pattern.off):
        wanted = unit in pattern.on
        inside = all((values[step, unit] >= threshold) == wanted for step in range(start, start + pattern.length))
        found += inside
    return found


def row_of(panel: SimilarPanel, unit: int) -> QModelIndex:
    model = panel.units.list.unit_model
    return model.index([model.unit(row) for row in range(model.rowCount())].index(unit))


def stances(panel: SimilarPanel) -> list[str]:
    model = panel.units.list.unit_model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def test_each_unit_can_be_on_off_or_any_with_the_keyboard(panel: SimilarPanel, session: SearchingSession) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-0.1)
    values = session.result.traces[0][HIDDEN]
    suggested = on_throughout(values, 10, 13, -0.1, 0)
    free = [unit for unit in range(5) if unit not in suggested]
    assert suggested
    assert free
    assert stances(panel) == [f"Unit {unit}: {'on' if unit in suggested else 'any'}" for unit in range(5)]
    view, one, other = panel.units.list, suggested[0], free[0]
    panel.units.fold.open()
    view.setFocus()
    view.setCurrentIndex(row_of(panel, one))
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert stances(panel)[one] == f"Unit {one}: on"
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert stances(panel)[one] == f"Unit {one}: any"
    assert session.view.units["0:lstm.0"] == one, "it is selected everywhere"
    view.setCurrentIndex(row_of(panel, other))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert stances(panel)[other] == f"Unit {other}: off"
    spoken = view.unit_model.data(row_of(panel, other), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith(f"Unit {other}: off, chosen by hand; from ")
    panel.search()
    pattern = session.questions[-1].pattern
    assert (list(pattern.on), list(pattern.off)) == (suggested[1:], [other])
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert stances(panel)[other] == f"Unit {other}: any"
    QTest.keyClick(view, Qt.Key.Key_Down if other < 4 else Qt.Key.Key_Up)
    assert session.view.units["0:lstm.0"] == (other + 1 if other < 4 else other - 1)
    panel.units._reset.click()
    assert panel._state is not None
    assert list(panel._state.query.on) == suggested


def test_a_click_on_a_word_is_its_choice_and_one_beside_it_selects_the_unit(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.look(stretch=(10, 13))
    panel.units.fold.open()
    QApplication.processEvents()
    view = panel.units.list
    for unit, stance in ((3, Stance.OFF), (3, Stance.ON), (1, Stance.ANY), (0, Stance.OFF)):
        rect = view.visualRect(row_of(panel, unit))
        place = view._delegate.stance_places(QRectF(rect))[stance]
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place.center().toPoint())
        assert stances(panel)[unit] == f"Unit {unit}: {stance}"
    QTest.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(row_of(panel, 4)).topLeft() + QPoint(30, 8)
    )
    assert session.view.units["0:lstm.0"] == 4
    assert panel._state is not None
    assert panel._state.query.wish.by_hand == {0, 1, 3}


def test_units_that_are_off_are_found_as_a_plain_search_finds_them(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(0.05)
    panel.units.suggested.button("both").click()
    values = session.result.traces[0][HIDDEN]
    assert panel._state is not None
    query = panel._state.query
    assert list(query.on) == [unit for unit in range(5) if (values[10:13, unit] >= 0.05).all()]
    assert list(query.off) == [unit for unit in range(5) if (values[10:13, unit] < 0.05).all()]
    assert query.off
    panel.search()
    pattern = session.questions[-1].pattern
    found = panel.found_list.found_model.listed.found
    assert (found[0].start, len(found[0].units)) == (10, len(query.on) + len(query.off))
    for one in found:
        assert len(one.units) == fitting(values, one.start, pattern, 0.05)
    best = max(fitting(values, start, pattern, 0.05) for start in range(38) if abs(start - 10) >= 3)
    assert len(found[1].units) == best
    on = sum(unit in query.on for unit in found[1].units)
    off = len(found[1].units) - on
    assert listed_rows(panel)[1].endswith(f", {on}/{len(query.on)} on, {off}/{len(query.off)} off")


def test_the_ends_are_moved_by_keyboard_and_undo_takes_each_end_back(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    assert not panel.stretch_field.first.isEnabled()
    session.mark("Mark a stretch", (10, 13))
    for end, key in ((panel.stretch_field.first, Qt.Key.Key_Down), (panel.stretch_field.last, Qt.Key.Key_Up)):
        end.setFocus()
        QTest.keyClick(end, key)
        QTest.keyClick(end, key)
    assert marked(session) == (8, 15)
    assert ends(panel) == (9, 15)
    panel.stretch_field.first.selectAll()
    QTest.keyClicks(panel.stretch_field.first, "99")
    QTest.keyClick(panel.stretch_field.first, Qt.Key.Key_Return)
    session.undo()
    assert marked(session) == (8, 13)
    assert ends(panel) == (9, 13)
    session.undo()
    assert marked(session) == (10, 13)
    session.redo()
    assert marked(session) == (8, 13)
    assert panel.stretch_field.first.maximum() == 13
    assert (panel.stretch_field.last.minimum(), panel.stretch_field.last.maximum()) == (9, 40)


def test_once_found_the_list_follows_what_is_looked_for_but_not_where_one_goes(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.mark("Mark a stretch", (10, 13))
    panel._threshold.setValue(-0.1)
    panel.units.suggested.button("both").click()
    assert not session.questions, "nothing is searched before it is asked for"
    panel.search()
    changes: list[Callable[[], object]] = [
        lambda: panel.stretch_field.last.setValue(15),
        lambda: session.mark("Move an end of the stretch", (8, 15)),
        lambda: panel._threshold.setValue(0.0),
        lambda: panel._margin.field.setValue(1),
        lambda: panel.units.list.stance_chosen.emit(3, Stance.OFF),
        session.undo,
        session.redo,
        lambda: panel._margin.field.setValue(0),
        lambda: panel._threshold.setValue(-1),
        panel.units._reset.click,
    ]
    expected = 1
    for change in changes:
        change()
        assert panel._state is not None
        pattern = panel._state.query.pattern
        expected += pattern is not None
        assert len(session.questions) == expected
        if pattern is None:
            assert listed_rows(panel) == []
            continue
        assert session.questions[-1].pattern == pattern
        assert session.questions[-1].marked == ends(panel)[0] - 1
    asked = len(session.questions)
    assert asked >= 5
    rows = listed_rows(panel)
    panel.found_list.gone_to.emit(1)
    assert (len(session.questions), listed_rows(panel)) == (asked, rows)
    session.look(cursor=3, mark=2)
    session.move_cursor(6)
    assert len(session.questions) == asked, "a stretch that is only begun is not searched for"
    session.mark("Mark a stretch", session.view.marked)
    assert len(session.questions) == asked + 1


def test_what_has_to_be_traced_is_searched_where_it_was_chosen_and_not_where_undo_brings_it(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.invented = lambda _: Similar((found_in(2, 4, 7), found_in(0, 10, 13)), 4, 4, 160)
    asked = session.questions
    session.mark("Mark a stretch", (10, 13))
    keys = [choice.key for choice in signal_choices(session.result, session.view)]
    panel._choose_signal(keys.index("0:lstm.0.forget_gate"))
    panel._threshold.setValue(0)
    panel._choose_signal(keys.index(f"0:{HIDDEN}"))
    panel._threshold.setValue(-1)
    panel._scope.button("everywhere").click()
    panel._scope.button("here").click()
    assert not asked, "nothing has been searched for yet"
    panel.search()
    panel._scope.button("everywhere").click()
    assert [question.everywhere for question in asked] == [False, True]
    assert "of 4 sequences" in panel._summary.text()
    panel._threshold.setValue(-0.8)
    panel._threshold.setValue(-0.7)
    assert [question.everywhere for question in asked] == [False, True, True, True]
    panel._choose_signal(keys.index("0:lstm.0.forget_gate"))
    assert [question.signal for question in asked[3:]] == [HIDDEN, "lstm.0.forget_gate"]
    session.undo()
    panel._threshold.setValue(-0.6)
    assert len(asked) == 5, "nobody has chosen it: it is not traced, and the list is said to be of another search"
    assert "last search" in panel._summary.text()
    assert panel._summary.isVisible()
    assert panel.search()
    assert asked[-1].signal == HIDDEN
    assert "of 4 sequences" in panel._summary.text()
    session.undo()
    assert len(asked) == 7, "known already"
    panel._scope.button("here").click()
    assert [question.everywhere for question in asked[6:]] == [True, False]
    panel._scope.button("everywhere").click()
    panel._choose_signal(keys.index("0:lstm.0.cell_state"))
    assert panel._state is not None
    assert panel._state.query.pattern is None
    assert not listed_rows(panel), "nothing of it can be looked for: what was found of another signal goes"


def test_while_an_answer_is_awaited_no_other_is_asked_for_and_then_the_last(
    panel: SimilarPanel, session: SearchingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("lstm_studio.ui.explore.similar.panel.time.monotonic", lambda: clock[0])
    session.mark("Mark a stretch", (10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    held: list[FindSimilar] = []
    session.asked.disconnect(session._on_asked)
    session.asked.connect(held.append)
    for stop in (14, 15, 16, 17):
        session.mark("Move an end of the stretch", (10, stop))
    assert [question.pattern.length for question in held] == [4]
    session.answer(held[0], Similar((found_in(0, 10, 14),), 1, 1, 40))
    assert [question.pattern.length for question in held] == [4, 7]
    clock[0] = 1.0
    session.mark("Move an end of the stretch", (10, 18))
    assert [question.pattern.length for question in held] == [4, 7, 8], "one that takes too long is not waited for"


def test_what_is_looked_for_can_be_undone_and_another_panel_shows_it_too(
    panel: SimilarPanel, session: SearchingSession, show: Show
) -> None:
    session.mark("Mark a stretch", (10, 13))
    keys = [choice.key for choice in signal_choices(session.result, session.view)]
    panel._choose_signal(keys.index("0:lstm.0.forget_gate"))
    panel._threshold.setValue(0.4)
    panel._threshold.setValue(0.45)
    panel._margin.field.setValue(2)
    panel.units.list.stance_chosen.emit(3, Stance.OFF)
    panel._scope.button("everywhere").click()
    other = SimilarPanel(session, LIGHT)
    show(other)
    assert other._state == panel._state
    assert other.units.off.text().endswith("3")
    assert (other._threshold.value(), other._margin.field.value(), other._scope.choice) == (0.45, 2, "everywhere")
    undone = []
    for _ in range(5):
        undone.append(session.undo_text)
        session.undo()
    assert undone == [
        "Choose where to search",
        "Choose units to look for",
        "Choose the steps beside the stretch",
        "Choose the threshold",
        "Choose the signal to search",
    ]
    assert session.remarks.similar == LookingFor()
    assert panel._signal.currentIndex() == keys.index(f"0:{HIDDEN}")
    assert panel._threshold.value() == pytest.approx(0.3)


def test_the_strip_of_a_unit_keeps_the_extremes_of_a_long_stretch() -> None:
    values = np.zeros(10_001, np.float32)
    values[7_777] = -0.9
    values[3] = 0.4
    shown = blocks(values, 48, 0.3)
    assert len(shown) <= 48
    # Of a block, what lies farthest from the threshold: 0 lies farther from 0.3 than 0.4 does.
    assert np.flatnonzero(shown).tolist() == [7_777 // -(-10_001 // 48)]
    assert shown.min() == np.float32(-0.9)
    np.testing.assert_array_equal(blocks(values[:5], 48, 0.3), values[:5])


def test_the_lists_take_the_room_that_larger_text_needs(panel: SimilarPanel, session: SearchingSession) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-0.1)
    panel.units.fold.open()
    panel.search()
    units, found = panel.units.list, panel.found_list
    count = found.found_model.rowCount()
    assert count > 4
    before = units.height(), found.minimumHeight(), found.maximumHeight()
    assert before == (units.height_of(5), found.height_of(4), found.height_of(count))
    panel.setStyleSheet("* { font-size: 30px; }")
    panel.apply_theme(LIGHT)
    QApplication.processEvents()
    now = units.height(), found.minimumHeight(), found.maximumHeight()
    assert now == (units.height_of(5), found.height_of(4), found.height_of(count))
    assert all(larger > smaller for larger, smaller in zip(now, before, strict=True))
