"""The session: what changes, what is told, what can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.errors import NetworkError
from lstm_studio.networks import signals
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.sequences.sequence import Scaling, Sequence, SequenceSet
from lstm_studio.session.session import UNDO_DEPTH, Session, groups_of
from lstm_studio.session.state import Match, Result, Setup, Verdicts, View
from lstm_studio.session.wishes import LookingFor, Wish

UNITS = 4


def make_data(features: int = 2, steps: int = 5, count: int = 3) -> SequenceSet:
    names = tuple(f"x{index}" for index in range(features))
    return SequenceSet(
        tuple(Sequence(np.full((steps, features), index, np.float32), names) for index in range(count)),
        title=f"{features} features",
    )


def make_info(kind: str = "lstm", input_size: int = 2, fingerprint: str = "a") -> NetworkInfo:
    return NetworkInfo(kind, kind.upper(), input_size, UNITS, 1, False, 100, 2, "seed 0", fingerprint)


def make_result(setup: Setup) -> Result:
    """What a worker would answer, with invented states."""
    sequence = setup.data[setup.item]
    if setup.events:
        added = np.array(setup.events, np.float32)
        sequence = replace(sequence, values=np.concatenate([sequence.values, added]), raw=None)
    trace = Trace(
        {"input": sequence.values, "lstm.0.hidden_state": np.zeros((len(sequence), UNITS), np.float32)},
        (TraceLayer("lstm.0", "lstm", "LSTM", UNITS, (signals.HIDDEN_STATE,)),),
    )
    return Result(setup, setup.data, sequence, (make_info(input_size=sequence.features),), (trace,))


def scaling_of(session: Session) -> Scaling:
    """Return the wanted scaling; asked for by a call, so that the type checker expects it to change."""
    return session.setup.scaling


def document_of(session: Session) -> Path | None:
    """Return where it is saved; asked for likewise."""
    return session.document


@pytest.fixture
def session() -> Session:
    """A session on three short sequences that answers nothing by itself."""
    return Session(make_result(Setup(make_data(), companion=None)))


def answering(session: Session) -> Session:
    """Answer every setup at once, as a very fast worker would."""
    session.setup_changed.connect(lambda setup: session.accept(make_result(setup)))
    return session


def test_a_change_is_wanted_until_its_result_arrives(session: Session) -> None:
    wanted: list[Setup] = []
    session.setup_changed.connect(wanted.append)
    session.change("Choose a sequence", item=2)
    assert [setup.item for setup in wanted] == [2]
    assert session.waiting
    assert session.result.setup.item == 0, "the old result stays on the screen"
    assert session.accept(make_result(session.setup))
    assert session.result.setup is session.setup
    assert session.result.sequence.values[0, 0] == 2


def test_only_the_newest_setup_is_answered(session: Session) -> None:
    session.change("Choose a sequence", item=1)
    stale = make_result(session.setup)
    session.change("Choose a sequence", item=2)
    assert not session.accept(stale)
    assert session.result.setup.item == 0
    assert session.accept(make_result(session.setup))
    assert session.result.setup.item == 2


def test_a_change_to_the_same_value_is_no_change(session: Session) -> None:
    session.change("Choose a sequence", item=0)
    assert session.undo_text is None
    assert not session.waiting


def test_undo_and_redo_walk_the_setups(session: Session) -> None:
    answering(session)
    session.change("Scale", scaling=Scaling.STANDARD)
    session.change("Change the seed", network=NetworkSpec(seed=7))
    assert session.undo_text == "Change the seed"
    session.undo()
    assert session.setup.network.seed == 0
    assert scaling_of(session) is Scaling.STANDARD
    assert session.redo_text == "Change the seed"
    session.undo()
    assert scaling_of(session) is Scaling.NONE
    session.undo()
    assert scaling_of(session) is Scaling.NONE, "there is nothing left to undo"
    session.redo()
    session.redo()
    assert session.setup.network.seed == 7
    assert session.result.setup is session.setup


def test_a_new_change_forgets_what_was_undone(session: Session) -> None:
    answering(session)
    session.change("Scale", scaling=Scaling.STANDARD)
    session.undo()
    session.change("Match", match=Match.PARAMETERS)
    assert session.redo_text is None


def test_history_is_bounded(session: Session) -> None:
    answering(session)
    for seed in range(1, UNDO_DEPTH + 20):
        session.change("Change the seed", network=NetworkSpec(seed=seed))
    undone = 0
    while session.undo_text is not None:
        session.undo()
        undone += 1
    assert undone == UNDO_DEPTH


def test_history_keeps_no_more_sequences_than_there_is_room_for(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(session)
    first = session.setup.data
    made = [make_data(count=4) for _ in range(4)]
    assert made[0].nbytes == 4 * 5 * 2 * 4
    monkeypatch.setattr("lstm_studio.session.session.UNDO_BYTES", 2 * made[0].nbytes)
    for data in made:
        session.open_data(data)
        session.change("Change the seed", network=NetworkSpec(seed=len(session.setup.data)))
        session.change("Change the seed", network=NetworkSpec(seed=len(session.setup.data) + 1))
    assert [session.can_return_to(data) for data in (first, *made)] == [False, False, True, True, True]
    back = []
    while session.undo_text is not None:
        session.undo()
        back.append(session.setup.data)
    assert back[-1] is made[1]
    assert session.can_return_to(made[3])


def test_a_setup_that_fails_is_taken_back(session: Session) -> None:
    answering_from_now: list[NetworkError] = []
    session.failed.connect(answering_from_now.append)
    good = session.setup
    session.change("Open bad.pt", network=NetworkSpec(checkpoint="bad.pt"))
    session.change("Choose a sequence", item=1)
    error = NetworkError("bad.pt is not a checkpoint.", "Choose another file.")
    session.reject(session.setup, error)
    assert answering_from_now == [error]
    assert session.setup is good
    assert not session.waiting
    assert session.undo_text is None, "neither of the two changes ever showed a result"


def test_the_failure_of_a_stale_setup_is_told_but_takes_nothing_back(session: Session) -> None:
    session.change("Open bad.pt", network=NetworkSpec(checkpoint="bad.pt"))
    stale = session.setup
    session.change("Change the seed", network=NetworkSpec(seed=1))
    session.reject(stale, NetworkError("bad.pt is not a checkpoint."))
    assert session.setup.network.seed == 1
    assert session.waiting


def test_choosing_another_sequence_drops_added_events(session: Session) -> None:
    answering(session)
    session.add_event((1.0, 2.0))
    assert session.steps == 6
    session.change("Choose a sequence", item=1)
    assert session.setup.events == ()
    session.undo()
    assert session.steps == 6


def test_an_added_event_is_stepped_to(session: Session) -> None:
    answering(session)
    session.move_cursor(1)
    session.add_event((1.0, 2.0))
    assert session.view.cursor == 5
    np.testing.assert_array_equal(session.result.sequence.values[-1], [1.0, 2.0])
    session.remove_event()
    assert session.steps == 5
    assert session.view.cursor == 4


@pytest.mark.parametrize("changes", [{"data": make_data(features=3)}, {"item": 1}, {"piece_length": 2}])
def test_no_event_is_added_to_a_sequence_that_is_not_shown_yet(session: Session, changes: dict[str, object]) -> None:
    told: list[str] = []
    session.noticed.connect(told.append)
    session.change("Show another sequence", **changes)
    session.add_event((1.0, 2.0))
    assert session.setup.events == ()
    assert told == ["No event was added: another sequence is on its way. Add it when that is shown."]
    assert session.undo_text == "Show another sequence"


def test_several_events_are_added_faster_than_they_are_computed(session: Session) -> None:
    session.add_event((1.0, 2.0))
    session.change("Change the seed", network=NetworkSpec(seed=1))
    session.add_event((3.0, 4.0))
    assert session.setup.events == ((1.0, 2.0), (3.0, 4.0))


def test_an_event_of_the_wrong_size_is_a_bug(session: Session) -> None:
    with pytest.raises(ValueError, match="2 values, not 3"):
        session.add_event((1.0, 2.0, 3.0))


def test_the_cursor_stays_inside_and_survives_a_recomputation(session: Session) -> None:
    answering(session)
    session.move_cursor(99)
    assert session.view.cursor == 4
    session.move_cursor(-1)
    assert session.view.cursor == 0
    session.move_cursor(3)
    session.change("Change the seed", network=NetworkSpec(seed=1))
    assert session.view.cursor == 3
    session.change("Choose a sequence", item=1)
    assert session.view.cursor == 4, "another sequence is shown whole"


def test_the_view_tells_what_it_was(session: Session) -> None:
    told: list[tuple[int, int]] = []
    session.view_changed.connect(lambda after, before: told.append((after.cursor, before.cursor)))
    session.move_cursor(2)
    session.move_cursor(2)
    session.move_cursor(3)
    assert told == [(2, 4), (3, 2)]


def test_the_selected_unit_is_clipped_and_forgotten_with_its_layer(session: Session) -> None:
    answering(session)
    (group,) = groups_of(session.result)
    assert group == "0:lstm.0"
    session.select_unit(group, 99)
    assert session.view.units[group] == UNITS - 1
    other = Trace(
        {"input": session.result.sequence.values},
        (TraceLayer("rnn.0", "rnn", "Vanilla RNN", 2, (signals.RECURRENT_STATE,)),),
    )
    setup = replace(session.setup, network=NetworkSpec("rnn"))
    session.show_sample(replace(session.result, setup=setup, traces=(other,)))
    assert group not in session.view.units


def test_opening_other_features_replaces_trained_networks_and_says_so() -> None:
    trained = NetworkSpec(seed=3, checkpoint="lstm.safetensors")
    session = answering(Session(make_result(Setup(make_data(), network=trained, companion=None))))
    notes: list[str] = []
    session.noticed.connect(notes.append)
    session.open_data(make_data(features=6))
    assert session.setup.network == NetworkSpec("lstm", UNITS, 1, False, 3)
    assert "2 features" in notes[0]
    assert "6" in notes[0]
    session.undo()
    assert session.setup.network == trained


def test_opening_the_same_features_keeps_trained_networks() -> None:
    trained = NetworkSpec(seed=3, checkpoint="lstm.safetensors")
    session = answering(Session(make_result(Setup(make_data(), network=trained, companion=None))))
    session.open_data(make_data(steps=9))
    assert session.setup.network == trained
    assert session.steps == 9


def test_suggested_scaling_is_for_networks_that_nobody_trained() -> None:
    session = answering(Session(make_result(Setup(make_data(), companion=None))))
    notes: list[str] = []
    session.noticed.connect(notes.append)
    session.open_data(make_data(steps=9), scaling=Scaling.STANDARD)
    assert scaling_of(session) is Scaling.STANDARD
    assert "scaled (standard)" in notes[0]
    session.open_checkpoint("lstm.safetensors")
    session.open_data(make_data(steps=8), scaling=Scaling.STANDARD)
    assert scaling_of(session) is Scaling.NONE


def test_verdicts_are_kept_only_for_what_is_on_the_screen(session: Session) -> None:
    answering(session)
    told: list[Verdicts] = []
    session.verdicts_replaced.connect(told.append)
    verdicts = Verdicts(session.result.sequences, ("a",), ((0, 1, 0),))
    session.accept_verdicts(replace(verdicts, networks=("other",)))
    assert told == []
    session.accept_verdicts(verdicts)
    assert told == [verdicts]
    session.change("Choose a sequence", item=1)
    assert session.verdicts is verdicts, "another sequence of the same set"
    session.open_data(make_data(features=3))
    assert session.verdicts is None


def test_a_view_with_another_unit_leaves_the_first_untouched() -> None:
    view = View()
    assert view.with_unit("0:lstm.0", 3).units == {"0:lstm.0": 3}
    assert view.units == {}


def marked(session: Session) -> tuple[int, int] | None:
    """Return the marked stretch; a call, so that a type checker does not take it for unchanged."""
    return session.view.marked


def test_a_marked_stretch_stays_with_its_sequence_and_an_open_one_reaches_to_the_cursor(session: Session) -> None:
    answering(session)
    session.look(stretch=(1, 4), cursor=2)
    session.change("Another objective", objective="hidden:1:0")
    assert marked(session) == (1, 4)
    session.look(mark=3, cursor=1)
    assert marked(session) == (1, 4)
    session.move_cursor(4)
    assert marked(session) == (3, 5)
    session.look(mark=None)
    assert marked(session) == (1, 4)
    session.look(mark=2)
    session.change("Choose a sequence", item=1)
    assert marked(session) is None


def test_a_stretch_that_reaches_beyond_a_removed_event_is_dropped(session: Session) -> None:
    answering(session)
    session.add_event((0.0, 0.0))
    session.look(stretch=(2, 6), mark=5)
    session.remove_event()
    assert session.view.stretch is None
    assert session.view.mark == 4


def test_what_is_marked_can_be_undone_step_by_step_and_done_again(session: Session) -> None:
    told: list[tuple[tuple[int, int] | None, str | None]] = []
    session.history_changed.connect(lambda: told.append((session.view.stretch, session.undo_text)))
    session.mark("Mark a stretch", (1, 3))
    session.mark("Mark a stretch", (1, 3))
    session.mark("Move its end", (1, 4), merge=True)
    session.mark("Move its end", (1, 5), merge=True)
    session.mark("Unmark the stretch", None)
    assert told == [
        ((1, 3), "Mark a stretch"),
        ((1, 4), "Move its end"),
        ((1, 5), "Move its end"),
        (None, "Unmark the stretch"),
    ]
    found = []
    for travel in (session.undo,) * 4 + (session.redo,) * 4:
        travel()
        found.append(marked(session))
    assert found == [(1, 5), (1, 3), None, None, (1, 3), (1, 5), None, None]
    session.undo()
    session.mark("Mark a stretch", (0, 1))
    assert session.redo_text is None


def test_a_stretch_that_was_begun_ends_where_it_is_marked(session: Session) -> None:
    session.look(mark=1, cursor=3)
    session.mark("Mark a stretch", marked(session))
    assert (session.view.stretch, session.view.mark) == ((1, 4), None)
    session.look(mark=2)
    session.mark("Mark a stretch", (1, 4))
    assert (session.view.stretch, session.view.mark) == ((1, 4), None)


def test_undo_brings_a_sequence_back_with_its_stretch(session: Session) -> None:
    answering(session)
    session.mark("Mark a stretch", (1, 4))
    session.change("Choose a sequence", item=1)
    assert marked(session) is None
    session.look(stretch=(2, 3))
    session.undo()
    assert (session.result.setup.item, marked(session)) == (0, (1, 4))
    session.redo()
    assert (session.result.setup.item, marked(session)) == (1, (2, 3))
    session.undo()
    session.undo()
    assert (session.result.setup.item, marked(session)) == (0, None)


def test_a_change_that_is_given_up_gives_the_stretch_back(session: Session) -> None:
    session.mark("Mark a stretch", (1, 4))
    session.change("Choose a sequence", item=1)
    session.mark("Mark a stretch", (0, 1))
    session.reject(session.setup, NetworkError("No.", "Do."))
    assert marked(session) == (1, 4)
    assert session.undo_text == "Mark a stretch"


def test_another_source_begins_a_session_without_a_name(session: Session) -> None:
    """To save it in the place of the one before would lose that one."""
    answering(session)
    mine = Path("mine.lstmstudio")
    session.name(mine)
    session.change("Read the file in another way", data=make_data(features=3))
    assert document_of(session) == mine, "the same source"
    other = replace(make_data(), source="other.csv")
    session.change("Open other.csv", data=other)
    assert document_of(session) is None
    session.undo()
    assert document_of(session) == mine
    session.redo()
    assert document_of(session) is None


def test_remarks_of_one_name_can_be_taken_back_at_once(session: Session) -> None:
    session.remark_on("Choose units", similar=LookingFor("a"))
    session.remark_on("Choose units", similar=LookingFor("b"))
    session.remark_on("Search elsewhere", similar=LookingFor("b", everywhere=True))
    session.undo()
    assert session.remarks.similar == LookingFor("b")
    session.undo()
    assert session.remarks.similar == LookingFor()
    session.redo()
    assert session.remarks.similar == LookingFor("b")


def test_units_that_were_chosen_are_forgotten_with_their_sequences_and_come_back_with_them(session: Session) -> None:
    answering(session)
    chosen = LookingFor("a", wishes={"a": Wish(0.5, on=(1,))})
    session.remark("Choose units", similar=chosen)
    session.change("Choose a sequence", item=1)
    assert session.remarks.similar == chosen
    session.open_data(make_data(features=3))
    assert session.remarks.similar == LookingFor("a", wishes={"a": Wish(0.5)})
    session.undo()
    assert session.remarks.similar == chosen
    session.show_sample(make_result(Setup(make_data(), companion=None)))
    assert session.remarks.similar == LookingFor("a", wishes={"a": Wish(0.5)})
