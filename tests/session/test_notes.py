"""Notes pinned to steps: they keep their order, and stay at their events when sequences are cut anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.errors import NetworkError
from lstm_studio.sequences.pieces import split
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.notes import notes_in, notes_of, recut, short, sorted_notes, with_note, with_text
from lstm_studio.session.session import Session
from lstm_studio.session.state import Note, Setup
from tests.session.test_session import make_data, make_result

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=5)
PIECE = st.none() | st.integers(1, 50)


def test_notes_stand_in_the_order_of_sequences_and_steps() -> None:
    first, second, other = Note(0, 3, "a"), Note(0, 3, "b"), Note(1, 0, "c")
    assert with_note((first, other), second) == (first, second, other)
    assert notes_of((first, second, other), 0) == (first, second)


def test_a_note_without_words_is_no_note() -> None:
    notes = (Note(0, 1, "a"),)
    assert with_note(notes, Note(0, 2, " \n ")) == notes
    assert with_text(notes, 0, "  ") == ()
    assert with_text(notes, 0, " b ") == (Note(0, 1, "b"),)


def test_the_first_line_is_what_a_menu_shows() -> None:
    assert short(Note(0, 0, "here\nand there")) == "here"
    assert len(short(Note(0, 0, "x" * 100))) == 40


@given(LENGTHS, PIECE, PIECE, st.data())
def test_a_note_stays_at_its_event_when_sequences_are_cut_anew(
    lengths: list[int], before: int | None, after: int | None, data: st.DataObject
) -> None:
    # Each event has a number of its own, so that it is known again in whatever piece it lands.
    whole = make_data(1, 1, len(lengths))
    place = 0
    numbered = []
    for sequence, steps in zip(whole, lengths, strict=True):
        values = [[place + step] for step in range(steps)]
        numbered.append(type(sequence)(np.array(values, np.float32), sequence.names))
        place += steps
    made = type(whole)(tuple(numbered))
    old = made if before is None else split(made, before)
    new = made if after is None else split(made, after)
    item = data.draw(st.integers(0, len(old) - 1))
    step = data.draw(st.integers(0, len(old[item]) - 1))
    (moved,) = recut([Note(item, step, "x")], lengths, before, after)
    assert new[moved.item].values[moved.step, 0] == old[item].values[step, 0]


def texts(session: Session) -> list[str]:
    """Return what the notes say; asked for by a call, so that the type checker expects it to change."""
    return [note.text for note in session.remarks.notes]


def make_session(piece_length: int | None = None) -> Session:
    session = Session(make_result(Setup(make_data(), companion=None, piece_length=piece_length)))
    session.setup_changed.connect(lambda setup: session.accept(make_result(setup)))
    return session


def test_other_data_have_no_notes_until_the_change_is_undone() -> None:
    session = make_session()
    note = Note(1, 2, "here")
    session.remark("Add a note", notes=(note,))
    session.open_data(make_data(features=3))
    assert texts(session) == []
    session.undo()
    assert texts(session) == ["here"]
    assert len(session.setup.data.names) == 2
    session.redo()
    assert texts(session) == []


def test_another_sequence_network_or_scaling_leaves_the_notes() -> None:
    session = make_session()
    session.remark("Add a note", notes=(Note(0, 2, "here"),))
    session.change("Choose a sequence", item=1)
    session.change("Scale", scaling=Scaling.STANDARD)
    assert session.remarks.notes == (Note(0, 2, "here"),)
    session.change("Cut", piece_length=2)
    assert session.remarks.notes == (Note(1, 0, "here"),)


def test_a_note_on_an_event_that_is_taken_away_goes_to_the_last_step_until_that_is_undone() -> None:
    session = make_session()
    steps = session.steps
    session.add_event((1.0, 2.0))
    session.remark("Add a note", notes=(Note(0, steps, "on the added one"), Note(1, 1, "elsewhere")))
    session.remove_event()
    assert session.remarks.notes == (Note(0, steps - 1, "on the added one"), Note(1, 1, "elsewhere"))
    session.undo()
    assert session.remarks.notes[0].step == steps
    session.change("Choose a sequence", item=1)
    assert session.setup.events == ()
    assert session.remarks.notes[0].step == steps - 1, "another sequence takes the event away, too"
    session.undo()
    session.add_event((3.0, 4.0))
    assert session.remarks.notes[0].step == steps, "a further event leaves it where it is"


@pytest.mark.parametrize(("piece", "item", "last"), [(None, 0, 4), (2, 1, 1), (2, 2, 0), (2, 3, 1), (3, 1, 1)])
def test_the_last_step_is_that_of_the_piece(piece: int | None, item: int, last: int) -> None:
    # Two sequences of five steps: in pieces of two, the third and the sixth have one step.
    setup = Setup(make_data(), companion=None, piece_length=piece)
    assert [len(sequence) for sequence in setup.data][:2] == [5, 5]
    (left,) = notes_in((Note(item, 40, "x"),), setup, replace(setup, item=0))
    assert left == Note(item, last, "x")


def test_a_change_that_fails_leaves_notes_and_their_history() -> None:
    session = Session(make_result(Setup(make_data(), companion=None)))
    first, second = Note(0, 0, "a"), Note(0, 1, "b")
    session.remark("Add a note", notes=(first,))
    session.remark("Add a note", notes=(first, second))
    session.open_data(make_data(features=3))
    assert texts(session) == []
    session.reject(session.setup, NetworkError("no"))
    assert texts(session) == ["a", "b"]
    session.undo()
    assert texts(session) == ["a"]
    session.redo()
    assert texts(session) == ["a", "b"]


def test_an_undo_that_fails_leaves_everything_as_it_was() -> None:
    session = make_session()
    session.remark("Add a note", notes=(Note(0, 0, "a"),))
    session.setup_changed.disconnect()
    session.open_data(make_data(features=3))
    assert session.accept(make_result(session.setup))
    session.undo()
    assert texts(session) == ["a"]
    session.reject(session.setup, NetworkError("the file is gone"))
    assert texts(session) == []
    assert session.redo_text is None
    assert len(session.setup.data.names) == 3


def test_sorting_keeps_the_order_of_notes_on_one_step() -> None:
    notes = (Note(1, 0, "z"), Note(0, 5, "b"), Note(0, 5, "a"))
    assert [note.text for note in sorted_notes(notes)] == ["b", "a", "z"]
