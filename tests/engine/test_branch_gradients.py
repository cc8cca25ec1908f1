"""Gradients of branches against autograd on the unrolled network, in which held values are constants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_studio import NetworkError, Sequence, Trace, TraceError, new_network, resume, trace
from lstm_studio.engine.interventions import with_gradients
from lstm_studio.networks.network import Network
from tests.engine.test_tracing import NO_PROJECTION_IN_ONEDNN, values

STEPS, AT, STOP = 12, 4, 9
Hold = Callable[[str, Tensor], Tensor]
Weights = dict[str, Tensor]
States = tuple[Tensor, ...]
sigmoid, tanh = torch.sigmoid, torch.tanh


def lstm(w: Weights, x: Tensor, states: States, hold: Hold) -> States:
    h, c = states
    before = (w["weight_ih"] @ x + w["bias_ih"] + w["weight_hh"] @ h + w.get("bias_hh", 0.0)).chunk(4)
    names = ("input_gate", "forget_gate", "candidate", "output_gate")
    i, f, g, o = (hold(f"{name}.preactivation", part) for name, part in zip(names, before, strict=True))
    i, f = hold("input_gate", sigmoid(i)), hold("forget_gate", sigmoid(f))
    g, o = hold("candidate", tanh(g)), hold("output_gate", sigmoid(o))
    retained = hold("retained", f * c)
    c = hold("cell_state", retained + hold("admitted", i * g))
    if "weight_use" in w:
        use = hold("use_candidate.preactivation", w["weight_use"] @ retained + w["bias_use"])
        return hold("hidden_state", o * hold("use_candidate", tanh(use))), c
    exposed = o * tanh(c)
    return hold("hidden_state", w["weight_hr"] @ exposed if "weight_hr" in w else exposed), c


def lstm_1997(w: Weights, x: Tensor, states: States, hold: Hold) -> States:
    h, c, *gates = states
    units, rows = len(c), len(w["weight_ih"])
    blocks = (rows - units) // 2
    size = units // blocks
    a = w["weight_ih"] @ x + w["bias_ih"] + w["weight_hh"] @ torch.cat((h, *gates))
    a_i, a_g, a_o = a[:blocks], a[blocks:-blocks], a[-blocks:]
    i = hold("input_gate", sigmoid(hold("input_gate.preactivation", a_i)))
    g = hold("candidate", tanh(hold("candidate.preactivation", a_g)))
    o = hold("output_gate", sigmoid(hold("output_gate.preactivation", a_o)))
    c = hold("cell_state", c + hold("admitted", i.repeat_interleave(size) * g))
    return hold("hidden_state", o.repeat_interleave(size) * tanh(c)), c, *([torch.cat((i, o))] if gates else [])


def gru(w: Weights, x: Tensor, states: States, hold: Hold) -> States:
    (h,) = states
    a_r, a_z, a_n = (w["weight_ih"] @ x + w["bias_ih"]).chunk(3)
    m_r, m_z, m_n = (w["weight_hh"] @ h + w["bias_hh"]).chunk(3)
    r = hold("reset_gate", sigmoid(hold("reset_gate.preactivation", a_r + m_r)))
    z = hold("update_gate", sigmoid(hold("update_gate.preactivation", a_z + m_z)))
    n = hold("candidate", tanh(hold("candidate.preactivation", a_n + hold("recalled", r * m_n))))
    return (hold("hidden_state", hold("admitted", (1 - z) * n) + hold("retained", z * h)),)


def rnn(w: Weights, x: Tensor, states: States, hold: Hold, squash: Callable[[Tensor], Tensor] = tanh) -> States:
    a = w["weight_ih"] @ x + w["bias_ih"]
    a = a + w["weight_hh"] @ states[0] + w["bias_hh"] if "weight_hh" in w else a
    return (hold("hidden_state", squash(hold("hidden_state.preactivation", a))),)


def relu_rnn(w: Weights, x: Tensor, states: States, hold: Hold) -> States:
    return rnn(w, x, states, hold, torch.relu)


KINDS: dict[str, tuple[str, dict[str, Any], Callable[..., States], tuple[int, ...]]] = {
    "lstm": ("lstm", {}, lstm, (4, 4)),
    "projection": ("lstm", {"proj_size": 3}, lstm, (3, 4)),
    "article": ("lstm-article", {}, lstm, (4, 4)),
    "1997": ("lstm-1997", {"block_size": 2}, lstm_1997, (4, 4)),
    "1997, gates": ("lstm-1997", {"gate_recurrence": True}, lstm_1997, (4, 4, 8)),
    "gru": ("gru", {}, gru, (4,)),
    "rnn": ("rnn", {}, rnn, (4,)),
    "relu": ("rnn", {"nonlinearity": "relu"}, relu_rnn, (4,)),
    "feedforward": ("feedforward", {}, rnn, (4,)),
}


def oracle(
    network: Network, x: Tensor, held: dict[str, dict[int, float]], of: Callable[..., States], sizes: tuple[int, ...]
) -> tuple[dict[str, list[Tensor]], Tensor]:
    """Return each signal at each step before what was held took its place, and the top layer's hidden states."""
    nodes: dict[str, list[Tensor]] = {}
    for index in range(2):
        end, prefix = f"_l{index}", f"{network.kind}.{index}"
        named = network.recurrent.named_parameters()
        w = {name.removesuffix(end): weight.detach().double() for name, weight in named if name.endswith(end)}
        states: States = tuple(torch.zeros(size, dtype=torch.float64) for size in sizes)
        outputs = []
        for step, x_t in enumerate(x):

            def hold(name: str, value: Tensor, step: int = step, prefix: str = prefix) -> Tensor:
                nodes.setdefault(f"{prefix}.{name}", []).append(value)
                units = held.get(f"{prefix}.{name}", {}) if AT <= step < STOP else {}
                mask = torch.tensor([unit in units for unit in range(len(value))])
                wanted = torch.tensor([units.get(unit, 0.0) for unit in range(len(value))], dtype=torch.float64)
                return torch.where(mask, wanted, value) if units else value

            states = of(w, x_t, states, hold)
            outputs.append(states[0])
        x = torch.stack(outputs)
    return nodes, x


