"""What-if branches against recurrences written out by hand, and against networks that were built that way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lstm_studio import Sequence, Trace, TraceError, load_trace, new_network, resume, trace
from lstm_studio.engine import interventions
from lstm_studio.networks.cell import Cell, Held
from lstm_studio.networks.cells import cell_of_kind, cells
from tests.engine.numpy_reference import sigmoid
from tests.engine.test_tracing import NO_PROJECTION_IN_ONEDNN, values, weights_of

STEPPED = sorted(kind for kind, cell in cells().items() if cell.can_step)
Array = np.ndarray[Any, Any]


def assert_same(branch: Trace, original: Trace, steps: slice = slice(None)) -> None:
    """Compare to the last bit."""
    assert set(branch.names) <= set(original.names)
    for name in branch.names:
        assert branch[name].dtype == original[name].dtype
        assert branch[name][steps].tobytes() == original[name][steps].tobytes(), name


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", sorted(cells()))
def test_without_a_change_the_branch_is_the_trace(kind: str, dtype: str) -> None:
    network = new_network(kind, 3, 6, 2, seed=1, outputs=3)
    sequence = Sequence(values(50, 3), ("a", "b", "c"), target=np.array(1))
    original = trace(network, sequence, dtype=dtype, memory=True)
    branch = resume(original, at=37)
    assert branch is not original
    assert branch.names == original.names
    assert branch.provenance == original.provenance
    assert_same(branch, original)


def test_a_model_of_ones_own_goes_on_unchanged() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 4, 2, bidirectional=True))
    original = trace(model, values(20, 2))
    assert_same(resume(original, at=5), original)
    with pytest.raises(TraceError, match="neither a Network nor a bare"):
        resume(original, at=5, clamp={"1.0.forget_gate": {0: 1.0}})


def lstm_by_hand(
    x: Array, weights: dict[str, Array], at: int, change: Callable[[str, Array], Array]
) -> dict[str, list[Array]]:
    """Run one LSTM layer; from step ``at`` on, ``change`` is applied to each gate and state."""
    h = c = np.zeros(weights["weight_hh_l0"].shape[1])
    found: dict[str, list[Array]] = {name: [] for name in ("f", "i", "g", "o", "c", "h")}
    for step, x_t in enumerate(x):
        edit = change if step >= at else lambda name, value: value
        a = weights["weight_ih_l0"] @ x_t + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ h + weights["bias_hh_l0"]
        a_i, a_f, a_g, a_o = np.split(a, 4)
        i, f, g = edit("i", sigmoid(a_i)), edit("f", sigmoid(a_f)), edit("g", np.tanh(a_g))
        o = edit("o", sigmoid(a_o))
        c = edit("c", f * c + i * g)
        h = edit("h", o * np.tanh(c))
        for name, value in {"f": f, "i": i, "g": g, "o": o, "c": c, "h": h}.items():
            found[name].append(value)
    return found


NAMES = {
    "f": "forget_gate",
    "i": "input_gate",
    "g": "candidate",
    "o": "output_gate",
    "c": "cell_state",
    "h": "hidden_state",
}


@pytest.mark.parametrize("held", sorted(NAMES))
@pytest.mark.parametrize("at", [0, 7])
def test_what_is_held_is_held_and_changes_what_follows(held: str, at: int) -> None:
    network = new_network("lstm", 3, 4, seed=2)
    x = values(15, 3).astype(np.float64)
    original = trace(network, x, dtype="float64")
    branch = resume(original, at=at, clamp={f"lstm.0.{NAMES[held]}": {1: 0.75, 3: -0.5}})

    def change(name: str, value: Array) -> Array:
        if name == held:
            value = value.copy()
            value[[1, 3]] = 0.75, -0.5
        return value

    oracle = lstm_by_hand(x, weights_of(network), at, change)
    for letter, name in NAMES.items():
        np.testing.assert_allclose(branch[f"lstm.0.{name}"], np.stack(oracle[letter]), rtol=1e-9, atol=1e-12)
    assert_same(branch, original, slice(at))
    assert not np.allclose(branch["lstm.0.hidden_state"][at:], original["lstm.0.hidden_state"][at:])
    assert branch.layers == original.layers
    assert "grad.input" not in branch
    assert f"from step {at}: lstm.0.{NAMES[held]}[1] = 0.75" in branch.provenance.intervention


def ways_taken(patch: pytest.MonkeyPatch) -> list[str]:
    """Return what is going to be the names of the methods that held what was to be held, in their order."""
    kind, ways = type(cell_of_kind("lstm")), []
    by_kernel, by_hand = kind.by_kernel, kind.by_hand

    def kernel(self: Cell, layer: Any, x: Any, initial: Any, held: Held) -> Any:
        found = by_kernel(self, layer, x, initial, held)
        if held and found is not None:
            ways.append("by_kernel")
        return found

    def hand(self: Cell, layer: Any, entering: Any, states: Any, held: Held) -> Any:
        ways.append("by_hand")
        return by_hand(self, layer, entering, states, held)

    patch.setattr(kind, "by_kernel", kernel)
    patch.setattr(kind, "by_hand", hand)
    return ways


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("signal", "value", "by_kernel"),
    [
        *((gate, value, True) for gate in ("forget_gate", "input_gate", "output_gate") for value in (0, 1e-20, 0.3, 1)),
        *(("candidate", value, True) for value in (-1, -0.2, 0, 1)),
        *((f"{gate}.preactivation", value, True) for gate in ("forget_gate", "candidate") for value in (-3.0, 30.0)),
        ("forget_gate", 1.5, False),
        ("candidate", -2.0, False),
        *(("cell_state", value, True) for value in (0, 0.5, -3.0, 1e4)),
        *(("hidden_state", value, True) for value in (-1, -0.5, 0, 1e-12, 1)),
        ("hidden_state", 1.5, False),
        *(("admitted", value, True) for value in (-1, 0, 0.5)),
        ("admitted", -1.5, False),
        ("retained", 0, True),
        ("retained", 0.5, False),
    ],
)
def test_the_fused_kernel_holds_values_as_the_steps_by_hand_do(
    monkeypatch: pytest.MonkeyPatch, signal: str, value: float, by_kernel: bool, bias: bool
) -> None:
    """In two layers, from the first step on and for a while; where the kernel can hold it, it does."""
    network = new_network("lstm", 3, 20, 2, seed=5, bias=bias, outputs=2)
    original = trace(network, values(150, 3), gradients=False)
    held = [3, 11]
    for layer, (at, until) in ((0, (0, None)), (1, (0, None)), (0, (40, 90)), (1, (40, 90))):
        name = f"lstm.{layer}.{signal}"
        change: dict[str, Any] = {"at": at, "until": until, "clamp": {name: dict.fromkeys(held, value)}}
        with monkeypatch.context() as patch:
            ways = ways_taken(patch)
            branch = resume(original, **change)
        assert ways == ["by_kernel" if by_kernel else "by_hand"]
        with monkeypatch.context() as patch:
            patch.setattr(interventions, "_WORTH_A_CALL", 1_000)
            expected = resume(original, **change)
        assert branch.names == expected.names
        for other in branch.names:
            np.testing.assert_allclose(branch[other], expected[other], rtol=1e-4, atol=2e-6, err_msg=f"{name}, {other}")
        assert (branch[name][at:until][:, held] == np.float32(value)).all()
        assert_same(branch, original, slice(at))


def test_a_gate_is_held_in_inference_mode_too() -> None:
    network = new_network("lstm", 3, 8, seed=5)
    change: dict[str, Any] = {"clamp": {"lstm.0.forget_gate": {2: 0.25}}}
    expected = resume(trace(network, values(60, 3)), 10, **change)
    with torch.inference_mode():
        branch = resume(trace(network, values(60, 3)), 10, **change)
    for name in expected.names:
        np.testing.assert_allclose(branch[name], expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, {}) for kind in STEPPED),
        ("rnn", {"nonlinearity": "relu"}),
        ("lstm", {"proj_size": 2}),
        ("lstm-1997", {"gate_recurrence": True, "block_size": 2}),
    ],
)
@pytest.mark.parametrize("bias", [False, True])
def test_the_steps_by_hand_are_those_of_the_fused_kernel(kind: str, options: dict[str, Any], *, bias: bool) -> None:
    """A unit held at the very values that it has changes nothing, in any layer, signal after signal."""
    network = new_network(kind, 3, 4, 2, seed=2, bias=bias, outputs=2, **options)
    original = trace(network, values(9, 3), dtype="float64", gradients=False)
    for layer in original.layers:
        for signal in layer.signals:
            name = f"{layer.prefix}.{signal.name}"
            branch = resume(original, at=5, until=6, clamp={name: {1: float(original[name][5, 1])}})
            assert set(branch.names) == set(original.names)
            for other in original.names:
                np.testing.assert_allclose(branch[other], original[other], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", [kind for kind in STEPPED if kind != "feedforward"])
def test_ablated_units_are_as_if_their_weights_were_gone(kind: str) -> None:
    """From the first step on: as in a network in which nobody listens to the unit."""
    network = new_network(kind, 2, 4, 2, seed=3)
    branch = resume(trace(network, values(12, 2), dtype="float64"), at=0, ablate={f"{kind}.0": [2]})
    assert not branch[f"{kind}.0.hidden_state"][:, 2].any()
    deaf = new_network(kind, 2, 4, 2, seed=3)
    with torch.no_grad():
        deaf.module.get_parameter("weight_hh_l0")[:, 2] = 0
        deaf.module.get_parameter("weight_ih_l1")[:, 2] = 0
    oracle = trace(deaf, values(12, 2), dtype="float64")
    for state in network.cell.states:
        others = [0, 1, 3]
        np.testing.assert_allclose(
            branch[f"{kind}.0.{state}"][:, others], oracle[f"{kind}.0.{state}"][:, others], rtol=1e-9
        )
        np.testing.assert_allclose(branch[f"{kind}.1.{state}"], oracle[f"{kind}.1.{state}"], rtol=1e-9)


@pytest.mark.parametrize("kind", sorted(cells()))
def test_other_events_are_those_of_another_sequence(kind: str) -> None:
    network = new_network(kind, 2, 4, 2, seed=3, outputs=2)
    x = values(12, 2)
    original = trace(network, x, dtype="float64")
    branch = resume(original, at=6, events={8: {1: 3.0}, 9: [1.0, -1.0]})
    other = x.copy()
    other[8, 1] = 3.0
    other[9] = 1.0, -1.0
    oracle = trace(network, other, dtype="float64", gradients=False)
    assert set(branch.names) == set(oracle.names)
    for name in oracle.names:
        np.testing.assert_allclose(branch[name], oracle[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert_same(branch, original, slice(6))
    assert branch.provenance.intervention == "from step 6: input[8] changed, input[9] changed"


def test_a_missing_value_elsewhere_is_no_change() -> None:
    x = values(12, 2)
    x[9, 0] = np.nan
    original = trace(new_network("lstm", 2, 3), x)
    branch = resume(original, at=4, events={5: {1: 2.0}})
    assert branch.provenance.intervention == "from step 4: input[5] changed"
    assert dict(branch.provenance.non_finite)["lstm.0.hidden_state"] == 9
    assert_same(branch, original, slice(4))


def test_layers_below_the_change_stay_as_they_are() -> None:
    original = trace(new_network("lstm", 2, 4, 3, seed=3), values(30, 2))
    branch = resume(original, at=10, clamp={"lstm.1.forget_gate": {0: 0.0}})
    for name in branch.names:
        same = branch[name].tobytes() == original[name].tobytes()
        assert same == name.startswith(("input", "lstm.0.")), name


def test_a_change_may_end_and_a_branch_be_branched() -> None:
    network = new_network("lstm", 2, 4, seed=3)
    x = values(20, 2).astype(np.float64)
    once = resume(trace(network, x, dtype="float64"), at=5, until=8, clamp={"lstm.0.cell_state": {0: 2.0}})
    state = once["lstm.0.cell_state"]
    np.testing.assert_array_equal(state[5:8, 0], 2.0)
    assert state[8, 0] != 2.0
    twice = resume(once, at=12, events={12: {0: 5.0}})
    assert_same(twice, once, slice(12))
    assert twice.provenance.intervention == (
        "in steps 5 to 7: lstm.0.cell_state[0] = 2; from step 12: input[12] changed"
    )
    x[12, 0] = 5.0
    alone = resume(trace(network, x, dtype="float64"), at=5, until=8, clamp={"lstm.0.cell_state": {0: 2.0}})
    np.testing.assert_allclose(twice["lstm.0.cell_state"], alone["lstm.0.cell_state"], rtol=1e-10)
    assert resume(once, at=3) is once


def test_a_loaded_trace_is_resumed_with_its_network(tmp_path: Path) -> None:
    network = new_network("lstm", 2, 4, seed=3)
    original = trace(network, values(20, 2))
    original.save(tmp_path / "t.npz")
    loaded = load_trace(tmp_path / "t.npz")
    with pytest.raises(TraceError, match="without its network"):
        resume(loaded, at=5)
    assert_same(resume(loaded, at=5, network=network), original)
    clamp = {"lstm.0.forget_gate": {3: 1.0}}
    branch = resume(loaded, at=5, clamp=clamp, network=network)
    assert_same(branch, resume(original, at=5, clamp=clamp))
    branch.save(tmp_path / "branch.npz")
    assert load_trace(tmp_path / "branch.npz").provenance.intervention == branch.provenance.intervention


def test_a_network_that_has_learned_since_is_noticed() -> None:
    module = nn.LSTM(2, 3)
    original = trace(module, values(9, 2))
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").add_(0.1)
    with pytest.raises(TraceError, match="weights of the network are not those"):
        resume(original, at=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at": 9}, r"^at is 9\..*at least 0 and at most 8"),
        ({"at": -1}, r"^at is -1\."),
        ({"at": 3, "until": 3}, r"^until is 3\..*at least 4"),
        ({"at": 3, "clamp": {"lstm.0.forget": {0: 1.0}}}, r"no signal 'lstm\.0\.forget'"),
        ({"at": 3, "clamp": {"lstm.0.forget_gate": {4: 1.0}}}, "has no unit 4"),
        ({"at": 3, "ablate": {"lstm.1": [0]}}, r"no layer 'lstm\.1'"),
        ({"at": 3, "ablate": {"lstm.0": [-1]}}, "has no unit -1"),
        ({"at": 3, "events": {2: {0: 1.0}}}, "event at step 2 is not between step 3"),
        ({"at": 3, "events": {4: {2: 1.0}}}, "no feature 2"),
        ({"at": 3, "events": {4: [1.0]}}, r"is \(1,\), not \(2,\)"),
        ({"at": 3, "events": {4: "ab"}}, "event at step 4 is 'ab'"),
        ({"at": 3, "events": {4: {0: "a"}}}, "events: feature 0 at step 4 is 'a'"),
        ({"at": 3, "events": {"4": {0: 1.0}}}, "event at step '4'"),
        ({"at": 3.5}, r"^at is 3\.5\."),
        ({"at": None}, r"^at is None\."),
        ({"at": 3, "until": "5"}, r"^until is '5'\."),
        ({"at": 3, "clamp": {"lstm.0.forget_gate": {0: "open"}}}, r"clamp: unit 0 of lstm\.0\.forget_gate is 'open'"),
        ({"at": 3, "clamp": {"lstm.0.forget_gate": [1]}}, r"^clamp: lstm\.0\.forget_gate is \[1\]\."),
        ({"at": 3, "clamp": {"lstm.0.forget_gate": {0.5: 1.0}}}, r"no unit 0\.5"),
        ({"at": 3, "ablate": {"lstm.0": [1.5]}}, r"no unit 1\.5"),
    ],
)
def test_what_is_not_there_cannot_be_changed(arguments: dict[str, Any], message: str) -> None:
    original = trace(new_network("lstm", 2, 4), values(9, 2))
    with pytest.raises(TraceError, match=message):
        resume(original, **arguments)


def test_what_does_something_else_now_is_noticed() -> None:
    x = np.asarray(values(9, 2))
    original = trace(nn.GRU(2, 3), x)
    x[4] += 1
    with pytest.raises(TraceError, match="input is no longer what the trace has"):
        resume(original, at=3)
    module = nn.LSTM(2, 8, 2, dropout=0.5)
    original = trace(module, values(9, 2))
    torch.rand(1)
    with pytest.raises(TraceError, match=r"lstm\.1\.hidden_state is no longer .* dropped out at random"):
        resume(original, at=3)
    original = trace(module.eval(), values(9, 2))
    with pytest.raises(TraceError, match="is no longer what the trace has"):
        resume(original, at=3, network=module.train())


def test_states_that_were_given_are_needed_at_the_first_step_only() -> None:
    module = nn.LSTM(2, 3, dtype=torch.float64)
    x = torch.tensor(values(9, 2), dtype=torch.float64)
    given = (torch.ones(1, 3, dtype=torch.float64), torch.ones(1, 3, dtype=torch.float64))
    original = trace(module, x, given, dtype="float64")
    own = original["lstm.0.forget_gate"]
    for step in (1, 4):
        # Held at what it is, so that nothing changes.
        held = {"lstm.0.forget_gate": {0: float(own[step, 0])}}
        branch = resume(original, at=step, until=step + 1, clamp=held, network=module)
        np.testing.assert_allclose(branch["lstm.0.cell_state"], original["lstm.0.cell_state"], rtol=1e-12)
    with pytest.raises(TraceError, match=r"lstm\.0 did not start with states of zero"):
        resume(original, at=0, clamp={"lstm.0.forget_gate": {0: 0.5}}, network=module)
    with pytest.raises(TraceError, match="without its network"):
        resume(original, at=3)


def test_kinds_and_directions_in_which_nothing_can_be_held_say_so() -> None:
    both = trace(new_network("lstm", 2, 4, bidirectional=True), values(9, 2))
    with pytest.raises(TraceError, match="runs backwards"):
        resume(both, at=3, events={4: {0: 1.0}})
    window = trace(new_network("tdnn", 2, 4), values(9, 2))
    with pytest.raises(TraceError, match="nothing in it can be held"):
        resume(window, at=3, clamp={"tdnn.0.hidden_state": {0: 1.0}})
