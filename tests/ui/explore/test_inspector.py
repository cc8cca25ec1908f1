"""The inspector prints the trace's numbers for the selected unit, and says what it cannot show."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtWidgets import QApplication, QLabel, QToolButton, QWidget

from lstm_studio.engine.objectives import CHOICES
from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling, Sequence, SequenceSet
from lstm_studio.session.session import Session
from lstm_studio.session.state import RECORDED, Branch, Comparison, UnitFilter, View, branch_key
from lstm_studio.ui.explore.inspector import Inspector, format_norm
from lstm_studio.ui.explore.meters import Meters
from lstm_studio.ui.explore.objective_menu import ObjectiveMenu
from lstm_studio.ui.explore.operation_card import OperationCard
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.theme import LIGHT
from lstm_studio.ui.widgets.empty import EmptyState
from lstm_studio.ui.widgets.fold import Fold
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, answer, number_set, small_setup, symbol_set


def opened(show: Show, session: Session) -> Inspector:
    panel = Inspector(session, LIGHT)
    show(panel)
    return panel


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text)


def visible_texts(inspector: Inspector) -> list[str]:
    return [plain(label.text()) for label in inspector.findChildren(QLabel) if label.isVisible() and label.text()]


def lines(inspector: Inspector) -> list[tuple[str, ...]]:
    card = inspector.findChild(OperationCard)
    assert isinstance(card, OperationCard)
    return [tuple(plain(part) for part in line) for line in card.lines()]


def meters(inspector: Inspector) -> dict[str, tuple[str, ...]]:
    rows = [row for widget in inspector.findChildren(Meters) if widget.isVisible() for row in widget.texts()]
    return {plain(name): tuple(plain(number) for number in numbers) for name, *numbers in rows}


def test_results_on_the_cards_are_those_of_the_trace(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    session.select_unit("0:lstm.0", 2)
    for step in (0, 7, 19):
        session.move_cursor(step)
        trace = session.result.traces[0]
        shown = [numbers.split()[-1] for _, _, numbers in lines(inspector)]
        names = ("retained", "admitted", "cell_state", "hidden_state")
        assert shown == [format_number(float(trace[f"lstm.0.{name}"][step, 2])) for name in names]
        assert visible_texts(inspector)[:2] == [str(step + 1), "of 20"]


def test_the_panel_says_which_of_two_compared_traces_it_shows(show: Show) -> None:
    setup = replace(small_setup(), branches=(Branch("off", 4, ablate=(("lstm.0", (1,)),)),))
    result = answer(setup)
    session = Session(replace(result, branches=(result.traces,)))
    inspector = opened(show, session)
    assert not any("trace" in text for text in visible_texts(inspector))
    session.look(comparison=Comparison(branch_key("off")))
    assert "Recorded trace, A" in visible_texts(inspector)
    session.look(comparison=Comparison(RECORDED, base=branch_key("off")))
    assert "Recorded trace, B" in visible_texts(inspector)
    session.look(comparison=None)
    assert not any("trace" in text for text in visible_texts(inspector))


def test_negative_second_operands_are_in_parentheses(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    for step in range(session.steps):
        session.move_cursor(step)
        for _, _, numbers in lines(inspector):
            assert not re.search(r"[+×] −", numbers)


def test_gradient_norms_and_their_ratio_are_those_of_the_step(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    session.move_cursor(5)
    lstm, rnn = session.result.traces
    norms = {
        "LSTM ∂L/∂c": float(lstm["norm.grad.lstm.0.cell_state"][5]),
        "LSTM ∂L/∂h": float(lstm["norm.grad.lstm.0.hidden_state"][5]),
        "RNN ∂L/∂h": float(rnn["norm.grad.rnn.0.hidden_state"][5]),
    }
    shown = meters(inspector)
    assert {name: shown[name][0] for name in norms} == {name: format_norm(value) for name, value in norms.items()}
    ratio = norms["LSTM ∂L/∂c"] / norms["RNN ∂L/∂h"]
    assert shown["LSTM ∂c / RNN ∂h"] == (f"× {format_norm(ratio)}",)


@pytest.mark.parametrize(
    ("value", "text"), [(3.72e-2, "3.7e−2"), (2.6, "2.60"), (1e7, "1.0e7"), (0.0, "0"), (3e-300, "3.0e−300")]
)
def test_norms_have_an_exponent_only_where_it_helps(value: float, text: str) -> None:
    assert format_norm(value) == text


@pytest.mark.parametrize(("value", "number", "ratio"), [(0.0, "0", "× ∞"), (np.nan, "NaN", "undefined")])
def test_a_gradient_that_is_gone_is_named(show: Show, value: float, number: str, ratio: str) -> None:
    result = answer(small_setup())
    norm = np.array(result.traces[1]["norm.grad.rnn.0.hidden_state"])
    norm[0] = value
    rnn = Trace(
        {**result.traces[1].arrays, "norm.grad.rnn.0.hidden_state": norm},
        result.traces[1].layers,
        result.traces[1].provenance,
    )
    session = Session(replace(result, traces=(result.traces[0], rnn)), View(cursor=0))
    inspector = opened(show, session)
    shown = meters(inspector)
    assert shown["RNN ∂L/∂h"] == (number,)
    assert shown["LSTM ∂c / RNN ∂h"] == (ratio,)


def test_the_read_out_is_that_of_both_networks_at_the_step(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    session.move_cursor(9)
    shown = meters(inspector)
    for index, name in enumerate(session.result.sequences.classes):
        assert shown[name] == tuple(f"{trace['output'][9, index]:.2f}" for trace in session.result.traces)
    assert shown[""] == ("LSTM", "RNN")
    assert "Read-out at step 10" in visible_texts(inspector)


def test_without_a_read_out_it_says_so(show: Show) -> None:
    inspector = opened(show, AnsweringSession(small_setup(number_set())))
    assert any("no read-out" in text for text in visible_texts(inspector))
    assert not any("target" in text for text in visible_texts(inspector))


def test_a_cell_without_operations_gets_its_signals(show: Show) -> None:
    result = answer(small_setup())
    swapped = replace(result, infos=result.infos[1:], traces=result.traces[1:])
    inspector = opened(show, Session(swapped, View(cursor=0)))
    value = float(swapped.traces[0]["rnn.0.hidden_state"][0, 0])
    assert [line[0] for line in lines(inspector)] == ["Hidden state", "Hidden state, pre-activation"]
    assert lines(inspector)[0][1].endswith(format_number(value))


def test_without_recurrent_layers_it_says_what_to_do(show: Show) -> None:
    result = answer(small_setup())
    bare = Trace({"input": result.sequence.values}, ())
    inspector = opened(show, Session(replace(result, infos=result.infos[:1], traces=(bare,))))
    empty = inspector.findChild(EmptyState)
    assert isinstance(empty, EmptyState)
    assert empty.isVisible()
    assert "Open a network" in empty.text()


def test_choosing_a_unit_here_selects_it_everywhere(show: Show) -> None:
    session = AnsweringSession(small_setup(network=NetworkSpec(hidden_size=5, layers=2)))
    inspector = opened(show, session)
    inspector._unit.field.stepUp()
    assert session.view.units == {"0:lstm.1": 1}
    session.look(layer=0)
    assert inspector._unit.field.value() == 0
    assert any(text.startswith("Layer 1 of 2") for text in visible_texts(inspector))


def test_numbers_are_written_out_where_there_are_no_symbols(show: Show) -> None:
    session = AnsweringSession(small_setup(number_set(features=1)))
    inspector = opened(show, session)
    session.move_cursor(3)
    assert f"x0: {format_number(float(session.result.sequence.values[3, 0]))}" in visible_texts(inspector)


def test_of_scaled_numbers_it_is_said_that_they_are(show: Show) -> None:
    sequence = Sequence(np.array([[0.5], [-0.5]], np.float32), ("Passengers",), raw=np.array([[30.0], [10.0]]))
    setup = small_setup(SequenceSet((sequence,), scaling=Scaling.STANDARD), scaling=Scaling.STANDARD)
    inspector = opened(show, AnsweringSession(setup))
    assert "Passengers: −0.50 scaled, 10.00 raw" in visible_texts(inspector)
    values = np.array([[0.5, -1.5], [0.5, 2.0]], np.float32)
    sequence = Sequence(values, ("left", "right"), raw=values * 10 + 3)
    setup = small_setup(SequenceSet((sequence,), scaling=Scaling.STANDARD), scaling=Scaling.STANDARD)
    inspector = opened(show, AnsweringSession(setup))
    assert "Scaled  left: 0.50  right: 2.00" in visible_texts(inspector)


def test_ignore_factor_is_explained_in_the_classroom_only(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    card = inspector.findChild(OperationCard)
    assert isinstance(card, OperationCard)
    assert "Ignore" not in card._lines[1].toolTip()
    session.look(labels=Labels.CLASSROOM)
    assert "is what is multiplied in, not what is left out" in card._lines[1].toolTip()


def test_the_objective_is_chosen_from_what_the_engine_offers(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    menu = inspector.findChild(ObjectiveMenu)
    assert isinstance(menu, ObjectiveMenu)
    session.move_cursor(7)
    session.select_unit("0:lstm.0", 2)
    menu.fill()
    offered = menu.menu().actions()
    assert len(offered) == len(CHOICES)
    one_unit = next(action for action in offered if action.text().endswith("step 8, unit 2"))
    assert "hidden state" in one_unit.text()
    one_unit.trigger()
    assert session.setup.objective == "hidden:7:2"
    session.undo()
    assert session.setup.objective is None


def test_an_objective_that_lacks_something_is_greyed_with_the_reason(show: Show) -> None:
    session = AnsweringSession(replace(small_setup(), data=number_set()))
    inspector = opened(show, session)
    menu = inspector.findChild(ObjectiveMenu)
    assert isinstance(menu, ObjectiveMenu)
    session.look(labels=Labels.CLASSROOM)
    menu.fill()
    words = [action.text().lower() for action in menu.menu().actions()]
    assert not any("hidden" in text or "input" in text for text in words)
    greyed = {action.text(): action.toolTip() for action in menu.menu().actions() if not action.isEnabled()}
    assert len(greyed) == 2
    assert all("read-out" in reason for reason in greyed.values())


def test_the_arrows_beside_the_unit_follow_what_is_in_sight(show: Show) -> None:
    session = AnsweringSession()
    inspector = Inspector(session, LIGHT)
    show(inspector)
    session.look(unit_filter=UnitFilter(listed=(1, 4)))
    session.remark("Pin unit 3", pinned={"0:lstm.0": (3,)})
    session.select_unit("0:lstm.0", 3)
    walked = []
    for _ in range(2):
        inspector._unit._forward.click()
        walked.append(session.view.units["0:lstm.0"])
    assert walked == [1, 4]
    assert not inspector._unit._forward.isEnabled()


def widgets(inspector: Inspector) -> int:
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return len(inspector.findChildren(QWidget))


def test_a_larger_network_leaves_no_widgets_behind(show: Show) -> None:
    small = small_setup(companion=None)
    session = AnsweringSession(small)
    inspector = opened(show, session)
    before, shown = widgets(inspector), (meters(inspector), lines(inspector))
    many = replace(symbol_set(), classes=tuple(f"class {number}" for number in range(12)))
    session.change("Compare more answers", data=many, companion=NetworkSpec("rnn", 5))
    # Four more answers of eight, for two networks, and a row for the companion's gradient.
    assert widgets(inspector) > before + 4 * 6
    assert meters(inspector)[""] == ("LSTM", "RNN")
    session.change("Go back", data=small.data, companion=None)
    assert widgets(inspector) == before
    assert (meters(inspector), lines(inspector)) == shown


def test_steps_that_take_turns_make_no_widgets_anew(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    rows = inspector.findChildren(Meters)
    before = [id(widget) for widget in inspector.findChildren(QWidget)]
    for step in range(session.steps):
        session.move_cursor(step)
    widgets(inspector)
    assert [id(widget) for widget in inspector.findChildren(QWidget)] == before
    assert len(rows) == len(inspector.findChildren(Meters))


def test_a_cell_with_more_operations_leaves_no_widgets_behind(show: Show) -> None:
    session = AnsweringSession(small_setup(companion=None))
    few = replace(answer(small_setup()), setup=session.setup)
    few = replace(few, infos=few.infos[1:], traces=few.traces[1:])
    assert session.accept(few)
    inspector = opened(show, session)
    before, shown = widgets(inspector), lines(inspector)
    assert session.accept(answer(session.setup))
    assert len(lines(inspector)) == 4
    assert widgets(inspector) > before
    assert session.accept(few)
    assert widgets(inspector) == before
    assert lines(inspector) == shown


def test_a_low_panel_folds_the_gradients_so_that_the_read_out_is_seen(show: Show) -> None:
    inspector = opened(show, AnsweringSession())
    QApplication.processEvents()
    shown = [widget for widget in inspector.findChildren(Meters) if widget.isVisible()]
    readout = max(shown, key=lambda widget: widget.mapTo(inspector, QPoint()).y())
    fold = inspector.findChild(Fold)
    assert isinstance(fold, Fold)

    def resize(height: int) -> None:
        inspector.resize(300, height)
        for _ in range(3):
            QApplication.processEvents()

    def is_unfolded() -> bool:
        return fold.opened

    def is_whole() -> bool:
        top = readout.mapTo(inspector, QPoint()).y()
        return top >= 0 and top + readout.height() <= inspector.height()

    assert is_unfolded()
    assert is_whole()
    resize(480)
    assert not is_unfolded()
    assert is_whole()
    names = set(meters(inspector))
    assert "LSTM ∂L/∂c" not in names
    assert names
    # What the user unfolds stays so until the panel gets another height by far.
    head = fold.findChild(QToolButton)
    assert isinstance(head, QToolButton)
    head.click()
    resize(470)
    assert is_unfolded()
    assert "LSTM ∂L/∂c" in meters(inspector)
    resize(700)
    assert is_unfolded()
    resize(470)
    assert not is_unfolded()


def test_long_names_of_gradients_are_not_cut(show: Show) -> None:
    session = AnsweringSession()
    inspector = opened(show, session)
    first, second = session.result.infos
    session.accept(replace(session.result, infos=(replace(first, title="Feed-forward-network"), second)))
    QApplication.processEvents()
    names = [each for each in inspector.findChildren(QLabel) if "∂" in each.text() and "/" in each.text()]
    shown = [each for each in names if each.isVisible() and "<i>L</i>" in each.text()]
    assert len(shown) == 3
    assert any("Feed-forward-network" in each.text() for each in shown)
    for each in shown:
        assert each.width() >= each.sizeHint().width(), plain(each.text())
    assert len({each.width() for each in shown}) == 1
