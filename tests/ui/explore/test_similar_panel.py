"""Find similar: what is counted, asked, listed and gone to; by keyboard, and as it is drawn."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.engine.search import Pattern
from lstm_studio.engine.trace import Trace
from lstm_studio.networks.network import Network
from lstm_studio.networks.signals import Labels
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.session.question import Question
from lstm_studio.session.similar import FindSimilar, Found, Picture, Similar
from lstm_studio.session.state import Result
from lstm_studio.session.wishes import LookingFor, Stance
from lstm_studio.ui.explore.similar.panel import SimilarPanel
from lstm_studio.ui.explore.similar.query import NOTCHES, Query, SignalChoice, make_query, signal_choices
from lstm_studio.ui.explore.similar.results import FoundList, Listed
from lstm_studio.ui.explore.similar.unit_list import blocks
from lstm_studio.ui.plots.raster import to_index
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, small_setup, symbol_set

HIDDEN = "lstm.0.hidden_state"
Array = np.ndarray[Any, Any]


@dataclass
class Shelves:
    """The tools that a search of the shown sequence needs."""

    kept: dict[type[Question], dict[str, Any]] = field(default_factory=dict)

    def shelf(self, kind: type[Question]) -> dict[str, Any]:
        return self.kept.setdefault(kind, {})

    def networks_of(self, result: Result) -> tuple[Network, ...]:
        raise AssertionError("the shown sequence is traced already")

    def with_gradients(self, result: Result, place: int, progress: Progress) -> tuple[Trace, ...]:
        raise AssertionError("a search looks at no what-if")


class SearchingSession(AnsweringSession):
    """A session whose searches of the shown sequence are answered at once, and noted."""

    def __init__(self) -> None:
        super().__init__(small_setup(symbol_set(count=4, steps=40)))
        self.questions: list[FindSimilar] = []
        self.invented: Callable[[FindSimilar], Similar] | None = None
        self.asked.connect(self._on_asked)

    def _on_asked(self, question: Question) -> None:
        assert isinstance(question, FindSimilar)
        self.questions.append(question)
        found = self.invented(question) if self.invented else question.answer(Shelves(), ignore_progress)
        self.answer(question, found)


@pytest.fixture
def session() -> SearchingSession:
    return SearchingSession()


@pytest.fixture
def panel(session: SearchingSession, show: Show) -> SimilarPanel:
    made = SimilarPanel(session, LIGHT)
    show(made)
    return made


def on_throughout(values: Array, start: int, stop: int, threshold: float, margin: int) -> list[int]:
    found = []
    for unit in range(values.shape[1]):
        beside = [*range(max(0, start - margin), start), *range(stop, min(len(values), stop + margin))]
        inside = all(values[step, unit] >= threshold for step in range(start, stop))
        if inside and not any(values[step, unit] >= threshold for step in beside):
            found.append(unit)
    return found


def listed_rows(panel: SimilarPanel) -> list[str]:
    model = panel.found_list.found_model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def ends(panel: SimilarPanel) -> tuple[int, int]:
    """The steps in the two fields."""
    return panel.stretch_field.first.value(), panel.stretch_field.last.value()


def marked(session: SearchingSession) -> tuple[int, int] | None:
    """The stretch; a call, so that a type checker does not take it for unchanged."""
    return session.view.marked


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
    assert on.text() == "0–2"
    QTest.keyClick(on, Qt.Key.Key_End)
    QTest.keyClicks(on, ", 9")
    assert panel.units.words.startswith("There is no unit 9.")
    assert not panel._find.isEnabled()
    asked = len(session.questions)
    QTest.keyClick(on, Qt.Key.Key_Return)
    assert len(session.questions) == asked
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


def found_in(item: int, start: int, stop: int, units: tuple[int, ...] = (0, 1)) -> Found:
    values = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
    return Found(item, start, stop, units, Picture(values, start - 2, 2))


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
    assert panel._summary.text() == "Nothing like it in 40 steps of this sequence"
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
        "Units: on",
        "Units that have to be on",
        "Units that have to be off",
        panel.units.fold.title,
        "Units, and what each has to be",
        "Search in: this sequence",
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


def test_all_sequences_are_searched_on_only_where_they_have_been_traced(
    panel: SimilarPanel, session: SearchingSession
) -> None:
    session.invented = lambda _: Similar((found_in(0, 10, 13),), 4, 4, 160)
    session.mark("Mark a stretch", (10, 13))
    panel._threshold.setValue(-1)
    panel.search()
    panel._scope.button("everywhere").click()
    panel._threshold.setValue(-0.9)
    assert [question.everywhere for question in session.questions] == [False]
    panel.search()
    panel._threshold.setValue(-0.8)
    panel._threshold.setValue(-0.7)
    assert [question.everywhere for question in session.questions] == [False, True, True, True]
    keys = [choice.key for choice in signal_choices(session.result, session.view)]
    panel._choose_signal(keys.index("0:lstm.0.cell_state"))
    panel._threshold.setValue(0.1)
    assert len(session.questions) == 4
    panel._scope.button("here").click()
    assert len(session.questions) == 5


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
