"""The unit, layer and direction that the window follows."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.state import UnitFilter, UnitOrder
from lstm_studio.ui.explore.units_panel import UnitsPanel
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, small_setup


def opened(show: Show, spec: NetworkSpec) -> tuple[UnitsPanel, AnsweringSession]:
    session = AnsweringSession(small_setup(network=spec))
    panel = UnitsPanel(session, LIGHT)
    show(panel)
    return panel, session


def kept(session: AnsweringSession) -> UnitFilter:
    """The filter; a call, so that a type checker does not take it for unchanged."""
    return session.view.unit_filter


def pins(session: AnsweringSession) -> dict[str, tuple[int, ...]]:
    """The pinned units, likewise."""
    return dict(session.remarks.pinned)


def test_the_unit_of_the_shown_layer_is_chosen(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    panel._unit.field.setValue(3)
    assert session.view.units == {"0:lstm.0": 3}
    session.select_unit("0:lstm.0", 1)
    assert panel._unit.field.value() == 1
    assert panel._unit.field.maximum() == 4


def test_one_layer_offers_no_choice_of_layers(show: Show) -> None:
    panel, _ = opened(show, NetworkSpec(hidden_size=5))
    assert not panel._layer.isVisible()
    assert not panel._direction.isVisible()


def test_layers_are_counted_from_one_and_the_last_comes_first(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5, layers=3))
    assert panel._layer.isVisible()
    assert panel._layer.field.value() == 3
    panel._layer.field.stepDown()
    assert session.view.layer == 1
    panel._unit.field.setValue(2)
    assert session.view.units == {"0:lstm.1": 2}


def test_both_directions_have_units_of_their_own(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5, bidirectional=True))
    assert panel._direction.isVisible()
    panel._direction.button("backward").click()
    assert session.view.backward
    panel._unit.field.setValue(4)
    assert session.view.units == {"0:lstm.0.reverse": 4}
    panel._direction.button("forward").click()
    assert panel._unit.field.value() == 0


def test_nothing_of_it_ever_scrolls_however_large_the_text(show: Show) -> None:
    panel, _ = opened(show, NetworkSpec(hidden_size=5, layers=2, bidirectional=True))
    panel._unit.setMinimumHeight(100)
    panel.column.activate()
    assert panel.minimumSizeHint().height() == panel.sizeHint().height() > 120


def test_the_order_is_chosen_and_the_arrows_follow_it(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    panel._order.button("activity").click()
    assert session.view.order is UnitOrder.ACTIVITY
    activities = np.abs(session.result.traces[0]["lstm.0.hidden_state"]).mean(axis=0)
    expected = np.argsort(-activities).tolist()
    session.select_unit("0:lstm.0", expected[0])
    assert not panel._unit._back.isEnabled()
    walked = [expected[0]]
    for _ in range(4):
        panel._unit._forward.click()
        walked.append(session.view.units["0:lstm.0"])
    assert walked == expected
    assert not panel._unit._forward.isEnabled()
    panel._unit.field.stepDown()
    assert session.view.units["0:lstm.0"] == expected[3]


def test_pinning_is_undone_and_keeps_the_units_of_other_layers(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5, layers=2))
    session.remark("Pin", pinned={"0:lstm.0": (4,)})
    session.select_unit("0:lstm.1", 3)
    panel._pin.click()
    session.select_unit("0:lstm.1", 1)
    assert not panel._pin.isChecked()
    panel._pin.click()
    assert pins(session) == {"0:lstm.0": (4,), "0:lstm.1": (3, 1)}
    assert panel._pin.isChecked()
    assert panel._count.text() == "5 units · pinned 1, 3"
    assert session.undo_text == "Pin unit 1"
    session.undo()
    assert pins(session) == {"0:lstm.0": (4,), "0:lstm.1": (3,)}
    assert not panel._pin.isChecked()
    session.select_unit("0:lstm.1", 3)
    panel._pin.click()
    assert pins(session) == {"0:lstm.0": (4,)}


def test_a_filter_is_typed_and_taken_back_with_the_keyboard_alone(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    panel.focus_filter()
    QTest.keyClicks(panel.filter_field, "1-2, 4")
    QTest.keyClick(panel.filter_field, Qt.Key.Key_Return)
    assert kept(session) == UnitFilter(listed=(1, 2, 4))
    assert panel.filter_field.text() == "1, 2, 4"
    assert panel._count.text() == "3 of 5 units"
    panel.filter_field.selectAll()
    QTest.keyClick(panel.filter_field, Qt.Key.Key_Delete)
    QTest.keyClick(panel.filter_field, Qt.Key.Key_Return)
    assert kept(session) == UnitFilter()
    assert panel._count.text() == "5 units"


def test_a_filter_applies_while_it_is_typed_as_soon_as_it_makes_sense(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    panel.focus_filter()
    QTest.keyClicks(panel.filter_field, "3,")
    panel._typing.flush()
    assert kept(session) == UnitFilter()
    assert not panel._problem.isVisible(), "it is not finished yet"
    QTest.keyClicks(panel.filter_field, " 4")
    panel._typing.flush()
    assert kept(session) == UnitFilter(listed=(3, 4))
    assert panel.filter_field.text() == "3, 4"


@pytest.mark.parametrize(
    ("text", "words"),
    [("7", "There is no unit 7. This layer has the units 0 to 4."), ("x", "Give numbers as in 3, 5, 8–12")],
)
def test_a_filter_that_cannot_be_read_changes_nothing_and_says_why(show: Show, text: str, words: str) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    panel.focus_filter()
    QTest.keyClicks(panel.filter_field, text)
    QTest.keyClick(panel.filter_field, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert kept(session) == UnitFilter()
    assert panel._problem.isVisible()
    assert words in panel._problem.text()
    assert words in panel.filter_field.accessibleDescription()


def test_a_filter_that_keeps_none_shows_all_and_names_the_most_active(show: Show) -> None:
    panel, session = opened(show, NetworkSpec(hidden_size=5))
    session.look(unit_filter=UnitFilter(above=0.999))
    most = float(np.abs(session.result.traces[0]["lstm.0.hidden_state"]).mean(axis=0).max())
    assert f"reaches {most:.2f}" in panel._problem.text()
    assert panel._count.text() == "5 units"
    assert panel.filter_field.text() == "> 0.999"
    session.look(unit_filter=UnitFilter())
    assert not panel._problem.isVisible()
