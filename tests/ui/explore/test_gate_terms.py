"""Gates taken apart: true as printed, called by their names, asked once for each unit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from lstm_studio.engine.terms import UnitSource, UnitSum, unit_sums
from lstm_studio.engine.tracing import trace
from lstm_studio.networks.network import new_network
from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.networks.sums import Squash
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.sequence import Sequence
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.question import Question
from lstm_studio.session.session import Session
from lstm_studio.session.state import Setup, View
from lstm_studio.session.unit_weights import UnitWeights
from lstm_studio.ui.explore.gate_terms import NAMED, GateTerms, gate_terms, joined
from lstm_studio.ui.explore.gate_view import WAITING, GateView
from lstm_studio.ui.explore.inspector import Inspector
from lstm_studio.ui.explore.layers import ShownLayer
from lstm_studio.ui.explore.operation_card import OperationCard
from lstm_studio.ui.theme import DARK, LIGHT, Theme, contrast
from lstm_studio.ui.widgets.text import plain
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import number_set, symbol_set

UNITS = 6


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every step looked at, however fast a test takes them."""
    monkeypatch.setattr("lstm_studio.ui.explore.inspector.HURRIED", 0)


def shown_of(kind: str, sequence: Sequence, **options: Any) -> ShownLayer:
    """The last layer of a network on a sequence."""
    traced = trace(new_network(kind, sequence.features, UNITS, seed=3, **options), sequence, gradients=False)
    layer = traced.layers[-1]
    info = NetworkInfo(kind, kind, sequence.features, UNITS, 1, False, 0, 0, "", kind)
    return ShownLayer(0, info, traced, layer, 0, 1)


def taken_apart(shown: ShownLayer, sequence: Sequence, name: str, step: int, unit: int = 2) -> GateTerms:
    sums = unit_sums(shown.trace, shown.layer.prefix, unit)
    (found,) = gate_terms(shown, (name,), sums, sequence=sequence, step=step, unit=unit, labels=Labels.STANDARD)
    return found


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def decimals(text: str) -> int:
    return len(text.partition(".")[2].partition("e")[0])


def evaluated(text: str) -> float:
    """A printed sum, as a reader with a pocket calculator reads it."""
    return sum(number(part.replace(" ", "")) for part in re.findall(r"(?:^|[+−] ?)[−]?[\d.,]+(?:e−?\d+)?", text))


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "lstm-article", "lstm-1997"])
def test_every_printed_sum_is_true_or_says_that_it_is_not(kind: str) -> None:
    sequence = number_set()[0]
    shown = shown_of(kind, sequence)
    squashed = {
        each.name.rpartition(".")[0].removeprefix(f"{kind}.0.") for each in unit_sums(shown.trace, f"{kind}.0", 0)
    }
    exact = every = 0
    for name in sorted(squashed):
        for step in range(sequence.steps):
            gate = taken_apart(shown, sequence, name, step)
            assert gate.parts is not None
            assert len(gate.parts) <= NAMED + 2
            assert number(gate.result) == pytest.approx(float(shown.trace[f"{kind}.0.{name}"][step, 2]), abs=0.0051)
            if gate.comes_to == "=":
                assert f"{gate.squash.of(number(gate.total)):.2f}" == f"{number(gate.result):.2f}" or "e" in gate.result
            every += 1
            if gate.relation == "=":
                exact += 1
                error = abs(evaluated(joined(gate.parts)) - number(gate.total))
                assert error <= 0.5001 * 10.0 ** -decimals(gate.total) or "e" in gate.total
    assert exact > 0.8 * every, "nearly always four digits are enough"


