"""The unit, layer and direction that the window follows."""

from __future__ import annotations

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.ui.explore.units_panel import UnitsPanel
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, small_setup


def opened(show: Show, spec: NetworkSpec) -> tuple[UnitsPanel, AnsweringSession]:
    session = AnsweringSession(small_setup(network=spec))
    panel = UnitsPanel(session, LIGHT)
    show(panel)
    return panel, session


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
