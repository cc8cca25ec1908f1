"""The networks panel says what the networks are, and every change arrives in the setup and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from lstm_studio.engine.recovery import TOLERANCES
from lstm_studio.engine.trace import Provenance
from lstm_studio.networks.cells import cells
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.session import Session
from lstm_studio.session.state import Match, Setup
from lstm_studio.ui.explore.network_card import RECOVERY_LIMITS, summarise
from lstm_studio.ui.explore.networks_panel import NetworksPanel
from lstm_studio.ui.theme import LIGHT
from tests.ui.explore.conftest import Show
from tests.ui.explore.fakes import AnsweringSession, answer, small_setup, symbol_set, verdicts_of, wanted


def opened(show: Show, session: Session) -> NetworksPanel:
    panel = NetworksPanel(session, LIGHT)
    show(panel)
    return panel


@pytest.fixture
def session() -> AnsweringSession:
    return AnsweringSession()


@pytest.fixture
def panel(show: Show, session: AnsweringSession) -> NetworksPanel:
    return opened(show, session)


def trained() -> Setup:
    return small_setup(
        network=NetworkSpec(hidden_size=5, checkpoint="lstm.safetensors"),
        companion=NetworkSpec("rnn", checkpoint="rnn.safetensors"),
    )


def test_cards_say_what_the_networks_are(panel: NetworksPanel) -> None:
    first, second = (card.texts() for card in panel.cards)
    assert first == (
        "LSTM",
        "5 units · 1 layer · seed 0",
        "1,732 weights · untrained",
        "trace check 2.4e−7, limit 1e−4 ✓",
    )
    assert second[0] == "Vanilla RNN"
    assert second[-1] == "companion, same size and seed"


def test_a_network_from_a_file_is_not_called_untrained(show: Show) -> None:
    panel = opened(show, AnsweringSession(trained()))
    texts = [text for card in panel.cards for text in card.texts()]
    assert "1,732 weights · from lstm.safetensors" in texts
    assert not any("untrained" in text for text in texts)


def test_accuracy_is_counted_from_the_verdicts(panel: NetworksPanel, session: AnsweringSession) -> None:
    assert panel.cards[0].texts()[1].startswith("5 units")
    session.accept_verdicts(verdicts_of(session.result))
    targets = [sequence.target for sequence in session.result.sequences]
    share = sum(target is not None and int(target) == 0 for target in targets) / len(targets)
    assert panel.cards[0].texts()[1] == "acc. 1.00"
    assert panel.cards[1].texts()[1] == f"acc. {share:.2f}"


def test_the_limits_of_the_trace_check_are_the_engines() -> None:
    assert {str(dtype).removeprefix("torch."): limit for dtype, limit in TOLERANCES.items()} == RECOVERY_LIMITS


@pytest.mark.parametrize(
    ("dtype", "error", "words"),
    [
        ("float32", 2e-4, "trace check 2.0e−4, limit 1e−4 ✗"),
        ("float64", 3e-12, "trace check 3.0e−12, limit 1e−10 ✓"),
        ("float16", 3e-4, "trace check 3.0e−4"),
    ],
)
def test_the_trace_check_is_said_as_it_is(dtype: str, error: float, words: str) -> None:
    result = answer(small_setup())
    trace = replace(result.traces[0], provenance=Provenance(dtype=dtype, recovery_error=error))
    assert summarise(replace(result, traces=(trace, result.traces[1])), 0, None).check == words


def test_kinds_are_those_of_the_registry(panel: NetworksPanel) -> None:
    titles = [panel._kind.itemText(index) for index in range(panel._kind.count())]
    assert titles == [cell.title for cell in cells().values()]
    companions = [panel._companion.itemText(index) for index in range(panel._companion.count())]
    assert companions == ["None", *titles]


def test_typing_is_one_change_and_undo_restores_the_fields(
    qtbot: QtBot, panel: NetworksPanel, session: AnsweringSession
) -> None:
    setups: list[Setup] = []
    session.setup_changed.connect(setups.append)
    panel._units.setValue(1)
    panel._units.setValue(12)
    panel._units.setValue(128)
    assert setups == []
    qtbot.waitUntil(lambda: bool(setups), timeout=2000)
    assert [setup.network.hidden_size for setup in setups] == [128]
    assert session.undo_text == "Change the units"
    session.undo()
    assert session.setup.network.hidden_size == 5
    assert panel._units.value() == 5
    session.redo()
    assert panel._units.value() == 128


@pytest.mark.parametrize(
    ("edit", "what", "wanted"),
    [
        (lambda panel: panel._seed.setValue(7), "Change the seed", NetworkSpec(hidden_size=5, seed=7)),
        (lambda panel: panel._reroll.click(), "Change the seed", NetworkSpec(hidden_size=5, seed=1)),
        (lambda panel: panel._layers.setValue(2), "Change the layers", NetworkSpec(hidden_size=5, layers=2)),
        (lambda panel: panel._both.click(), "Change the directions", NetworkSpec(hidden_size=5, bidirectional=True)),
    ],
)
def test_every_field_arrives_in_the_setup(
    panel: NetworksPanel,
    session: AnsweringSession,
    edit: Callable[[NetworksPanel], None],
    what: str,
    wanted: NetworkSpec,
) -> None:
    before = session.setup.network
    edit(panel)
    panel._debounce.flush()
    assert session.setup.network == wanted
    assert session.undo_text == what
    session.undo()
    assert session.setup.network == before
    assert (panel._seed.value(), panel._layers.value(), panel._both.isChecked()) == (0, 1, False)


def test_return_does_not_wait(panel: NetworksPanel, session: AnsweringSession) -> None:
    panel._seed.setFocus()
    panel._seed.selectAll()
    QTest.keyClicks(panel._seed, "42")
    QTest.keyClick(panel._seed, Qt.Key.Key_Return)
    assert session.setup.network.seed == 42


def test_a_result_that_arrives_while_typing_does_not_overwrite_it(show: Show) -> None:
    session = Session(answer(small_setup()))
    panel = opened(show, session)
    session.change("Another sequence", item=1)
    panel._units.setValue(31)
    session.accept(answer(session.setup))
    assert panel._units.value() == 31
    panel._debounce.flush()
    assert (session.setup.network.hidden_size, session.setup.item) == (31, 1)


def test_changing_a_trained_network_makes_both_untrained_and_there_is_a_way_back(show: Show) -> None:
    session = AnsweringSession(trained())
    panel = opened(show, session)
    assert not panel._back.isVisible()
    panel._seed.setValue(3)
    panel._debounce.flush()
    assert session.setup.network == NetworkSpec(hidden_size=5, seed=3)
    assert wanted(session).companion == NetworkSpec("rnn")
    assert panel._back.isVisible()
    panel._back.click()
    assert (session.setup.network, session.setup.companion) == (trained().network, trained().companion)
    assert not panel._back.isVisible()


def test_there_is_no_way_back_on_other_sequences(show: Show) -> None:
    session = AnsweringSession(trained())
    panel = opened(show, session)
    session.change("Other data", data=symbol_set(seed=9), network=NetworkSpec(hidden_size=5))
    assert not panel._back.isVisible()
    session.undo()
    session.change("Another seed", network=NetworkSpec(hidden_size=5, seed=1))
    assert panel._back.isVisible()


def test_the_companion_can_be_taken_away_changed_and_matched(panel: NetworksPanel, session: AnsweringSession) -> None:
    panel._choose_companion(panel._companion.findText("None"))
    assert wanted(session) == replace(small_setup(session.setup.data), companion=None)
    assert [card.texts()[0] for card in panel.cards] == ["LSTM"]
    assert not panel._match.isEnabled()
    panel._choose_companion(panel._companion.findText("LSTM"))
    assert wanted(session).companion == NetworkSpec("lstm")
    panel._match.button(Match.PARAMETERS.value).click()
    assert wanted(session).match is Match.PARAMETERS
    for _ in range(3):
        session.undo()
    assert wanted(session).companion == NetworkSpec("rnn")
    assert [card.texts()[0] for card in panel.cards] == ["LSTM", "Vanilla RNN"]
    assert panel._companion.currentText() == "Vanilla RNN"
    assert panel._match.choice == Match.UNITS.value


def test_files_are_asked_for(panel: NetworksPanel) -> None:
    asked: list[bool] = []
    panel.checkpoint_requested.connect(asked.append)
    panel._open.click()
    panel._open_companion.click()
    assert asked == [False, True]


def test_what_is_unfolded_scrolls_into_view(panel: NetworksPanel) -> None:
    panel.resize(240, 200)
    assert not panel._companion.isVisible()
    head = panel._form.findChild(QToolButton)
    assert isinstance(head, QToolButton)
    head.click()
    bottom = panel._open.mapTo(panel, QPoint(0, panel._open.height())).y()
    assert 0 < bottom <= panel.height()