@given(st.lists(st.floats(-3, 3).filter(lambda value: abs(value) > 1e-3), min_size=1, max_size=9))
def test_the_parts_hold_the_largest_terms_the_rest_and_the_bias(weights: list[float]) -> None:
    """One input whose every feature is 1, so that products are weights."""
    values = np.ones((1, len(weights)))
    sequence = Sequence(values.astype(np.float32), tuple(f"x{index}" for index in range(len(weights))))
    shown = shown_of("feedforward", sequence)
    full = "feedforward.0.hidden_state.preactivation"
    bias = 0.25
    before = float(np.sum(weights)) + bias
    arrays = {
        "input": values,
        full: np.full((1, UNITS), before),
        full.removesuffix(".preactivation"): np.full((1, UNITS), np.tanh(before)),
    }
    made = ShownLayer(0, shown.info, type(shown.trace)(arrays, shown.trace.layers), shown.layer, 0, 1)
    sums = (UnitSum(full, 0, Squash.TANH, (UnitSource("input", ("input",), np.array(weights), bias, 0, None),), False),)
    (gate,) = gate_terms(made, ("hidden_state",), sums, sequence=sequence, step=0, unit=0, labels=Labels.STANDARD)
    assert gate.parts is not None
    named = sorted(weights, key=abs, reverse=True)[:NAMED]
    sizes = [
        number(part.symbolic.partition("·")[0]) * (-1 if part.negative else 1) for part in gate.parts[: len(named)]
    ]
    assert sizes == pytest.approx(named, abs=0.0051)
    rest = len(weights) - len(named)
    words = [plain(part.symbolic) for part in gate.parts[len(named) :]]
    assert words == ([f"… {rest} more"] if rest else []) + ["b"]


def test_features_are_called_by_number_and_symbol_and_units_by_number() -> None:
    sequence = symbol_set()[0]
    shown = shown_of("lstm", sequence)
    step = sequence.steps // 2
    assert sequence.symbols is not None
    place = sequence.names.index(sequence.symbols[step])
    gate = taken_apart(shown, sequence, "candidate", step)
    assert gate.parts is not None
    every = {plain(part.symbolic): part for part in gate.parts}
    feature = next((name for name in every if "x" in name), None)
    units = [name for name in every if "h" in name]
    assert units
    for name in units:
        assert re.fullmatch(r"\d\.\d\d·h[0-5]|\d\.\de−\d·h[0-5]", name)
        index = int(name[-1])
        value = float(shown.trace["lstm.0.hidden_state"][step - 1, index])
        tip = plain(every[name].tip.replace("<br>", "\n"))
        assert tip.startswith(f"h{index}, hidden state of unit {index}, one step before\nweight × value: ")
        shown_value = re.split(r" [=≈] ", tip.partition("value: ")[2])[0].split(" × ")[1].strip("()")
        assert number(shown_value) == pytest.approx(value, abs=0.0051)
    if feature is not None:
        assert feature.endswith(f"x{place} ‘{sequence.symbols[step]}’")


@pytest.mark.parametrize(
    ("name", "called", "told"),
    [
        ("x0", "x0", "feature x0"),
        ("°C", "x0 ‘°C’", "feature °C"),
        ("temperature outside", "x0 ‘temperatu…’", "feature temperature outside"),
        ("a<b", "x0 ‘a&lt;b’", "feature a&lt;b"),
        (" ", "x0 ‘␣’", "feature ␣"),
    ],
)
def test_features_are_called_by_their_names_as_far_as_there_is_room(name: str, called: str, told: str) -> None:
    sequence = Sequence(np.full((5, 1), 30.0, np.float32), (name,))
    gate = taken_apart(shown_of("lstm", sequence), sequence, "candidate", 3)
    assert gate.parts is not None
    first = gate.parts[0]
    assert plain(first.symbolic).partition("·")[2] == called
    assert plain(first.tip).startswith(f"{called}, {told}")


def test_a_gate_that_multiplies_is_named_in_the_term() -> None:
    sequence = number_set()[0]
    gate = taken_apart(shown_of("gru", sequence), sequence, "candidate", 4)
    assert gate.parts is not None
    gated = [part for part in gate.parts if "h" in plain(part.symbolic)]
    assert gated
    assert all("·r·h" in plain(part.symbolic) for part in gated)
    assert all("reset gate × weight × value: " in plain(part.tip) for part in gated)