def compared(branch: Trace, nodes: dict[str, list[Tensor]], loss: Tensor) -> int:
    """Compare all gradients of the branch that the oracle has."""
    count = 0
    for name in branch.names:
        signal = name.removeprefix("grad.")
        if not name.startswith("grad.") or signal not in nodes:
            continue
        found = torch.autograd.grad(loss, nodes[signal], retain_graph=True, allow_unused=True)
        rows = [torch.zeros(len(branch[name][0])) if row is None else row for row in found]
        np.testing.assert_allclose(branch[name], torch.stack(rows).numpy(), rtol=1e-9, atol=1e-13, err_msg=name)
        count += 1
    return count


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_held_values_are_constants(kind: str) -> None:
    name, options, of, sizes = KINDS[kind]
    network = new_network(name, 3, 4, 2, seed=5, **options)
    network.module.double()
    x = torch.from_numpy(values(STEPS, 3)).double()
    original = trace(network, x, dtype="float64")
    signals = [signal.name for signal in original.layers[0].signals]
    cases = [{f"{name}.0.{signal}": {1: 0.75}} for signal in signals]
    cases += [{f"{name}.1.{signal}": {0: 0.25, 2: 0.5}} for signal in signals]
    cases.append({f"{name}.{layer}.{signal}": {layer: 0.5} for layer in (0, 1) for signal in signals[:3]})
    for case in cases:
        held = {
            key: {unit: v for unit, v in units.items() if unit < original[key].shape[1]} for key, units in case.items()
        }
        branch = resume(original, at=AT, until=STOP, clamp=held, gradients=True)
        nodes, hidden = oracle(network, x.clone(), held, of, sizes)
        np.testing.assert_allclose(branch[f"{name}.1.hidden_state"], hidden.detach().numpy(), rtol=1e-9, atol=1e-12)
        x_leaf = x.clone().requires_grad_()
        nodes, hidden = oracle(network, x_leaf, held, of, sizes)
        assert compared(branch, nodes, hidden[-1].sum()) >= 2
        (into,) = torch.autograd.grad(hidden[-1].sum(), x_leaf)
        np.testing.assert_allclose(branch["grad.input"], into.numpy(), rtol=1e-9, atol=1e-13)
        assert branch.provenance.objective == "last-hidden"


