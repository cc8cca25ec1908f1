"""Find similar: what is counted, asked, listed and gone to; by keyboard, and as it is drawn."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.engine.search import Pattern
from lstm_studio.networks.signals import Labels
from lstm_studio.session.similar import Found, Picture, Similar
from lstm_studio.ui.explore.similar.panel import SimilarPanel
from lstm_studio.ui.explore.similar.query import NOTCHES, Query, SignalChoice, make_query, signal_choices
from lstm_studio.ui.explore.similar.results import FoundList, Listed
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import symbol_set
from tests.ui.explore.similar.fakes import (
    HIDDEN,
    SearchingSession,
    ends,
    found_in,
    listed_rows,
    marked,
    on_throughout,
)


def test_without_a_stretch_it_says_how_to_mark_one(panel: SimilarPanel, session: SearchingSession) -> None:
    assert panel._empty.isVisible()
    assert "hold Shift and drag" in panel._empty.text()
    assert not panel._find.isEnabled()
    assert not panel.search()
    assert not session.questions
    session.look(stretch=(5, 8))
    assert not panel._empty.isVisible()
    assert ends(panel) == (6, 8)
    assert panel._marked.text() == "3 steps of sequence 1"
    session.look(stretch=(5, 6))
    assert ends(panel) == (6, 6)
    assert panel._marked.text() == "1 step of sequence 1"


@pytest.mark.parametrize("margin", [0, 1])
def test_the_count_follows_threshold_and_margin(panel: SimilarPanel, session: SearchingSession, margin: int) -> None:
    session.look(stretch=(10, 13 - 2 * margin))
    panel._margin.field.setValue(margin)
    values = session.result.traces[0][HIDDEN]
    counts = set()
    for notch in range(0, 200, 7):
        panel._slider.setValue(notch)
        threshold = round(-1 + notch / 100, 6)
        assert panel._threshold.value() == pytest.approx(threshold)
        units = on_throughout(values, 10, 13 - 2 * margin, threshold, margin)
        counts.add(len(units))
        assert panel._state is not None
        assert list(panel._state.query.on) == units
        assert panel._find.isEnabled() == bool(units)
        if units:
            assert panel.units.words == f"{len(units)} of 5 units on"
        else:
            assert "Lower the threshold" in panel.units.words
    assert len(counts) > 1, "the threshold makes a difference"


def test_the_threshold_starts_at_three_tenths_for_signed_states_and_is_kept_for_each_signal(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    assert panel._threshold.value() == pytest.approx(0.3)
    panel._threshold.setValue(0.45)
    keys = [choice.key for choice in signal_choices(session.result, session.view)]
    gate = keys.index("0:lstm.0.forget_gate")
    panel._choose_signal(gate)
    assert panel._threshold.value() == pytest.approx(0.65)
    assert (panel._threshold.minimum(), panel._threshold.maximum()) == (0, 1)
    panel._choose_signal(keys.index(f"0:{HIDDEN}"))
    assert panel._threshold.value() == pytest.approx(0.45)


def test_every_signal_of_both_networks_can_be_searched_in_either_vocabulary(session: SearchingSession) -> None:
    titles = {choice.key: choice.title for choice in signal_choices(session.result, session.view)}
    assert titles["0:lstm.0.hidden_state"] == "LSTM hidden state"
    assert titles["1:rnn.0.hidden_state"] == "RNN hidden state"
    assert not [key for key in titles if "preactivation" in key]
    session.look(labels=Labels.CLASSROOM)
    classroom = {choice.key: choice.title for choice in signal_choices(session.result, session.view)}
    assert classroom["0:lstm.0.cell_state"] == "LSTM long-term memory"
    levels = {choice.key: choice.levels for choice in signal_choices(session.result, session.view)}
    largest = float(np.abs(session.result.traces[0]["lstm.0.cell_state"]).max())
    assert levels["0:lstm.0.cell_state"][1] >= largest > levels["0:lstm.0.cell_state"][1] / 5


def test_units_can_be_typed_instead_and_stay_until_both_lists_are_empty(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.look(stretch=(10, 13))
    on, off = panel.units.on, panel.units.off
    on.setFocus()
    QTest.keyClicks(on, "0-2")
    assert panel.units.words == "3 of 5 units on"
    assert panel.units.suggested.choice == "none"
    QTest.keyClick(on, Qt.Key.Key_Return)
    assert session.questions[-1].pattern.on == (0, 1, 2)
    assert len(session.questions) == 1
    assert on.text() == "0–2"
    QTest.keyClick(on, Qt.Key.Key_End)
    QTest.keyClicks(on, ", 9")
    assert panel.units.words.startswith("There is no unit 9.")
    assert not panel._find.isEnabled()
    QTest.keyClick(on, Qt.Key.Key_Return)
    assert len(session.questions) == 1
    for _ in range(3):
        QTest.keyClick(on, Qt.Key.Key_Backspace)
    assert panel._find.isEnabled()
    off.setFocus()
    QTest.keyClicks(off, "2, 4")
    assert panel.units.words == "2 of 5 units on, 2 off"
    panel._find.click()
    assert session.questions[-1].pattern == Pattern((0, 1), (2, 4), 3, 0)
    session.look(stretch=(11, 14))
    panel.search()
    assert session.questions[-1].pattern == Pattern((0, 1), (2, 4), 3, 0)
    for typed in (on, off):
        typed.setFocus()
        typed.selectAll()
        QTest.keyClick(typed, Qt.Key.Key_Delete)
    assert panel.units.suggested.choice == "on"
    values = session.result.traces[0][HIDDEN]
    assert panel._state is not None
    assert list(panel._state.query.on) == on_throughout(values, 11, 14, 0.3, 0)


def test_what_is_found_is_what_a_plain_search_finds_and_return_goes_there(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-0.1)
    panel._margin.field.setValue(0)
    values = session.result.traces[0][HIDDEN]
    wanted = on_throughout(values, 10, 13, -0.1, 0)
    assert wanted
    panel.start()
    assert QApplication.focusWidget() is panel.found_list
    question = session.questions[-1]
    assert (question.network, question.signal, question.threshold) == (0, HIDDEN, -0.1)
    assert (question.pattern.on, question.pattern.length, question.pattern.margin) == (tuple(wanted), 3, 0)
    rows = listed_rows(panel)
    assert rows[0] == f"Sequence 1 · 11–13, {len(wanted)} of {len(wanted)} units · marked"
    every = {
        start: sum(unit in wanted for unit in on_throughout(values, start, start + 3, -0.1, 0)) for start in range(38)
    }
    chosen = [10]
    for start, units in sorted(every.items(), key=lambda one: (-one[1], one[0])):
        if units and all(abs(start - other) >= 3 for other in chosen):
            chosen.append(start)
    assert rows[1:] == [
        f"Sequence 1 · {start + 1}–{start + 3}, {every[start]} of {len(wanted)} units" for start in chosen[1:20]
    ]
    QTest.keyClick(panel.found_list, Qt.Key.Key_Down)
    QTest.keyClick(panel.found_list, Qt.Key.Key_Return)
    assert marked(session) == (chosen[1], chosen[1] + 3)
    assert session.view.cursor == chosen[1] + 2
    assert listed_rows(panel) == rows, "the list stays, to go on from"


def test_a_stretch_of_another_sequence_is_shown_and_marked_there(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.invented = lambda _: Similar((found_in(0, 10, 13), found_in(2, 5, 8)), 4, 4, 160)
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel._scope.button("everywhere").click()
    assert panel._scope.button("everywhere").text() == "all 4"
    panel._find.click()
    assert session.questions[-1].everywhere
    assert panel._summary.text() == "The best 2 in 160 steps of 4 sequences"
    assert not panel._left_out.isVisible()
    rows = listed_rows(panel)
    panel.found_list.setCurrentIndex(panel.found_list.found_model.index(1))
    QTest.keyClick(panel.found_list, Qt.Key.Key_Return)
    assert session.setup.item == 2
    assert marked(session) == (5, 8)
    assert session.view.cursor == 7
    assert listed_rows(panel) == rows
    assert ends(panel) == (6, 8)
    assert panel._marked.text() == "3 steps of sequence 3"
    session.undo()
    assert session.setup.item == 0
    assert marked(session) == (10, 13)


def test_a_set_that_was_too_large_is_said_to_be(panel: SimilarPanel, session: SearchingSession) -> None:
    session.invented = lambda _: Similar((found_in(0, 10, 13),), 3, 4, 120)
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    assert panel._left_out.isVisible()
    assert "Only the first of 4 sequences were searched" in panel._left_out.text()
    assert "GB of memory" in panel._left_out.text()


def test_nothing_found_is_said_in_words(panel: SimilarPanel, session: SearchingSession) -> None:
    session.invented = lambda _: Similar((), 1, 1, 40)
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    assert panel._summary.text() == (
        "Nothing like it in 40 steps of this sequence. Mark fewer steps, choose fewer units, or search all sequences."
    )
    assert not panel.found_list.isVisible()


def test_the_list_goes_with_the_sequences_that_it_is_about(panel: SimilarPanel, session: SearchingSession) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    assert listed_rows(panel)
    session.change("Another objective", objective="hidden:1:0")
    assert listed_rows(panel)
    session.open_data(symbol_set(count=2, seed=5))
    assert not listed_rows(panel)
    assert not panel._summary.isVisible()


def test_an_answer_to_an_older_question_is_left_alone(panel: SimilarPanel, session: SearchingSession) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    before = listed_rows(panel)
    session.answered.emit(session.questions[0], Similar((found_in(3, 1, 2),), 1, 1, 40))
    assert listed_rows(panel) == before


def test_a_hidden_panel_counts_nothing(session: SearchingSession, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimilarPanel(session, LIGHT)
    show(made)
    made.hide()
    counted: list[object] = []

    def noted(*arguments: Any) -> Query:
        counted.append(arguments[-1])
        return make_query(*arguments)

    monkeypatch.setattr("lstm_studio.ui.explore.similar.panel.make_query", noted)
    session.look(stretch=(3, 6))
    session.look(stretch=(3, 7))
    assert counted == []
    made.show()
    assert counted == [(3, 7)]
    assert ends(made) == (4, 7)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_picture_of_a_row_has_the_colours_of_its_values(show: Show, theme: Theme) -> None:
    view = FoundList(theme)
    show(view)
    values = np.array([[-1, 0.5], [1, -0.5], [0.25, 0.75], [0, -0.25]], np.float32)
    view.show_listed(Listed((Found(0, 1, 3, (4, 9), Picture(values, 0, 1)),), (4, 9)))
    QApplication.processEvents()
    view.clearSelection()
    image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    ratio = image.devicePixelRatio()
    index = to_index(values, (-1, 1))
    for step in range(4):
        for place in range(2):
            x, y = 7 + (step + 0.5) * 25, 6 + (place + 0.5) * (view.sizeHintForRow(0) - 12) / 2
            expected = QColor(*(int(part) for part in theme.signed_table[index[step, place], :3]))
            assert image.pixelColor(int(x * ratio), int(y * ratio)) == expected
    spoken = view.found_model.data(view.found_model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Sequence 1 steps 2–3, 2 of 2 units: units 4, 9"


def test_a_click_goes_there_too(panel: SimilarPanel, session: SearchingSession) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    view = panel.found_list
    rect = view.visualRect(view.found_model.index(1))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center() + QPoint(0, 1))
    assert marked(session) == (0, 3)


def test_all_that_takes_the_keyboard_has_a_name_and_is_reached_with_tab_from_the_top_down(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    reached = []
    panel.units.fold.open()
    panel.stretch_field.first.setFocus()
    for _ in range(20):
        focused = QApplication.focusWidget()
        assert focused is not None
        reached.append(focused.accessibleName() or getattr(focused, "text", str)())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    order = [
        "First step marked",
        "Last step marked",
        "Signal",
        "Threshold",
        "A unit is on from this value",
        "Next margin",
        "on",
        "Units that have to be on",
        "Units that have to be off",
        panel.units.fold.title,
        "Units, and what each has to be",
        "this sequence",
        "Find similar",
        "Similar stretches",
    ]
    assert [name for name in reached if name in order][: len(order)] == order
    assert all(reached)


def test_a_hidden_panel_keeps_no_trace_alive_that_was_replaced(
    session: SearchingSession, show: Show, panel: SimilarPanel
) -> None:
    session.look(stretch=(10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    panel.hide()
    session.questions.clear()
    replaced = weakref.ref(session.result.traces[0])
    session.change("Another sequence", item=1)
    session._past.clear()
    gc.collect()
    assert replaced() is None


@pytest.mark.parametrize("levels", [(-1e-7, 1e-7), (-0.1, 0.1), (0.0, 1.0), (-1.0, 1.0), (-50.0, 50.0), (-2e6, 2e6)])
def test_every_notch_is_a_threshold_of_its_own_whatever_the_range(levels: tuple[float, float]) -> None:
    choice = SignalChoice("0:x.0.y", "Y", levels, 3)
    notches = [choice.at(notch / NOTCHES) for notch in range(NOTCHES + 1)]
    assert notches == sorted(set(notches))
    assert (notches[0], notches[-1]) == levels
    np.testing.assert_allclose(notches, np.linspace(*levels, NOTCHES + 1), atol=(levels[1] - levels[0]) / NOTCHES / 2)
    assert levels[0] < choice.threshold < levels[1]