def test_the_layer_below_is_named_with_its_direction() -> None:
    sequence = number_set()[0]
    shown = shown_of("lstm", sequence, layers=2, bidirectional=True)
    assert shown.backward
    tips = [
        plain(part.tip)
        for step in range(sequence.steps)
        for part in taken_apart(shown, sequence, "forget_gate", step).parts or ()
    ]
    below = [tip for tip in tips if "of the layer below" in tip]
    assert {("reading backward" in tip) for tip in below} == {True, False}
    assert any("one step later" in tip for tip in tips)


def test_until_the_weights_come_it_says_what_it_waits_for(show: Show) -> None:
    sequence = number_set()[0]
    shown = shown_of("lstm", sequence)
    (gate,) = gate_terms(shown, ("forget_gate",), None, sequence=sequence, step=3, unit=2, labels=Labels.CLASSROOM)
    assert gate.parts is None
    assert gate.title == "Forget factor"
    known = taken_apart(shown, sequence, "forget_gate", 3)
    assert (gate.squash, gate.total, gate.result) == (known.squash, known.total, known.result)
    view = GateView(LIGHT)
    show(view)
    view.show_gate(gate)
    assert WAITING in plain(view.texts()[0])
    view.show_gate(known)
    assert WAITING not in plain(view.texts()[0])
    assert len(view.tips()) == len(known.parts or ())
    view.apply_theme(DARK)
    assert DARK.ink in view.texts()[1]
    assert view.accessibleName().startswith("Forget gate = σ(")


@pytest.mark.qt_log_ignore("plugin does not support")
def test_pointing_at_a_term_tells_weight_and_value(show: Show) -> None:
    sequence = number_set()[0]
    view = GateView(LIGHT)
    show(view)
    view.show_gate(taken_apart(shown_of("lstm", sequence), sequence, "forget_gate", 3))
    view._symbols.linkHovered.emit("1")
    assert view.tips()[1] in QToolTip.text()
    tip = QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), view.mapToGlobal(QPoint(1, 1)))
    assert QApplication.sendEvent(view._symbols, tip)
    assert view.tips()[1] in QToolTip.text(), "that of the whole operation does not cover it"
    view._symbols.linkHovered.emit("")
    QToolTip.hideText()


class AskedSession(Session):
    """A session that keeps the questions that are asked; the computer answers them when the test says so."""

    def __init__(self, kind: str = "lstm") -> None:
        self.computer = Computer()
        setup = Setup(symbol_set(), network=NetworkSpec(kind, hidden_size=UNITS, seed=1), companion=None)
        super().__init__(self.computer.compute(setup, ignore_progress), View(cursor=7))
        self.questions: list[Question] = []
        self.asked.connect(self.questions.append)

    def answer_all(self) -> None:
        for question in [self.questions.pop(0) for _ in list(self.questions)]:
            answered = self.computer.answer(question, ignore_progress)
            assert isinstance(answered, Answered)
            self.answer(question, answered.content)


def card_of(inspector: Inspector) -> OperationCard:
    card = inspector.findChild(OperationCard)
    assert isinstance(card, OperationCard)
    return card


def opened(show: Show, session: Session) -> Inspector:
    inspector = Inspector(session, LIGHT)
    show(inspector)
    return inspector


@pytest.mark.usefixtures("calm")
def test_in_phases_the_live_operation_shows_its_gates_and_the_others_stand_back(show: Show) -> None:
    session = AskedSession()
    inspector = opened(show, session)
    card = card_of(inspector)
    assert not session.questions, "whole steps show no weights, so none are asked for"
    session.show_phases(True)
    session.answer_all()
    gates = dict(zip(Phase, (1, 2, 0, 1), strict=True))
    for phase, count in gates.items():
        session.look(phase=phase)
        assert len(card.gate_texts()) == count
        assert [line.title.isEnabled() for line in card._lines] == [each == phase for each in Phase]
        assert not any(line.fold.isVisible() for line in card._lines)
    session.show_phases(False)
    assert card.gate_texts() == ()
    assert all(line.title.isEnabled() for line in card._lines)


