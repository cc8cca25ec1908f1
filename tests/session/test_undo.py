"""Undo and redo: whatever changes a session, all of it comes back, and goes again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.conditions import Condition, StopWhen
from lstm_studio.session.session import Session
from lstm_studio.session.state import Branch, Match, Note, Recorded, Remarks, Second, Setup
from lstm_studio.session.wishes import LookingFor
from tests.session.test_session import make_data, make_result

SETUPS: Mapping[str, Mapping[str, Any]] = {
    "data": {"data": make_data(features=3, steps=9)},
    "item": {"item": 1},
    "scaling": {"scaling": Scaling.STANDARD},
    "piece_length": {"piece_length": 2, "item": 0},
    "events": {"events": ((1.0, 2.0), (3.0, 4.0))},
    "network": {"network": NetworkSpec("gru", 3, seed=5)},
    "companion": {"companion": NetworkSpec("rnn", 3)},
    "match": {"match": Match.PARAMETERS},
    "objective": {"objective": "hidden"},
    "memory": {"memory": True},
    "device": {"device": "cpu"},
    "dtype": {"dtype": "float64"},
    "branches": {"branches": (Branch("a", 1), Branch("b", 2))},
    "second": {"second": Second(item=2)},
    "recorded": {"recorded": Recorded("/runs/a", 3)},
}
REMARKS: Mapping[str, Mapping[str, Any]] = {
    "notes": {"notes": (Note(0, 2, "here"), Note(2, 4, "there"))},
    "pinned": {"pinned": MappingProxyType({"0:lstm.0": (1, 3)})},
    "stop": {"stop": StopWhen((Condition("lstm.0.forget_gate"),), on=True)},
    "similar": {"similar": LookingFor("0:lstm.0.cell_state", everywhere=True)},
}
assert SETUPS.keys() == {field.name for field in fields(Setup)}
assert REMARKS.keys() == {field.name for field in fields(Remarks)}


def change(changes: Mapping[str, Any]) -> Callable[[Session], None]:
    return lambda session: session.change("Change", **changes)


def remark(changes: Mapping[str, Any]) -> Callable[[Session], None]:
    return lambda session: session.remark("Remark", **changes)


def open_session(session: Session) -> None:
    setup = Setup(make_data(features=3, steps=4), companion=None, item=2)
    remarks = Remarks(notes=(Note(0, 0, "of the other"),))
    session.show_stored("Open", setup, make_result(setup), remarks=remarks, document=Path("other.lstmstudio"))


WAYS: Mapping[str, Callable[[Session], None]] = {
    **{name: change(changes) for name, changes in SETUPS.items()},
    **{name: remark(changes) for name, changes in REMARKS.items()},
    "mark": lambda session: session.mark("Mark a stretch", (0, 2)),
    "unmark": lambda session: session.mark("Unmark the stretch", None),
    "add an event": lambda session: session.add_event((1.0, 2.0)),
    "open data": lambda session: session.open_data(make_data(features=1, steps=3)),
    "open a session": open_session,
    "open a sample": lambda session: session.show_sample(make_result(Setup(make_data(steps=7), companion=None))),
}


def state_of(session: Session) -> tuple[object, ...]:
    """Return all that a change may change, and where one looks."""
    view = session.view
    return session.setup, session.result.setup, session.remarks, session.document, view.stretch, view.cursor


def make_session() -> Session:
    setup = Setup(make_data(), companion=None)
    remarks = Remarks(notes=(Note(0, 1, "before"),), pinned=MappingProxyType({"0:lstm.0": (0,)}))
    session = Session(make_result(setup), remarks=remarks)
    session.setup_changed.connect(lambda wanted: session.accept(make_result(wanted)))
    session.name(Path("mine.lstmstudio"))
    session.look(stretch=(1, 4), cursor=2)
    return session


@pytest.mark.parametrize("name", WAYS)
def test_every_change_can_be_taken_back_and_done_again(name: str) -> None:
    session = make_session()
    before = state_of(session)
    WAYS[name](session)
    after = state_of(session)
    assert after != before
    for _ in range(2):
        session.undo()
        assert state_of(session) == before
        assert session.undo_text is None
        session.redo()
        assert state_of(session) == after
        assert session.redo_text is None


def test_many_changes_are_taken_back_one_by_one_and_done_again() -> None:
    session = make_session()
    # What comes from a recorded step is another kind of thing: the changes after it would first leave it.
    names = [name for name in WAYS if name not in {"recorded", "data", "add an event", "events"}]
    seen = [state_of(session)]
    for name in names:
        WAYS[name](session)
        if state_of(session) != seen[-1]:
            seen.append(state_of(session))
    assert len(seen) > len(names) - 3
    for state in reversed(seen[:-1]):
        session.undo()
        assert state_of(session) == state
    for state in seen[1:]:
        session.redo()
        assert state_of(session) == state


def test_undo_leads_back_to_the_step_from_which_another_sequence_was_gone_to() -> None:
    session = make_session()
    session.change("Show sequence 2", item=1)
    assert session.view.cursor == 4, "another sequence is shown whole"
    session.look(cursor=3, stretch=(2, 4))
    session.undo()
    assert (session.setup.item, session.view.cursor, session.view.stretch) == (0, 2, (1, 4))
    session.move_cursor(0)
    session.redo()
    assert (session.setup.item, session.view.cursor, session.view.stretch) == (1, 3, (2, 4))
    session.undo()
    assert session.view.cursor == 0, "the step that was left last"


def test_undo_leaves_the_cursor_where_the_change_had_not_moved_it() -> None:
    session = make_session()
    session.change("Change the scaling", scaling=Scaling.STANDARD)
    session.move_cursor(4)
    session.undo()
    assert session.view.cursor == 4
    session.redo()
    assert session.view.cursor == 4


def test_undo_of_an_added_event_leads_back_to_the_step_before_it_was_added() -> None:
    session = make_session()
    session.add_event((1.0, 2.0))
    assert session.view.cursor == 5
    session.undo()
    assert session.view.cursor == 2
    session.redo()
    assert session.view.cursor == 5
    session.move_cursor(1)
    session.undo()
    assert session.view.cursor == 1, "whoever has looked elsewhere since stays there"


def test_undo_of_going_to_a_stretch_comes_back_and_that_of_marking_one_stays() -> None:
    session = make_session()
    session.mark("Go to", (0, 2), merge=True, cursor=1)
    session.mark("Go to", (3, 5), merge=True, cursor=4)
    session.undo()
    assert (session.view.stretch, session.view.cursor) == ((1, 4), 2), "one undo for both"
    session.redo()
    assert (session.view.stretch, session.view.cursor) == ((3, 5), 4)
    session.mark("Mark a stretch", (2, 3))
    session.move_cursor(0)
    session.undo()
    assert (session.view.stretch, session.view.cursor) == ((3, 5), 0)


def test_a_refused_change_leaves_the_cursor_and_the_history() -> None:
    session = Session(make_result(Setup(make_data(), companion=None)))
    session.look(cursor=2)
    session.change("Show sequence 2", item=1)
    session.withdraw()
    assert session.view.cursor == 2
    assert session.undo_text is None
    assert replace(session.setup, item=0) == session.setup
