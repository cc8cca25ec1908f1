"""What-ifs: what the engine is asked, what is computed again and what is not, names, and what is dropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lstm_studio as ls
from lstm_studio.engine import interventions, tracing
from lstm_studio.errors import SequenceError, TraceError
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.scaling import offsets_and_factors
from lstm_studio.sequences.sequence import Encoding, Scaling, Sequence, SequenceSet
from lstm_studio.session.branch_gradients import BranchGradients, missing_gradients
from lstm_studio.session.branch_words import default_name, outcome_of, second_title, sentence_of, spans, title_of
from lstm_studio.session.branches import can_hold, fits, unique_name
from lstm_studio.session.compute import Computer
from lstm_studio.session.session import Session
from lstm_studio.session.state import Branch, Comparison, Result, Second, Setup, branch_key

FORGET = Branch("f", 5, clamp=(("lstm.0.forget_gate", ((3, 1.0),)),))
OFF = Branch("off", 0, ablate=(("lstm.0", (1, 2)),))
EVENT = Branch("e", 7, events=((7, ((1, 25.0),)),))


def numbers(count: int = 2, steps: int = 20) -> SequenceSet:
    rng = np.random.default_rng(1)
    made = (rng.normal(20, 4, size=(steps + 3 * index, 2)).astype(np.float32) for index in range(count))
    return SequenceSet(tuple(Sequence(values, ("a", "b")) for values in made), title="walk")


def symbols() -> SequenceSet:
    values = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 2, 1, 0, 1]]
    return SequenceSet((Sequence(values, ("E", "B", "X", "Y"), encoding=Encoding.ONE_HOT),))


def setup_of(data: SequenceSet | None = None, **changes: Any) -> Setup:
    network = NetworkSpec("lstm", hidden_size=6, seed=2)
    return replace(Setup(data or numbers(), network=network, scaling=Scaling.STANDARD), **changes)


def compute(setup: Setup, computer: Computer | None = None) -> Result:
    return (computer or Computer()).compute(setup, ignore_progress)


class Counter:
    """Counts calls, and passes them on."""

    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.function(*args, **kwargs)


def test_networks_are_kept_for_the_next_setup_as_many_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    computer, data = Computer(), numbers()

    def network_of(seed: int) -> object:
        spec = NetworkSpec("lstm", 6, seed=seed)
        return computer.networks_of(compute(setup_of(data, network=spec, companion=None), computer))[0]

    first = network_of(0)
    assert network_of(0) is first
    for seed in range(1, 5):
        network_of(seed)
    assert network_of(0) is first
    # What was used last is kept the longest.
    monkeypatch.setattr("lstm_studio.session.compute._MOST_WEIGHTS", 0)
    fifth = network_of(5)
    assert network_of(0) is first
    network_of(6)
    network_of(7)
    assert network_of(0) is first
    assert network_of(5) is not fifth


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Counter, Counter]:
    """Count what is traced and what is resumed."""
    traced, resumed = Counter(tracing.trace), Counter(interventions.resume)
    monkeypatch.setattr(tracing, "trace", traced)
    monkeypatch.setattr(interventions, "resume", resumed)
    return traced, resumed


def test_what_is_held_reaches_its_network_as_in_the_library_and_no_other() -> None:
    result = compute(setup_of(branches=(FORGET, OFF)))
    held = ls.resume(result.traces[0], at=5, clamp={"lstm.0.forget_gate": {3: 1.0}})
    off = ls.resume(result.traces[0], at=0, ablate={"lstm.0": [1, 2]})
    for traces, expected in zip(result.branches, (held, off), strict=True):
        assert traces[0].names == expected.names
        for name in expected.names:
            np.testing.assert_array_equal(traces[0][name], expected[name])
        assert traces[1] is result.traces[1]
    assert (result.branches[1][0]["lstm.0.cell_state"][:, 1:3] == 0).all()


def test_a_companion_can_be_held_too() -> None:
    branch = Branch("r", 4, until=6, clamp=(("rnn.0.hidden_state", ((0, 0.5),)),), network=1)
    result = compute(setup_of(branches=(branch,)))
    expected = ls.resume(result.traces[1], at=4, until=6, clamp={"rnn.0.hidden_state": {0: 0.5}})
    assert result.branches[0][0] is result.traces[0]
    np.testing.assert_array_equal(result.branches[0][1]["rnn.0.hidden_state"], expected["rnn.0.hidden_state"])


def test_a_changed_event_is_scaled_as_the_rest_and_reaches_both_networks() -> None:
    setup = setup_of(branches=(EVENT,))
    result = compute(setup)
    offsets, factors = offsets_and_factors(setup.data, Scaling.STANDARD)
    wanted = np.float32((25.0 - offsets[1]) / factors[1])
    for trace, recorded in zip(result.branches[0], result.traces, strict=True):
        assert trace["input"][7, 1] == wanted
        assert trace["input"][7, 0] == recorded["input"][7, 0]
        expected = ls.resume(recorded, at=7, events={7: {1: float(wanted)}})
        hidden = f"{recorded.layers[0].prefix}.hidden_state"
        np.testing.assert_array_equal(trace[hidden], expected[hidden])
        assert not np.array_equal(trace[hidden][8], recorded[hidden][8])


def test_a_network_that_reads_both_ways_is_traced_anew_for_a_changed_event_and_holds_nothing() -> None:
    spec = NetworkSpec("lstm", hidden_size=4, bidirectional=True)
    setup = setup_of(network=spec, companion=None, branches=(EVENT,))
    computer = Computer()
    result = compute(setup, computer)
    values = result.sequence.values.copy()
    values[7] = result.branches[0][0]["input"][7]
    again = ls.trace(computer.networks_of(result)[0], values, gradients=False)
    np.testing.assert_array_equal(
        result.branches[0][0]["lstm.0.reverse.cell_state"], again["lstm.0.reverse.cell_state"]
    )
    assert "input[7]" in result.branches[0][0].provenance.intervention
    assert not can_hold(result, 0)
    with pytest.raises(TraceError, match="backwards"):
        compute(replace(setup, branches=(replace(FORGET, clamp=(("lstm.0.forget_gate", ((1, 1.0),)),)),)), computer)


def test_another_branch_costs_its_own_trace_and_no_other(counted: tuple[Counter, Counter]) -> None:
    traced, resumed = counted
    computer, setup = Computer(), setup_of()
    first = compute(setup, computer)
    assert (traced.calls, resumed.calls) == (2, 0)
    second = compute(replace(setup, branches=(FORGET,)), computer)
    assert second.traces == first.traces
    assert (traced.calls, resumed.calls) == (2, 1)
    both = compute(replace(setup, branches=(FORGET, OFF)), computer)
    assert both.branches[0][0] is second.branches[0][0]
    assert (traced.calls, resumed.calls) == (2, 2)
    # Removed, brought back and renamed: known already.
    compute(setup, computer)
    renamed = compute(replace(setup, branches=(replace(FORGET, name="held"),)), computer)
    assert renamed.branches[0][0] is second.branches[0][0]
    assert (traced.calls, resumed.calls) == (2, 2)
    compute(replace(setup, branches=(EVENT,)), computer)
    # An event reaches both networks; the companion's trace with it is its own.
    assert (traced.calls, resumed.calls) == (2, 4)


def test_other_networks_and_sequences_are_computed_anew(counted: tuple[Counter, Counter]) -> None:
    computer, setup = Computer(), setup_of(branches=(FORGET,))
    first = compute(setup, computer)
    other = compute(replace(setup, item=1), computer)
    assert other.sequence.steps == 23
    assert other.branches[0][0].steps == 23
    assert other.branches[0][0]["lstm.0.forget_gate"][22, 3] == 1
    assert counted[1].calls == 2
    seeded = compute(replace(setup, network=NetworkSpec("lstm", hidden_size=6, seed=9)), computer)
    assert not np.array_equal(seeded.branches[0][0]["lstm.0.cell_state"], first.branches[0][0]["lstm.0.cell_state"])


def test_a_second_sequence_and_a_second_network_are_traced_once(counted: tuple[Counter, Counter]) -> None:
    computer, setup = Computer(), setup_of(companion=None)
    compute(setup, computer)
    result = compute(replace(setup, second=Second(item=1)), computer)
    assert result.second is not None
    trace, info = result.second
    network = computer.networks_of(result)[0]
    expected = ls.trace(network, result.sequences[1])
    np.testing.assert_array_equal(trace["lstm.0.cell_state"], expected["lstm.0.cell_state"])
    assert info.fingerprint == result.infos[0].fingerprint
    calls = counted[0].calls
    again = compute(replace(setup, second=Second(item=1), branches=(FORGET,)), computer)
    assert again.second is not None
    assert again.second[0] is trace
    assert counted[0].calls == calls
    gru = compute(replace(setup, second=Second(network=NetworkSpec("gru", hidden_size=3))), computer)
    assert gru.second is not None
    assert gru.second[0]["gru.0.hidden_state"].shape == (20, 3)
    assert gru.second[1].kind == "gru"


def test_a_second_trace_does_without_an_objective_that_it_has_no_place_for() -> None:
    setup = setup_of(companion=None, objective="hidden:19:5", second=Second(network=NetworkSpec("gru", hidden_size=3)))
    result = compute(setup)
    assert result.second is not None
    assert result.traces[0].provenance.objective == "hidden:19:5"
    assert result.second[0].provenance.objective == "last-hidden"
    with pytest.raises(SequenceError, match="no sequence 7"):
        compute(setup_of(second=Second(item=7)))


@pytest.mark.parametrize(
    ("branch", "fitting"),
    [
        (FORGET, True),
        (OFF, True),
        (EVENT, True),
        (replace(FORGET, at=20), False),
        (replace(FORGET, clamp=(("lstm.0.forget_gate", ((6, 1.0),)),)), False),
        (replace(FORGET, clamp=(("lstm.1.forget_gate", ((0, 1.0),)),)), False),
        (replace(FORGET, network=2), False),
        (replace(FORGET, network=1), False),
        (replace(OFF, ablate=(("lstm.0", (6,)),)), False),
        (replace(EVENT, events=((7, ((2, 1.0),)),)), False),
        (replace(EVENT, events=((20, ((0, 1.0),)),)), False),
        (replace(EVENT, events=((6, ((0, 1.0),)),)), False),
    ],
)
def test_a_branch_fits_what_it_speaks_of(branch: Branch, fitting: bool) -> None:
    result = compute(setup_of())
    assert fits(branch, result) is fitting
    assert bool(compute(setup_of(branches=(branch,))).branches[0]) is fitting


def answered(setup: Setup) -> tuple[Session, list[str]]:
    """Return a session whose setups are computed at once, and what it notices."""
    computer = Computer()
    session = Session(compute(setup, computer))
    notices: list[str] = []
    session.noticed.connect(notices.append)
    session.setup_changed.connect(
        lambda wanted: wanted is session.result.setup or session.accept(compute(wanted, computer))
    )
    return session, notices


def names_of(session: Session) -> list[str]:
    return [branch.name for branch in session.setup.branches]


def test_another_sequence_keeps_what_is_held_and_drops_changed_events_with_one_notice() -> None:
    session, notices = answered(setup_of(branches=(FORGET, EVENT, OFF)))
    session.change("Show sequence 2", item=1)
    assert names_of(session) == ["f", "off"]
    assert len(session.result.branches) == 2
    assert len(notices) == 1
    assert "“e”" in notices[0]
    session.undo()
    assert names_of(session) == ["f", "e", "off"]


def test_a_smaller_network_drops_what_does_not_fit_with_one_notice() -> None:
    session, notices = answered(setup_of(branches=(FORGET, OFF)))
    before = session.setup
    session.change("Change the units", network=NetworkSpec("lstm", hidden_size=3, seed=2))
    assert session.setup.branches == (OFF,)
    assert session.result.setup is session.setup
    assert len(session.result.branches) == 1
    assert notices == [
        "Removed the what-if “f”, as it is about something that is not there any more. Undo brings it back."
    ]
    session.undo()
    assert session.setup == before
    assert len(session.result.branches) == 2


def test_other_data_drop_all_branches() -> None:
    session, notices = answered(setup_of(branches=(OFF,), second=Second(item=1)))
    session.change("Open", data=numbers(1, 9))
    assert session.setup.branches == ()
    assert session.setup.second is None
    assert not notices


def test_names_say_what_is_changed_in_both_vocabularies() -> None:
    result = compute(setup_of(symbols(), scaling=Scaling.NONE))
    event = Branch("", 3, events=((3, ((3, 0.0), (2, 1.0))),))
    assert default_name(event, result, Labels.STANDARD) == "Input at 4: Y → X"
    assert default_name(event, result, Labels.CLASSROOM) == "Event at 4: Y → X"
    held = Branch("", 4, clamp=(("lstm.0.forget_gate", ((3, 1.0),)),))
    assert default_name(held, result, Labels.STANDARD) == "Forget gate of unit 3 = 1 from 5"
    assert default_name(held, result, Labels.CLASSROOM) == "Forget factor of unit 3 = 1 from 5"
    once = replace(held, clamp=(("lstm.0.cell_state", ((3, -0.2),)),), until=5)
    assert default_name(once, result, Labels.CLASSROOM) == "Long-term memory of unit 3 = −0.2 at 5"
    every = replace(held, clamp=(("lstm.0.forget_gate", tuple((unit, 0.5) for unit in range(6))),), until=7)
    assert default_name(every, result, Labels.STANDARD) == "Forget gate of all units = 0.5 from 5 to 7"
    assert default_name(OFF, result, Labels.STANDARD) == "Ablate units 1–2"
    companion = Branch("", 2, ablate=(("rnn.0", (4,)),), network=1)
    assert default_name(companion, result, Labels.STANDARD) == "Ablate unit 4, RNN from 3"
    assert [sentence_of(branch, result) for branch in (event, held, once, every, OFF)] == [
        "every later step recomputed",
        "held from step 5 on",
        "set once, at step 5",
        "held in steps 5 to 7",
        "held at zero at every step",
    ]


def test_names_of_numbers_and_layers() -> None:
    result = compute(setup_of(network=NetworkSpec("lstm", hidden_size=6, layers=2)))
    raw = float(result.setup.data[0].values[7, 1])
    assert default_name(EVENT, result, Labels.STANDARD) == f"Input at 8: b {raw:.4g} → 25"
    deep = Branch("", 0, clamp=(("lstm.1.forget_gate", ((0, 1.0), (1, 0.0))),))
    assert default_name(deep, result, Labels.STANDARD) == "Forget gate of units 0–1, layer 2, held"


def test_a_given_name_follows_the_vocabulary_and_a_chosen_one_stays() -> None:
    result = compute(setup_of(symbols(), scaling=Scaling.NONE))
    named = Branch("Input at 4: Y → X (2)", 3, events=((3, ((3, 0.0), (2, 1.0))),))
    assert title_of(named, result, Labels.CLASSROOM) == "Event at 4: Y → X (2)"
    assert title_of(replace(named, name="my own"), result, Labels.CLASSROOM) == "my own"
    assert unique_name("a", (Branch("a", 0), Branch("a (2)", 0))) == "a (3)"
    assert unique_name("b", (Branch("a", 0),)) == "b"


def test_the_outcome_is_the_answer_at_the_end_or_the_change_of_the_last_state() -> None:
    result = compute(setup_of(branches=(FORGET,)))
    recorded, branch = result.traces[0]["lstm.0.hidden_state"], result.branches[0][0]["lstm.0.hidden_state"]
    alone, changed = outcome_of(result.traces[0], result), outcome_of(result.branches[0][0], result, result.traces[0])
    assert alone is not None
    assert changed is not None
    assert (alone.name, changed.name) == ("‖h‖", "Δh")
    assert alone.value == pytest.approx(np.sqrt(np.square(recorded[-1].astype(float)).sum()))
    assert changed.value == pytest.approx(np.sqrt(np.square(branch[-1].astype(float) - recorded[-1]).sum()))
    answers = np.array([[0.5, 0.5], [0.2, 0.8]], np.float32)
    trace = replace(result.traces[0], arrays={**result.traces[0].arrays, "output": answers})
    classes = replace(result, sequences=replace(result.sequences, classes=("no", "yes")))
    likeliest = outcome_of(trace, classes)
    assert likeliest is not None
    assert (likeliest.name, round(likeliest.value, 6)) == ("yes", 0.8)
    value = outcome_of(trace, result)
    assert value is not None
    assert (value.name, round(value.value, 6)) == ("next a", 0.2)


def test_what_else_is_compared_has_a_name() -> None:
    result = compute(setup_of())
    assert second_title(Second(item=4), result) == "Sequence 5"
    assert second_title(Second(item=4, network=NetworkSpec(checkpoint="/a/b/net.pt")), result) == "net.pt, sequence 5"
    assert second_title(Second(network=NetworkSpec("gru", seed=3)), result) == "GRU, seed 3"
    # One file has the name of the other, as snapshots of one training have.
    shown = replace(result, setup=replace(result.setup, network=NetworkSpec(checkpoint="/a/one/net.pt")))
    assert second_title(Second(network=NetworkSpec(checkpoint="/a/two/net.pt")), shown) == "two/net.pt"
    assert second_title(Second(network=NetworkSpec(checkpoint="/a/two/other.pt")), shown) == "other.pt"
    snapshot = NetworkSpec(checkpoint="/a/run/snapshots/00001200/lstm.safetensors")
    assert second_title(Second(network=snapshot), shown) == "Snapshot 1,200"


def test_ranges() -> None:
    assert spans([3, 5, 6, 7, 1, 6]) == "1, 3, 5–7"


def test_what_a_result_makes_somebody_look_at_is_told_once() -> None:
    session, _ = answered(setup_of())
    session.move_cursor(3)
    told: list[int] = []
    session.result_replaced.connect(lambda _: session.look(speed=2.0))
    session.view_changed.connect(lambda after, _: told.append(after.cursor))
    session.change("What if", branches=(FORGET,))
    assert told == [3]


def test_gradients_of_a_what_if_are_those_of_the_library_and_are_known_from_then_on(
    counted: tuple[Counter, Counter],
) -> None:
    computer, setup = Computer(), setup_of(branches=(FORGET, EVENT))
    result = compute(setup, computer)
    assert not any(
        trace.provenance.objective for traces in result.branches for trace in traces if trace not in result.traces
    )
    found = BranchGradients(result, (0, 1)).answer(computer, ignore_progress)
    held = ls.resume(result.traces[0], at=5, clamp={"lstm.0.forget_gate": {3: 1.0}}, gradients=True)
    assert found[0][0].provenance == held.provenance
    for name in held.names:
        np.testing.assert_array_equal(found[0][0][name], held[name], err_msg=name)
    assert found[0][1] is result.traces[1]
    for network, prefix in enumerate(("lstm.0", "rnn.0")):
        norms = found[1][network][f"norm.grad.{prefix}.hidden_state"]
        assert norms.shape == (result.sequence.steps,)
        assert not np.array_equal(norms, result.traces[network][f"norm.grad.{prefix}.hidden_state"])
    calls = [counter.calls for counter in counted]
    again = compute(replace(setup, branches=(FORGET,)), computer)
    assert again.branches[0][0] is found[0][0]
    assert [counter.calls for counter in counted] == calls


def test_a_network_that_reads_both_ways_takes_its_gradients_on_the_changed_sequence() -> None:
    spec = NetworkSpec("lstm", hidden_size=4, bidirectional=True)
    setup = setup_of(network=spec, companion=None, branches=(EVENT,))
    computer = Computer()
    result = compute(setup, computer)
    ((found,),) = BranchGradients(result, (0,)).answer(computer, ignore_progress).values()
    before = result.branches[0][0]
    changed = ls.trace(computer.networks_of(result)[0], before["input"])
    for name in before.names:
        np.testing.assert_array_equal(found[name], before[name], err_msg=name)
    assert found.provenance.intervention == before.provenance.intervention
    for name in ("norm.grad.lstm.0.cell_state", "grad.lstm.0.reverse.hidden_state"):
        np.testing.assert_allclose(found[name], changed[name], rtol=1e-6, atol=1e-12, err_msg=name)


def test_gradients_are_missing_of_what_is_compared_alone_until_the_session_has_them() -> None:
    computer, setup = Computer(), setup_of(branches=(FORGET, OFF))
    session = Session(compute(setup, computer))
    result = session.result
    assert missing_gradients(result, session.view) == ()
    assert missing_gradients(result, replace(session.view, comparison=Comparison(branch_key("off")))) == (1,)
    both = replace(session.view, comparison=Comparison(branch_key("off"), branch_key("f")))
    assert missing_gradients(result, both) == (0, 1)
    seen: list[Result] = []
    session.result_replaced.connect(seen.append)
    session.complete(result, BranchGradients(result, (1,)).answer(computer, ignore_progress))
    assert seen == [session.result]
    assert not session.waiting
    assert session.undo_text is None
    assert missing_gradients(session.result, both) == (0,)
    # What has been replaced meanwhile is not brought back.
    session.complete(result, {0: result.traces})
    assert seen == [session.result]
    plain = compute(setup_of(branches=(OFF,), objective=None), computer)
    bare = replace(plain.traces[0], provenance=replace(plain.traces[0].provenance, objective=""))
    assert (
        missing_gradients(
            replace(plain, traces=(bare, plain.traces[1])),
            replace(session.view, comparison=Comparison(branch_key("off"))),
        )
        == ()
    )


def test_a_classifier_that_says_nothing_of_its_outputs_is_opened_on_sequences_with_classes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"rnn": torch.nn.LSTM(2, 4), "head": torch.nn.Linear(4, 3)})
    torch.save(model.state_dict(), tmp_path / "mine.pt")
    spec = NetworkSpec(checkpoint=str(tmp_path / "mine.pt"))
    rng = np.random.default_rng(0)
    sequences = tuple(
        Sequence(rng.normal(size=(9, 2)).astype(np.float32), ("a", "b"), target=np.array(item % 3)) for item in range(4)
    )
    labelled = SequenceSet(sequences, "labelled", classes=("x", "y", "z"))
    computer = Computer()
    result = compute(Setup(labelled, network=spec, companion=None, second=Second(item=1)), computer)
    hidden = torch.from_numpy(np.array(result.traces[0]["rnn.0.hidden_state"]))
    with torch.no_grad():
        expected = model["head"](hidden).softmax(-1).numpy()
    np.testing.assert_allclose(result.traces[0]["output"], expected, atol=1e-6)
    assert result.traces[0].provenance.objective == "target"
    assert result.second is not None
    np.testing.assert_allclose(result.second[0]["output"].sum(axis=1), 1, atol=1e-6)
    outcome = outcome_of(result.traces[0], result)
    assert outcome is not None
    assert outcome.name == "xyz"[int(expected[-1].argmax())]
    assert outcome.value == pytest.approx(float(expected[-1].max()), abs=1e-6)
    # The same file, on sequences without classes: values again.
    plain = SequenceSet(tuple(replace(one, target=None) for one in sequences), "plain")
    again = compute(Setup(plain, network=spec, companion=None), computer)
    assert not np.allclose(again.traces[0]["output"].sum(axis=1), 1)