@pytest.mark.usefixtures("calm")
def test_gates_wait_for_their_turn_and_those_folded_or_of_a_larger_cell_go(show: Show) -> None:
    session = AskedSession()
    card = card_of(opened(show, session))
    session.show_phases(True)
    session.answer_all()
    line = card._lines[1]

    def made() -> list[GateView]:
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return line.gates.findChildren(GateView)

    session.look(phase=Phase.LEARN)
    both, views = line.views[:], made()
    gates = card.content.terms["admitted"]
    assert len(both) == len(views) == len(gates) == 2
    session.look(phase=Phase.FORGET)
    session.look(phase=Phase.LEARN)
    assert line.views == both
    assert made() == views
    line.show_gates("admitted", gates[:1], possible=True, name="Admit")
    assert line.views == both[:1]
    assert made() == views[:1]
    session.look(phase=Phase.FORGET)
    assert made() == views[:1]
    session.show_phases(False)
    assert made() == line.views == []
    line.fold.click()
    assert len(made()) == len(card.gate_texts()) == 2
    line.fold.click()
    assert made() == []


@pytest.mark.usefixtures("calm")
def test_a_unit_is_asked_for_once_whatever_the_step(show: Show) -> None:
    session = AskedSession()
    opened(show, session)
    session.show_phases(True)
    session.step(1)
    session.move_cursor(3)
    assert len(session.questions) == 1
    session.answer_all()
    for step in range(session.steps):
        session.move_cursor(step)
    assert not session.questions
    session.select_unit("0:lstm.0", 4)
    (question,) = session.questions
    assert isinstance(question, UnitWeights)
    assert (question.network, question.prefix, question.unit) == (0, "lstm.0", 4)
    session.answer_all()
    session.select_unit("0:lstm.0", 0)
    assert not session.questions, "what was asked before is known"


def test_what_a_change_that_failed_dropped_is_asked_again(show: Show) -> None:
    session = AskedSession()
    card = card_of(opened(show, session))
    session.show_phases(True)
    session.questions.clear()
    session.change("Change the seed", network=NetworkSpec("lstm", hidden_size=UNITS, seed=2))
    session.questions.clear()
    session.withdraw()
    assert len(session.questions) == 1
    session.answer_all()
    assert WAITING not in card.gate_texts()[0][0]


def test_terms_stay_folded_while_steps_come_faster_than_anybody_reads(show: Show, qtbot: QtBot) -> None:
    session = AskedSession()
    card = card_of(opened(show, session))
    session.show_phases(True)
    session.answer_all()
    session.step(1)
    session.step(1)
    session.step(2)
    assert session.view.phase is Phase.FORGET
    assert card.gate_texts() == ()
    qtbot.waitUntil(lambda: len(card.gate_texts()) == 1, timeout=3000)


def test_an_operation_unfolds_in_whole_steps_and_stays_so(show: Show) -> None:
    session = AskedSession()
    card = card_of(opened(show, session))
    folds = [line.fold for line in card._lines]
    assert [fold.isVisible() for fold in folds] == [True, True, False, True], "an update is a plain sum"
    folds[1].click()
    assert WAITING in card.gate_texts()[0][0]
    session.answer_all()
    first = card.gate_texts()
    assert len(first) == 2
    assert folds[1].accessibleDescription() == "open"
    session.step(1)
    assert len(card.gate_texts()) == 2
    assert card.gate_texts() != first
    folds[1].click()
    assert card.gate_texts() == ()


def test_a_vanilla_rnn_unfolds_its_state(show: Show) -> None:
    session = AskedSession("rnn")
    card = card_of(opened(show, session))
    folds = [line.fold for line in card._lines]
    assert [fold.isVisible() for fold in folds] == [True, False]
    folds[0].click()
    session.answer_all()
    ((symbols, numbers),) = card.gate_texts()
    assert plain(symbols).startswith("ht = tanh(")
    assert plain(numbers).startswith("= tanh(")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_what_the_live_operation_says_can_be_read_on_its_wash(theme: Theme) -> None:
    for phase in Phase:
        colours = theme.roles[phase.role]
        for ink in (theme.ink, theme.ink2, theme.ink3, colours.text):
            assert contrast(ink, colours.wash) >= 4.5, (phase, ink)
