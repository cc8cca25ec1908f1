"""Stepping by phases: forward and back across steps, as many as the cell declares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lstm_studio.engine.trace import TraceLayer
from lstm_studio.networks.cells import cells
from lstm_studio.networks.network import new_network
from lstm_studio.networks.signals import Phase
from lstm_studio.session.phases import phases_of, shown_phase
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, View
from tests.session.test_session import make_data, make_result

STEPS = 5
DECLARED = {
    "lstm": [1, 2, 3, 4],
    "lstm-article": [1, 2, 3, 4],
    "gru": [1, 2, 3],
    "lstm-1997": [2, 3, 4],
    "rnn": [],
    "tdnn": [],
    "feedforward": [],
}


def result_of(kind: str) -> Result:
    """What a worker would answer for a cell of a kind, as far as its signals go."""
    network = new_network(kind, 2, 4)
    result = make_result(Setup(make_data(steps=STEPS), companion=None))
    layer = TraceLayer(f"{kind}.0", kind, kind, 4, network.cell.signals(network.recurrent))
    return replace(result, traces=(replace(result.traces[0], layers=(layer,)),))


def place(session: Session) -> tuple[int, int]:
    phase = shown_phase(session.result, session.view)
    return session.view.cursor, 0 if phase is None else int(phase)


@pytest.mark.parametrize("kind", list(cells()))
def test_a_cell_has_the_phases_that_its_signals_declare(kind: str) -> None:
    assert list(phases_of(result_of(kind))) == DECLARED[kind]


@pytest.mark.parametrize("kind", [kind for kind, phases in DECLARED.items() if phases])
def test_next_and_previous_go_through_every_phase_of_every_step(kind: str) -> None:
    session = Session(result_of(kind), View(cursor=0))
    session.show_phases(True)
    wanted = [(step, phase) for step in range(STEPS) for phase in DECLARED[kind]]
    seen = [place(session)]
    for _ in wanted:
        session.step(1)
        seen.append(place(session))
    assert seen == [*wanted, wanted[-1]], "at the end it stays"
    back = []
    for _ in wanted:
        back.append(place(session))
        session.step(-1)
    assert back == wanted[::-1]
    assert place(session) == wanted[0], "so it does at the beginning"


def test_whole_steps_are_taken_by_a_cell_without_phases_and_in_whole_step_mode() -> None:
    for session in (Session(result_of("rnn"), View(cursor=1, four_phases=True)), Session(result_of("lstm"))):
        session.move_cursor(1)
        session.step(1)
        session.step(1)
        assert place(session) == (3, 0)
        session.step(-10)
        assert place(session) == (0, 0)


def test_turning_phases_on_begins_with_the_first_and_off_keeps_the_step() -> None:
    session = Session(result_of("lstm"), View(cursor=2, phase=Phase.USE))
    session.show_phases(True)
    assert place(session) == (2, 1)
    session.step(5)
    assert place(session) == (3, 2)
    session.show_phases(True)
    assert place(session) == (3, 2), "it is on already"
    session.show_phases(False)
    assert place(session) == (3, 0)


def test_jumping_keeps_the_phase() -> None:
    session = Session(result_of("lstm"), View(cursor=0))
    session.show_phases(True)
    session.step(2)
    session.move_cursor(4)
    assert place(session) == (4, 3)


@pytest.mark.parametrize(("wanted", "shown"), [(Phase.FORGET, 2), (Phase.LEARN, 2), (Phase.USE, 4)])
def test_a_cell_without_the_phase_shows_the_next(wanted: Phase, shown: int) -> None:
    assert shown_phase(result_of("lstm-1997"), View(four_phases=True, phase=wanted)) == shown


def test_a_cell_without_the_last_phase_shows_its_last() -> None:
    assert shown_phase(result_of("gru"), View(four_phases=True, phase=Phase.USE)) == Phase.REMEMBER