def test_the_objective_may_be_any_of_a_trace() -> None:
    network = new_network("lstm", 3, 4, seed=5, outputs=3)
    sequence = Sequence(values(STEPS, 3), ("a", "b", "c"), target=np.array(1))
    original = trace(network, sequence, dtype="float64")
    assert original.provenance.objective == "target"
    events = {5: {1: 2.0}}
    other = sequence.values.copy()
    other[5, 1] = 2.0
    changed = Sequence(other, ("a", "b", "c"), target=np.array(1))

    def energy(output: Tensor) -> Tensor:
        return output.square_().sum()

    for objective in (None, "next-step", "hidden:7:2", energy):
        branch = resume(original, at=2, events=events, gradients=True, objective=objective)
        expected = trace(network, changed, dtype="float64", objective=objective)
        assert branch.provenance.objective == expected.provenance.objective
        gradients = [name for name in expected.names if "grad." in name]
        assert gradients == [name for name in branch.names if "grad." in name]
        for name in gradients:
            np.testing.assert_allclose(branch[name], expected[name], rtol=1e-9, atol=1e-14, err_msg=name)


def test_a_branch_of_a_branch_keeps_what_was_held_before() -> None:
    network = new_network("lstm", 3, 4, 2, seed=5)
    network.module.double()
    x = torch.from_numpy(values(STEPS, 3)).double()
    held = {"lstm.0.forget_gate": {1: 0.75}, "lstm.1.hidden_state": {2: 0.1}}
    first = resume(trace(network, x, dtype="float64"), at=AT, clamp=held)
    second = resume(first, at=STOP, events={STOP: {0: 3.0}}, gradients=True)
    x[STOP, 0] = 3.0
    nodes, hidden = oracle(network, x.requires_grad_(), held, lstm, (4, 4))
    assert compared(second, nodes, hidden[-1].sum()) >= 2
    assert not second["grad.lstm.0.forget_gate.preactivation"][AT:STOP, 1].any()
    assert second["grad.lstm.0.forget_gate.preactivation"][STOP:, 1].any()


def test_a_bare_module_and_what_gradients_are_missing() -> None:
    module = nn.GRU(3, 4)
    original = trace(module, values(STEPS, 3))
    branch = resume(original, at=AT, ablate={"gru.0": [1]}, gradients=True)
    assert not branch["grad.gru.0.hidden_state"][AT:, 1].any()
    assert branch["norm.grad.gru.0.hidden_state"].shape == (STEPS,)
    assert "grad.input" not in resume(original, at=AT, ablate={"gru.0": [1]})
    plain = trace(module, values(STEPS, 3), gradients=False)
    assert resume(plain, at=AT).names == plain.names
    assert resume(plain, at=AT, gradients=True)["grad.input"].tobytes() == original["grad.input"].tobytes()
    with pytest.raises(NetworkError, match="outside 0…1"):
        resume(original, at=AT, clamp={"gru.0.update_gate": {1: 1.5}}, gradients=True)
    window = trace(new_network("tdnn", 3, 4), values(STEPS, 3))
    changed = resume(window, at=AT, events={AT: {0: 2.0}}, gradients=True)
    x = values(STEPS, 3)
    x[AT, 0] = 2.0
    expected = trace(new_network("tdnn", 3, 4), x)
    np.testing.assert_allclose(changed["grad.input"], expected["grad.input"], rtol=1e-5, atol=1e-8)


def test_gradients_that_are_asked_for_later_are_those_of_resume_and_nothing_else_changes() -> None:
    network = new_network("lstm", 3, 4, 2, seed=5, outputs=3)
    sequence = Sequence(values(STEPS, 3), ("a", "b", "c"), target=np.array(1))
    original = trace(network, sequence)
    held = {"lstm.0.forget_gate": {1: 0.75}}
    branch = resume(original, at=AT, clamp=held)
    later, expected = with_gradients(branch), resume(original, at=AT, clamp=held, gradients=True)
    assert later.provenance == expected.provenance
    assert later.provenance.objective == "target"
    assert later.names == expected.names
    for name in expected.names:
        np.testing.assert_array_equal(later[name], expected[name], err_msg=name)
    assert all(later[name] is branch[name] for name in branch.names)
    assert with_gradients(branch, "hidden:3:1").provenance.objective == "hidden:3:1"
    for other in (original, replace(branch, origin=None)):
        with pytest.raises(TraceError, match="Only what resume returned"):
            with_gradients(other)
