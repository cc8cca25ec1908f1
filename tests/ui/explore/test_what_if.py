"""The forms make what-ifs, with real networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.session import Session
from lstm_studio.session.state import (
    CompareMode,
    Comparison,
    branch_key,
)
from lstm_studio.ui.explore.what_if.event_form import EventForm
from lstm_studio.ui.explore.what_if.form import Change, Form, Place
from lstm_studio.ui.explore.what_if.hold_forms import AblateForm, ClampForm, StateForm
from lstm_studio.ui.explore.what_if.panel import WhatIfPanel
from lstm_studio.ui.explore.what_if.plot_menu import PlotMenu
from lstm_studio.ui.explore.what_if.units_text import UnreadableUnitsError, parse_units
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import number_set, symbol_set
from tests.ui.explore.what_if_fakes import GATE, add, branches_of, computed_session, view_of


@pytest.fixture
def session() -> Session:
    """Temporal order in small, an LSTM of six units and an RNN."""
    return computed_session()


@pytest.fixture
def panel(session: Session, show: Show) -> WhatIfPanel:
    """The panel, shown."""
    made = WhatIfPanel(session, LIGHT)
    show(made)
    return made


def clamp_form(panel: WhatIfPanel) -> ClampForm:
    form = panel.form(Change.CLAMP)
    assert isinstance(form, ClampForm)
    return form


def event_form(panel: WhatIfPanel) -> EventForm:
    form = panel.form(Change.EVENT)
    assert isinstance(form, EventForm)
    return form


def test_a_form_begins_at_the_cursor_and_the_selected_unit_with_a_value_that_makes_a_difference(
    session: Session, panel: WhatIfPanel
) -> None:
    session.move_cursor(7)
    session.select_unit("0:lstm.0", 3)
    panel.button(Change.CLAMP).click()
    form = clamp_form(panel)
    assert panel.opened is Change.CLAMP
    assert form.isVisible()
    assert form.steps.first.value() == 8
    assert form.steps.last.value() == 20
    assert form.units.text() == "3"
    recorded = float(session.result.traces[0]["lstm.0.forget_gate"][7, 3])
    form.signal.setCurrentIndex(form.signal.findData("forget_gate"))
    form.signal.activated.emit(0)
    assert form.value.value() == (1.0 if recorded < 0.5 else 0.0)
    form.submit()
    check_gate_of_unit_3(session, panel)


def check_gate_of_unit_3(session: Session, panel: WhatIfPanel) -> None:
    form = clamp_form(panel)
    (branch,) = branches_of(session)
    assert branch.clamp == (("lstm.0.forget_gate", ((3, form.value.value()),)),)
    assert (branch.at, branch.until, branch.network) == (7, None, 0)
    assert branch.name == f"Forget gate of unit 3 = {form.value.value():.0f} from 8"
    assert panel.opened is None
    assert not form.isVisible()
    trace = session.result.branches[0][0]
    assert (trace["lstm.0.forget_gate"][7:, 3] == form.value.value()).all()
    assert view_of(session).comparison == Comparison(branch_key(branch.name), mode=CompareMode.DIFFERENCE)


def test_several_units_of_the_companion_for_some_steps(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.CLAMP)
    form = clamp_form(panel)
    form.network.setCurrentIndex(1)
    form.network.activated.emit(1)
    assert [form.signal.itemData(index) for index in range(form.signal.count())] == ["hidden_state"]
    form.units.setText("0, 2-4")
    form.value.setValue(-0.5)
    assert form.slider.value() == form.slider.maximum() // 4
    form.steps.first.setValue(3)
    form.steps.last.setValue(6)
    form.submit()
    (branch,) = branches_of(session)
    assert branch.clamp == (("rnn.0.hidden_state", tuple((unit, -0.5) for unit in (0, 2, 3, 4))),)
    assert (branch.at, branch.until, branch.network) == (2, 6, 1)
    states = session.result.branches[0][1]["rnn.0.hidden_state"]
    assert (states[2:6, [0, 2, 3, 4]] == -0.5).all()


def test_the_slider_and_the_number_are_one_value(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.CLAMP)
    form = clamp_form(panel)
    form.slider.setValue(form.slider.maximum() // 4)
    assert form.value.value() == pytest.approx(0.25)
    form.value.setValue(0.75)
    assert form.slider.value() == 3 * form.slider.maximum() // 4


def test_a_state_is_set_once(session: Session, panel: WhatIfPanel) -> None:
    session.move_cursor(5)
    panel.open_form(Change.STATE)
    form = panel.form(Change.STATE)
    assert isinstance(form, StateForm)
    assert [form.signal.itemData(index) for index in range(form.signal.count())] == ["cell_state", "hidden_state"]
    # Unbounded: any number, not only those of the slider.
    form.value.setValue(40.0)
    form.submit()
    (branch,) = branches_of(session)
    assert (branch.at, branch.until) == (5, 6)
    assert branch.clamp == (("lstm.0.cell_state", ((0, 40.0),)),)
    cell = session.result.branches[0][0]["lstm.0.cell_state"]
    assert cell[5, 0] == 40
    assert cell[6, 0] != 40
    assert branch.name == "Cell state of unit 0 = 40 at 6"


def test_units_are_switched_off(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.ABLATE)
    form = panel.form(Change.ABLATE)
    assert isinstance(form, AblateForm)
    assert form.steps.first.value() == 1
    form.units.setText("all")
    form.submit()
    (branch,) = branches_of(session)
    assert branch.ablate == (("lstm.0", (0, 1, 2, 3, 4, 5)),)
    assert not session.result.branches[0][0]["lstm.0.hidden_state"].any()


def test_an_event_becomes_another_symbol_in_both_networks(session: Session, panel: WhatIfPanel) -> None:
    step = next(index for index, symbol in enumerate(session.result.sequence.symbols or ()) if symbol in "XY")
    session.move_cursor(step)
    panel.open_form(Change.EVENT)
    form = event_form(panel)
    assert form.step.value() == step + 1
    # What is proposed changes an answer: the other event.
    before = (session.result.sequence.symbols or ())[step]
    assert {before, form.symbol.currentText()} == {"X", "Y"}
    form.submit()
    (branch,) = branches_of(session)
    names = session.result.sequence.names
    after = form.symbol.currentText()
    assert branch.events == ((step, ((names.index(before), 0.0), (names.index(after), 1.0))),)
    assert branch.name == f"Input at {step + 1}: {before} → {after}"
    for trace in session.result.branches[0]:
        assert trace["input"][step].argmax() == names.index(after)
        assert trace["input"][step].sum() == 1


def test_the_same_symbol_is_no_what_if(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.EVENT)
    form = event_form(panel)
    form.symbol.setCurrentText("B")
    form.step.setValue(20)
    form.symbol.setCurrentIndex(session.result.sequence.names.index((session.result.sequence.symbols or ())[19]))
    form.submit()
    assert "already" in form.problem
    assert not branches_of(session)


def test_numbers_are_typed_raw_one_field_for_each_feature(show: Show) -> None:
    session = computed_session(number_set(), scaling=Scaling.STANDARD)
    panel = WhatIfPanel(session, LIGHT)
    show(panel)
    session.move_cursor(4)
    panel.open_form(Change.EVENT)
    form = event_form(panel)
    raw = session.result.sequence.raw
    assert raw is not None
    assert [float(field.text()) for field in form.fields] == pytest.approx(raw[4].tolist(), rel=1e-5)
    form.fields[1].setText("soon")
    form.submit()
    assert "soon is not a number" in form.problem
    form.fields[1].setText("12.5")
    form.submit()
    (branch,) = branches_of(session)
    assert branch.events == ((4, ((1, 12.5),)),)
    values = session.setup.data
    stacked = np.concatenate([np.asarray(sequence.raw, np.float64) for sequence in values])
    expected = (12.5 - stacked[:, 1].mean()) / stacked[:, 1].std()
    assert session.result.branches[0][0]["input"][4, 1] == pytest.approx(expected, rel=1e-5)
    # Going back to a set with fewer features makes fields go.
    session.change("Open", data=number_set(features=1))
    panel.open_form(Change.EVENT)
    assert len(form.fields) == 1


def test_of_many_features_one_is_chosen(show: Show) -> None:
    session = computed_session(number_set(features=9))
    panel = WhatIfPanel(session, LIGHT)
    show(panel)
    panel.open_form(Change.EVENT)
    form = event_form(panel)
    form.feature.setCurrentIndex(7)
    form.feature.activated.emit(7)
    form.fields[0].setText("1")
    form.submit()
    assert branches_of(session)[0].events[0][1] == ((7, 1.0),)


@pytest.mark.parametrize(
    ("text", "units"),
    [("3", (3,)), (" 1, 2 ;4", (1, 2, 4)), ("2-4", (2, 3, 4)), ("4 – 2, 0", (0, 2, 3, 4)), ("ALL", (0, 1, 2, 3, 4, 5))],
)
def test_units_are_read_as_they_are_typed(text: str, units: tuple[int, ...]) -> None:
    assert parse_units(text, 6) == units


@pytest.mark.parametrize(
    ("text", "words"), [("6", "no unit 6"), ("x", "x is no unit"), ("", "No unit"), ("2-", "2- is")]
)
def test_what_is_no_unit_is_named(text: str, words: str) -> None:
    with pytest.raises(UnreadableUnitsError, match=words):
        parse_units(text, 6)


def test_a_form_says_what_is_wrong_and_makes_nothing(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.CLAMP)
    form = clamp_form(panel)
    form.units.setText("17")
    form.submit()
    assert "no unit 17" in form.problem
    form.units.setText("1")
    form.steps.first.setValue(9)
    form.steps.last.setValue(3)
    form.submit()
    assert "before the first" in form.problem
    assert not branches_of(session)
    assert panel.opened is Change.CLAMP


def test_an_open_form_follows_another_sequence_and_keeps_what_was_typed_over_another_what_if(
    session: Session, panel: WhatIfPanel
) -> None:
    session.change("Longer", data=symbol_set(steps=30))
    panel.open_form(Change.CLAMP)
    form = clamp_form(panel)
    form.units.setText("0-2")
    add(session, GATE)
    assert form.units.text() == "0-2"
    session.change("Shorter", data=symbol_set(steps=15))
    assert form.units.text() == "0"
    assert form.steps.last.maximum() == 15
    session.change("Fewer units", network=NetworkSpec("lstm", hidden_size=2))
    form.units.setText("3")
    form.submit()
    assert "from 0 to 1" in form.problem


def test_a_dragged_value_and_a_place_begin_elsewhere(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.CLAMP, Place(1, "hidden_state", 4, 11))
    form = clamp_form(panel)
    assert (form.network.currentData(), form.units.text(), form.steps.first.value()) == (1, "4", 12)
    panel.hold(0, "lstm.0.output_gate", 2, 8, 0.2)
    (branch,) = branches_of(session)
    assert branch.clamp == (("lstm.0.output_gate", ((2, 0.2),)),)
    assert (branch.at, branch.until) == (8, 9)
    assert branch.name == "Output gate of unit 2 = 0.2 at 9"


def test_networks_in_which_nothing_can_be_held_still_take_another_event(show: Show) -> None:
    session = computed_session(companion=None)
    session.change("Both ways", network=NetworkSpec("lstm", hidden_size=4, bidirectional=True))
    panel = WhatIfPanel(session, LIGHT)
    show(panel)
    for change in (Change.CLAMP, Change.ABLATE, Change.STATE):
        assert not panel.button(change).isEnabled()
        assert "nothing in them can be held" in panel.button(change).toolTip()
    assert panel.button(Change.EVENT).isEnabled()


def test_escape_closes_and_return_adds(session: Session, panel: WhatIfPanel) -> None:
    panel.open_form(Change.ABLATE)
    form = panel.form(Change.ABLATE)
    QTest.keyClick(form, Qt.Key.Key_Escape)
    assert panel.opened is None
    panel.open_form(Change.ABLATE)
    QTest.keyClick(form, Qt.Key.Key_Return)
    assert len(branches_of(session)) == 1


def test_forms_are_of_the_kinds_that_the_buttons_name(panel: WhatIfPanel) -> None:
    kinds: dict[Change, type[Form]] = {
        Change.CLAMP: ClampForm,
        Change.ABLATE: AblateForm,
        Change.EVENT: EventForm,
        Change.STATE: StateForm,
    }
    for change, kind in kinds.items():
        panel.button(change).click()
        assert isinstance(panel.form(change), kind)
        assert panel.opened is change
        assert [other for other in Change if panel.form(other).isVisible()] == [change]
        assert panel.form(change).accessibleName() == panel.button(change).text().removesuffix("…")
    panel.button(Change.STATE).click()
    assert panel.opened is None


# The menu of a unit in the plots.


def test_the_menu_of_a_unit_opens_forms_that_begin_there(session: Session, panel: WhatIfPanel) -> None:
    menu = PlotMenu(session, "0.cell_state", 3, 6, panel)
    chosen: list[tuple[Change, Place]] = []
    menu.chosen.connect(lambda change, place: chosen.append((change, place)))
    assert [action.text() for action in menu.actions()] == [
        "Clamp cell state of unit 3 from step 7…",
        "Set cell state of unit 3 at step 7…",
        "Ablate unit 3…",
        "Edit input at step 7…",
    ]
    for action in menu.actions():
        action.trigger()
    for change, place in chosen:
        panel.open_form(change, place)
        form = panel.form(change)
        form.submit()
    clamped, once, off = branches_of(session)[:3]
    assert (clamped.at, clamped.until) == (6, None)
    assert (once.at, once.until) == (6, 7)
    assert once.clamp[0][0] == clamped.clamp[0][0] == "lstm.0.cell_state"
    assert once.clamp[0][1][0][0] == 3
    assert off.ablate == (("lstm.0", (3,)),)
    assert branches_of(session)[3].at == 6
    menu.deleteLater()


def test_the_menu_of_the_companion_and_of_an_input(session: Session, panel: WhatIfPanel) -> None:
    companion = PlotMenu(session, "1.hidden_state", 2, 0, panel)
    assert companion.actions()[0].text() == "Clamp hidden state of unit 2 from step 1…"
    session.look(labels=Labels.CLASSROOM)
    features = PlotMenu(session, "input", 2, 0, panel)
    assert [action.text() for action in features.actions()] == ["Edit event at step 1…"]
    for menu in (companion, features):
        menu.deleteLater()


def way_through(panel: WhatIfPanel, change: Change) -> list[QWidget]:
    """Return where Tab leads in a form, which has to be from the top down to its button."""
    panel.open_form(change)
    form = panel.form(change)
    QApplication.processEvents()
    reached: list[QWidget] = []
    focused = QApplication.focusWidget()
    while focused is not None and form.isAncestorOf(focused) and focused not in reached:
        reached.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
    assert len(reached) >= 3
    tops = [widget.mapTo(form, QPoint()).y() for widget in reached if widget is not form._close]
    assert all(below >= above - 4 for above, below in pairwise(tops))
    assert reached[-1] is form._add
    return reached


@pytest.mark.parametrize("change", Change)
def test_the_keyboard_goes_through_a_form_from_the_top_down_to_its_button(
    session: Session, panel: WhatIfPanel, change: Change
) -> None:
    way_through(panel, change)


@pytest.mark.parametrize("features", [3, 8])
def test_the_keyboard_comes_to_the_fields_of_numbers_however_often_they_are_made_anew(
    show: Show, features: int
) -> None:
    session = computed_session(number_set(features=features))
    panel = WhatIfPanel(session, LIGHT)
    show(panel)
    form = panel.form(Change.EVENT)
    assert isinstance(form, EventForm)
    panel.open_form(Change.EVENT)
    panel.close_form()
    session.change("Other data", data=number_set(features=2))
    session.undo()
    reached = way_through(panel, Change.EVENT)
    assert set(form.fields) <= set(reached)
    assert (form.feature in reached) == (features == 8)
