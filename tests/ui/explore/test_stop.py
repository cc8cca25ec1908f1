"""Choosing where playing stops: what the box says, what the editor keeps, in either vocabulary, undoable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from lstm_studio.networks.signals import Labels
from lstm_studio.session.conditions import Condition, Quantifier, Relation, StopWhen, hits, met_at
from lstm_studio.session.session import Session
from lstm_studio.session.state import View
from lstm_studio.ui.explore.condition_words import choices, long_text, met_text, short_text
from lstm_studio.ui.explore.condition_words import met_words as words_of_met
from lstm_studio.ui.explore.stop_control import StopControl
from lstm_studio.ui.explore.stop_editor import MOST, StopEditor, met_words, read_threshold
from lstm_studio.ui.explore.transport import Transport
from lstm_studio.ui.style_sheet import style_sheet
from lstm_studio.ui.theme import DARK, LIGHT, Theme
from tests.ui.explore.fakes import AnsweringSession, answer, number_set, small_setup

pytestmark = pytest.mark.qt_log_ignore("plugin does not support")


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


@pytest.fixture
def control(transport: Transport) -> StopControl:
    return transport.stop_control


def stop_of(session: Session) -> StopWhen:
    """The conditions; a call, so that a type checker does not take them for unchanged."""
    return session.remarks.stop


def pick(editor: StopEditor, row: int, text: str) -> None:
    """Choose a signal by its words, as a user does."""
    combo = editor.rows()[row].signal
    index = combo.findText(text)
    assert index >= 0, [combo.itemText(each) for each in range(combo.count())]
    combo.setCurrentIndex(index)
    combo.activated.emit(index)


SAID = [
    (Condition("lstm.0.forget_gate"), "any f < 0.1", "the forget gate (LSTM) of any unit is below 0.1"),
    (
        Condition("lstm.0.cell_state", Quantifier.ALL, Relation.AT_LEAST, -2.5),
        "all c ≥ −2.5",
        "the cell state (LSTM) of every unit is at least −2.5",
    ),
    (
        Condition("rnn.0.hidden_state", Quantifier.MEAN, Relation.LARGER, 0.9, network=1),
        "mean |h RNN| > 0.9",
        "the mean hidden state (RNN) of all units is further from zero than 0.9",
    ),
    (
        Condition("lstm.0.output_gate", Quantifier.ONE, Relation.AT_MOST, 0.5),
        "o ≤ 0.5 (selected unit)",
        "the output gate (LSTM) of the selected unit is at most 0.5",
    ),
    (
        Condition("lstm.0.output_gate", Quantifier.ONE, Relation.GREATER, 0.5, unit=3),
        "o > 0.5 (unit 3)",
        "the output gate (LSTM) of unit 3 is above 0.5",
    ),
    (
        Condition("norm.grad.rnn.0.hidden_state", relation=Relation.LESS, threshold=1e-6, network=1),
        "‖∂L/∂h‖ RNN < 1e−6",
        "gradient norm of the hidden state (RNN) is below 1e−6",
    ),
    (Condition("input", Quantifier.ONE, Relation.GREATER, 0.5, unit=7), "x ‘Y’ > 0.5", "input ‘Y’ is above 0.5"),
    (Condition("input", Quantifier.ANY, Relation.GREATER, 0.5), "any x > 0.5", "the input of any feature is above 0.5"),
    (
        Condition("gru.0.update_gate"),
        "any update_gate < 0.1",
        "the gru.0.update_gate (LSTM) of any unit is below 0.1 (not in what is shown)",
    ),
]


@pytest.mark.parametrize(("condition", "short", "words"), SAID)
def test_what_a_condition_says(condition: Condition, short: str, words: str) -> None:
    result = answer(small_setup())
    assert short_text(result, condition) == short
    assert long_text(result, condition, Labels.STANDARD) == words


def test_the_words_are_those_of_one_vocabulary() -> None:
    result = answer(small_setup())
    standard = {choice.text for choice in choices(result, Labels.STANDARD)}
    classroom = {choice.text for choice in choices(result, Labels.CLASSROOM)}
    assert "Forget gate (LSTM)" in standard
    assert {"Forget factor (LSTM)", "Long-term memory (LSTM)", "Event ‘Y’"} <= classroom
    assert not [text for text in classroom if "cell state" in text.lower() or "hidden state" in text.lower()]
    assert not [text for text in standard if "memory" in text.lower() or "event" in text.lower()]


def test_every_signal_of_every_trace_can_be_chosen() -> None:
    result = answer(small_setup())
    offered = {(choice.network, choice.signal) for choice in choices(result, Labels.STANDARD)}
    wanted = {
        (network, name)
        for network, trace in enumerate(result.traces)
        for name in trace.names
        if name not in {"output", "input"}
    }
    assert offered == wanted | {(0, "input")}
    texts = [choice.text for choice in choices(result, Labels.STANDARD)]
    assert len(texts) == len(set(texts))


def test_it_begins_with_a_suggestion_that_is_off(control: StopControl, session: AnsweringSession) -> None:
    assert control._box.accessibleName() == "Stop when any f < 0.1"
    assert not control._box.isChecked()
    assert stop_of(session) == StopWhen()
    control._box.click()
    assert stop_of(session) == StopWhen((Condition("lstm.0.forget_gate"),), on=True)
    session.undo()
    assert not control._box.isChecked()
    assert stop_of(session) == StopWhen()


def test_it_says_how_many_steps_meet_the_condition(control: StopControl, session: AnsweringSession) -> None:
    gate = session.result.traces[0]["lstm.0.forget_gate"].min(axis=1)
    some = float(np.median(gate))
    session.remark("Stop when", stop=StopWhen((Condition("lstm.0.forget_gate", threshold=some),), on=True))
    count = int((gate < some).sum())
    assert 0 < count < session.steps
    assert control._count.text() == f"{count} of 20 steps"
    assert f"{count} of 20 steps meet this" in control._box.toolTip()
    session.remark("Stop when", stop=StopWhen((Condition("lstm.0.forget_gate", threshold=-1.0),), on=True))
    assert control._count.text() == "No step meets this"
    assert "No step meets this" in control._box.toolTip()


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "No step meets this"), (1, "1 of 1,200 steps meets this"), (12, "12 of 1,200 steps meet this")],
)
def test_counts_in_words(count: int, words: str) -> None:
    assert met_words(count, 1200) == words


def test_a_long_condition_is_elided_and_whole_in_the_tool_tip(control: StopControl, session: AnsweringSession) -> None:
    conditions = tuple(Condition("lstm.0.forget_gate", threshold=value) for value in (0.1, 0.2, 0.3, 0.4))
    session.remark("Stop when", stop=StopWhen(conditions, every=True, on=True))
    control._box.resize(120, 20)
    assert control._box.text().endswith("…")
    assert control._box.text().startswith("Stop: any f")
    assert control._box.accessibleName().endswith("any f < 0.3 and any f < 0.4")
    assert control._box.toolTip().count("forget gate") == 4


def test_the_box_gets_the_room_that_its_words_need(
    transport: Transport, control: StopControl, session: AnsweringSession
) -> None:
    transport.resize(2400, 56)
    for threshold in (0.1, 0.123456, 0.2):
        stop = StopWhen((Condition("lstm.0.forget_gate", threshold=threshold),), on=True)
        session.remark("Stop when", stop=stop)
        transport.grab()
        assert control._box.text() == control._box.accessibleName()


def test_another_selected_unit_meets_the_condition_at_other_steps(
    control: StopControl, session: AnsweringSession
) -> None:
    condition = Condition("lstm.0.cell_state", Quantifier.ONE, Relation.GREATER, 0.0)
    session.remark("Stop when", stop=StopWhen((condition,), on=True))
    for unit in range(5):
        session.select_unit("0:lstm.0", unit)
        memory = session.result.traces[0]["lstm.0.cell_state"][:, unit]
        assert control.hits.tolist() == np.flatnonzero(memory > 0).tolist()


def test_another_result_is_searched_anew(control: StopControl, session: AnsweringSession) -> None:
    stop = StopWhen((Condition("lstm.0.forget_gate", threshold=0.2),), on=True)
    session.remark("Stop when", stop=stop)
    session.change("Another seed", network=replace(session.setup.network, seed=5))
    assert control.hits.tolist() == hits(session.result, session.view, stop).tolist()
    session.change("Other data", data=number_set())
    assert "not in what is shown" not in control._box.toolTip()


def test_the_editor_changes_signal_units_comparison_and_number(control: StopControl, session: AnsweringSession) -> None:
    control._edit.click()
    editor = control.editor
    assert editor.isVisible()
    (row,) = editor.rows()
    assert row.number.text() == "0.1"
    pick(editor, 0, "Cell state (LSTM)")
    row.quantifier.setCurrentIndex(2)
    row.quantifier.activated.emit(2)
    row.relation.setCurrentIndex(4)
    row.relation.activated.emit(4)
    row.number.setText("0,05")
    row.number.editingFinished.emit()
    wanted = Condition("lstm.0.cell_state", Quantifier.MEAN, Relation.LARGER, 0.05)
    assert stop_of(session) == StopWhen((wanted,), on=True)
    memory = session.result.traces[0]["lstm.0.cell_state"].mean(axis=1)
    assert editor.count_text().startswith(f"{int((abs(memory) > 0.05).sum())} of 20")
    for _ in range(4):
        session.undo()
    assert stop_of(session).conditions == (Condition("lstm.0.forget_gate"),)
    assert row.number.text() == "0.1"
    editor.close()


def test_a_number_or_a_feature_that_stands_alone_has_no_units(control: StopControl, session: AnsweringSession) -> None:
    control.edit()
    editor = control.editor
    (row,) = editor.rows()
    pick(editor, 0, "Gradient norm of the cell state (LSTM)")
    assert row.quantifier.isHidden()
    pick(editor, 0, "Input ‘Y’")
    assert row.quantifier.isHidden()
    (condition,) = stop_of(session).conditions
    assert (condition.signal, condition.unit, condition.quantifier) == ("input", 7, Quantifier.ONE)
    pick(editor, 0, "Forget gate (LSTM)")
    assert not row.quantifier.isHidden()
    (condition,) = stop_of(session).conditions
    assert (condition.unit, condition.quantifier) == (None, Quantifier.ANY)
    editor.close()


def test_what_is_no_number_is_named_and_changes_nothing(control: StopControl, session: AnsweringSession) -> None:
    control.edit()
    editor = control.editor
    before = stop_of(session)
    (row,) = editor.rows()
    row.number.setText("a lot")
    row.number.editingFinished.emit()
    assert "“a lot” is not a number" in editor.problem_text()
    assert stop_of(session) == before
    row.number.setText("−1e-6")
    row.number.editingFinished.emit()
    assert editor.problem_text() == ""
    assert stop_of(session).conditions[0].threshold == -1e-6
    editor.close()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1),
        (" −0,5 ", -0.5),
        ("1e-6", 1e-6),
        ("1e−6", 1e-6),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("x", None),
    ],
)
def test_thresholds_are_read_as_they_are_written(text: str, value: float | None) -> None:
    assert read_threshold(text) == value


def test_conditions_are_added_joined_and_removed(control: StopControl, session: AnsweringSession) -> None:
    control.edit()
    editor = control.editor
    assert editor._join.isHidden(), "one condition has nothing to be joined with"
    editor._add.click()
    pick(editor, 1, "Output gate (LSTM)")
    assert [condition.signal for condition in stop_of(session).conditions] == [
        "lstm.0.forget_gate",
        "lstm.0.output_gate",
    ]
    assert not editor._join.isHidden()
    editor._join.button("every").click()
    assert stop_of(session).every
    assert " and " in control._box.accessibleName()
    editor.rows()[0].remove.click()
    assert [condition.signal for condition in stop_of(session).conditions] == ["lstm.0.output_gate"]
    editor.rows()[0].remove.click()
    assert stop_of(session).conditions == ()
    assert not stop_of(session).on
    for _ in range(MOST + 2):
        editor._add.click()
    assert len(stop_of(session).conditions) == MOST
    assert not editor._add.isEnabled()
    editor.close()


def test_the_editor_grows_up_from_the_box_and_lists_signals_whole(
    control: StopControl, session: AnsweringSession, qtbot: QtBot
) -> None:
    control.edit()
    editor = control.editor
    editor.stand_on(QPoint(760, 560))
    qtbot.waitUntil(editor.isVisible)
    before = editor.geometry()
    assert before.bottomRight() == QPoint(759, 559)
    for _ in range(3):
        editor._add.click()
    assert editor.geometry().height() > before.height() + 60
    assert editor.geometry().bottomRight() == before.bottomRight()
    editor._rows[0].number.setText("x")
    editor._rows[0].changed.emit()
    assert editor.problem_text()
    assert editor.geometry().bottomRight() == before.bottomRight()
    chooser = editor.rows()[0].signal
    chooser.showPopup()
    view = chooser.view()
    shown = view.viewport().rect().height() // view.sizeHintForRow(0)
    assert chooser.count() > 20 > shown >= 5
    metrics = view.fontMetrics()
    texts = [chooser.itemText(place) for place in range(chooser.count())]
    assert view.viewport().width() >= max(map(metrics.horizontalAdvance, texts))
    chooser.hidePopup()
    editor.close()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_lists_in_the_editor_have_a_frame(control: StopControl, qtbot: QtBot, theme: Theme) -> None:
    control.edit()
    editor = control.editor
    editor.setStyleSheet(style_sheet(theme))
    qtbot.waitUntil(editor.isVisible)
    row = editor.rows()[0]
    for chooser in (row.quantifier, row.signal, row.relation):
        chooser.showPopup()
        image = chooser.view().grab().toImage()
        right, bottom = image.width() - 1, image.height() - 1
        edges = [(0, bottom // 2), (right, bottom // 2), (right // 2, 0), (right // 2, bottom)]
        assert {image.pixelColor(*edge).name() for edge in edges} == {theme.frame.lower()}
        chooser.hidePopup()
    editor.close()


def test_the_editor_follows_vocabulary_and_theme(control: StopControl, session: AnsweringSession) -> None:
    control.edit()
    editor = control.editor
    session.look(labels=Labels.CLASSROOM)
    assert editor.rows()[0].signal.currentText() == "Forget factor (LSTM)"
    control.apply_theme(DARK)
    names = [
        widget.accessibleName()
        for row in editor.rows()
        for widget in (row.quantifier, row.signal, row.relation, row.number, row.remove)
    ]
    assert all(name.startswith(("Condition 1: ", "Remove condition 1")) for name in names)
    editor.close()


def test_nothing_recurrent_offers_nothing_to_stop_at(qtbot: QtBot) -> None:
    result = answer(small_setup())
    bare = replace(result.traces[0], arrays={"input": result.sequence.values}, layers=())
    made = Transport(Session(replace(result, infos=result.infos[:1], traces=(bare,)), View()), LIGHT)
    qtbot.addWidget(made)
    control = made.stop_control
    assert not control._box.isEnabled()
    assert control._box.toolTip() == "Nothing to stop at"
    control.edit()
    assert control.editor.rows() == ()
    control.editor.close()


def test_at_a_step_that_meets_the_condition_it_says_which_unit_does(
    control: StopControl, session: AnsweringSession
) -> None:
    gate = session.result.traces[0]["lstm.0.forget_gate"]
    threshold = float(np.sort(gate.min(axis=1))[5])
    session.remark("Stop when", stop=StopWhen((Condition("lstm.0.forget_gate", threshold=threshold),), on=True))
    for step in range(session.steps):
        session.move_cursor(step)
        below = [int(unit) for unit in np.argsort(gate[step]) if gate[step, unit] < threshold]
        if not below:
            assert control._count.text() == "5 of 20 steps"
            assert control._box.accessibleDescription() == ""
            continue
        text = control._count.text()
        assert text.startswith(f"unit {below[0]}: ")
        assert text.endswith(f", {len(below) - 1} more") is (len(below) > 1)
        printed = float(text.partition(": ")[2].partition(",")[0].replace("−", "-"))
        assert printed == pytest.approx(gate[step, below[0]], abs=0.005)
        assert printed < threshold, "what is printed meets the condition, too"
        assert f"forget gate (LSTM) of unit {below[0]} is " in control._box.toolTip()
        assert control._box.accessibleDescription() in control._box.toolTip()


@pytest.mark.parametrize(
    ("condition", "text", "words"),
    [
        (
            Condition("input", Quantifier.ONE, Relation.GREATER, 0.5, unit=7),
            "x ‘Y’ = 1.00",
            "Here the input ‘Y’ is 1.00.",
        ),
        (
            Condition("input", Quantifier.ANY, Relation.GREATER, 0.5),
            "feature ‘Y’: 1.00",
            "Here the input of feature ‘Y’ is 1.00.",
        ),
        (
            Condition("input", Quantifier.MEAN, Relation.GREATER, 0.124),
            "mean x = 0.125",
            "Here the mean input is 0.125.",
        ),
    ],
)
def test_what_meets_a_condition_in_words(condition: Condition, text: str, words: str) -> None:
    result = answer(small_setup())
    symbols = result.sequence.symbols
    assert symbols is not None
    met = met_at(result, View(), StopWhen((condition,)), symbols.index("Y"))
    assert met_text(result, met) == text
    assert words_of_met(result, met, Labels.STANDARD) == words
