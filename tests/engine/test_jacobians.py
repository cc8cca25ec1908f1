"""Memory curves against autograd, against products in decimal arithmetic far below 1e-300, and against each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lstm_studio import TraceError, load_trace, new_network, trace
from lstm_studio.engine.jacobians import memory_curves
from lstm_studio.engine.lyapunov import lyapunov_exponents
from lstm_studio.engine.recurrences import recurrences
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cells
from lstm_studio.progress import Cancelled
from tests.engine.test_tracing import KINDS, NO_PROJECTION_IN_ONEDNN, values
from tests.engine.unrolled import unrolled


def spectral_norms(last: Tensor, nodes: Sequence[Tensor]) -> np.ndarray[Any, Any]:
    """Return log10 of the spectral norm of d last / d node for each node, one row at a time."""
    rows = [torch.autograd.grad(entry, nodes, retain_graph=True, allow_unused=True) for entry in last]
    norms = []
    for index, node in enumerate(nodes):
        found = (row[index] for row in rows)
        matrix = torch.stack([torch.zeros_like(node) if part is None else part for part in found])
        norms.append(float(torch.linalg.matrix_norm(matrix, 2)))
    return np.log10(norms)


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize(("kind", "options"), [case for case in KINDS if case[0] in {"lstm", "rnn"}])
@pytest.mark.parametrize(("layers", "bidirectional"), list(itertools.product((1, 2), (False, True))))
def test_curves_are_those_of_autograd(*, kind: str, options: dict[str, Any], layers: int, bidirectional: bool) -> None:
    network = new_network(kind, 3, 4, layers, seed=2, bidirectional=bidirectional, **options)
    module = network.recurrent.double()
    assert isinstance(module, nn.RNNBase)
    x = torch.from_numpy(values(9, 3)).double()
    traced = trace(network, x, dtype="float64", memory=True)
    _, nodes = unrolled(module, x.requires_grad_(), kind)
    compared = 0
    for layer in traced.layers:
        for state in network.cell.states:
            name = f"{layer.prefix}.{state}"
            steps = [nodes[f"{name}:{step}"] for step in range(9)]
            last = steps[0] if ".reverse" in name else steps[-1]
            with np.errstate(divide="ignore"):
                oracle = spectral_norms(last, steps)
            np.testing.assert_allclose(traced[f"jac.{name}"], oracle, rtol=1e-9, atol=1e-9, err_msg=name)
            assert traced[f"jac.{name}"].dtype == np.float64
            compared += 1
    assert compared == layers * (1 + bidirectional) * len(network.cell.states)


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(sorted(cells().keys() - {"tdnn"})),
    steps=st.integers(1, 6),
    units=st.integers(1, 5),
    rows=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_closed_forms_equal_the_gradients_of_single_steps(
    kind: str, steps: int, units: int, rows: int, seed: int
) -> None:
    network = new_network(kind, 2, units, seed=seed)
    traced = trace(network, values(steps, 2, seed), dtype="float64", gradients=False)
    (found,) = recurrences(traced)
    generator = np.random.default_rng(seed)
    given_rows = tuple(generator.normal(size=(rows, units)) for _ in found.cell.states)
    closed = found.cell.pull_back(found.weights, found.signals, inputs=True)
    alone = found.cell.pull_back(found.weights, found.signals)
    generic = Cell.pull_back(found.cell, found.weights, found.signals, inputs=True)
    for step in range(steps):
        ours, oracle = closed(step, given_rows), generic(step, given_rows)
        for some in (ours, alone(step, given_rows)):
            for mine, theirs in zip(some.totals + some.before, oracle.totals + oracle.before, strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9)
        assert ours.input is not None
        assert oracle.input is not None
        np.testing.assert_allclose(ours.input, oracle.input, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", sorted(cells()))
def test_every_kind_agrees_with_its_gradients(kind: str) -> None:
    """Rows of the identity, each back through the whole sequence at once."""
    (found,) = recurrences(trace(new_network(kind, 2, 4, seed=1), values(8, 2), dtype="float64", gradients=False))
    traced = trace(new_network(kind, 2, 4, seed=1), values(8, 2), dtype="float64", memory=True)
    for index, state in enumerate(found.cell.states):
        rows = []
        for unit in range(4):
            final = [np.zeros(4) for _ in found.cell.states]
            final[index][unit] = 1.0
            back = found.cell.gradients(found.weights, found.signals, np.zeros((8, 4)), tuple(final))
            rows.append(back.signals[state])
        with np.errstate(divide="ignore"):
            oracle = np.log10([np.linalg.norm(matrix, 2) for matrix in np.stack(rows, axis=1)])
        np.testing.assert_allclose(traced[f"jac.{kind}.0.{state}"], oracle, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("gain", [0.7, 3.0])
@pytest.mark.parametrize("kind", sorted(cells().keys() - {"feedforward", "tdnn"}))
def test_rows_that_rounding_hides_do_not_count(kind: str, gain: float) -> None:
    """Over many steps, against all rows carried to the end, and norms of whole matrices."""
    network = new_network(kind, 2, 20, seed=4)
    with torch.no_grad():
        network.recurrent.get_parameter("weight_hh_l0").mul_(gain)
    traced = trace(network, values(400, 2), dtype="float64", gradients=False)
    curves = memory_curves(traced)
    (found,) = recurrences(traced)
    pull_back = found.cell.pull_back(found.weights, found.signals)
    for index, state in enumerate(found.cell.states):
        rows = tuple(np.eye(20) if other == index else np.zeros((20, 20)) for other in range(len(found.cell.states)))
        exponent, norms = 0, []
        for step in reversed(range(400)):
            pulled = pull_back(step, rows)
            shift = int(np.frexp(np.abs(pulled.totals[index]).max())[1])
            norm = np.linalg.norm(np.ldexp(pulled.totals[index], -shift), 2)
            norms.append(np.log10(norm) + (exponent + shift) * np.log10(2.0))
            rows, exponent = tuple(np.ldexp(part, -shift) for part in pulled.before), exponent + shift
        np.testing.assert_allclose(curves[f"jac.{kind}.0.{state}"], norms[::-1], rtol=1e-9, atol=1e-9)


def linear(weights: np.ndarray[Any, Any]) -> nn.RNN:
    """Return a network that stays at zero for the input zero, where tanh′ = 1: each step's Jacobian is ``weights``."""
    module = nn.RNN(1, len(weights), bias=False).double()
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").copy_(torch.from_numpy(weights))
    return module


def decimal_norms(weights: np.ndarray[Any, Any], steps: int) -> list[float]:
    """Return log10 of the spectral norm of the 2×2 ``weights`` to the powers 0 … steps − 1, in 60 digits."""
    found = []
    with localcontext(prec=60, Emin=-999999, Emax=999999):
        w = [[Decimal(float(entry)) for entry in row] for row in weights]
        m = [[Decimal(1), Decimal(0)], [Decimal(0), Decimal(1)]]
        for _ in range(steps):
            trace_of_gram = sum(entry * entry for row in m for entry in row)
            determinant = (m[0][0] * m[1][1] - m[0][1] * m[1][0]) ** 2
            largest = (trace_of_gram + (trace_of_gram**2 - 4 * determinant).sqrt()) / 2
            found.append(float(largest.log10() / 2))
            m = [[sum((m[i][k] * w[k][j] for k in range(2)), Decimal(0)) for j in range(2)] for i in range(2)]
    return found


@pytest.mark.parametrize("scale", [1e-4, 0.3, 1.0, 1e4])
def test_products_far_outside_of_float64_come_out_right(scale: float) -> None:
    weights = scale * np.random.default_rng(3).normal(size=(2, 2))
    curve = trace(linear(weights), np.zeros((400, 1)), dtype="float64", memory=True)["jac.rnn.0.hidden_state"]
    oracle = decimal_norms(weights, 400)[::-1]
    assert abs(oracle[0]) > (1000 if scale in {1e-4, 1e4} else 0)
    np.testing.assert_allclose(curve, oracle, rtol=1e-10, atol=1e-10)


def test_without_recurrent_weights_only_the_direct_path_is_left() -> None:
    """Jacobians are then diagonal, and which unit keeps most changes on the way: nothing leads from one to the next."""
    module = nn.LSTM(3, 20)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").zero_()
        module.get_parameter("weight_ih_l0").mul_(4)
    traced = trace(module, values(400, 3), dtype="float64", memory=True)
    kept = np.log10(traced["lstm.0.forget_gate"])
    sums = np.vstack([kept[1:][::-1].cumsum(axis=0)[::-1], np.zeros((1, 20))])
    assert len(set(sums.argmax(axis=1))) > 1
    np.testing.assert_allclose(traced["jac.lstm.0.direct_path"], sums.max(axis=1), atol=1e-9)
    np.testing.assert_allclose(traced["jac.lstm.0.cell_state"], sums.max(axis=1), atol=1e-9)


def test_a_saturated_forget_gate_keeps_its_direct_path() -> None:
    module = nn.LSTM(1, 2)
    with torch.no_grad():
        module.get_parameter("bias_ih_l0")[2:4] = -200.0
    traced = trace(module, values(3, 1), memory=True)
    before = traced["lstm.0.forget_gate.preactivation"].astype(np.float64)
    assert traced["lstm.0.forget_gate"].max() < 1e-30
    np.testing.assert_allclose(traced["jac.lstm.0.direct_path"][1], before[2].max() / np.log(10), rtol=1e-6)


def test_nothing_survives_dead_units() -> None:
    module = nn.RNN(1, 3, nonlinearity="relu")
    x = np.ones((8, 1), np.float32)
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(0.5)
        module.get_parameter("weight_ih_l0").fill_(1.0)
    x[4] = -1000.0
    curve = trace(module, x, memory=True)["jac.rnn.0.hidden_state"]
    assert (curve[:4] == -np.inf).all()
    assert np.isfinite(curve[4:]).all()


def test_what_is_not_finite_is_shown_from_there_back() -> None:
    x = values(12, 2)
    x[7] = np.nan
    curve = trace(new_network("lstm", 2, 3), x, memory=True)["jac.lstm.0.cell_state"]
    assert np.isnan(curve[:11]).all()


@pytest.mark.parametrize("kind", ["lstm", "rnn", "gru"])
def test_probes_enclose_what_they_stand_for(kind: str) -> None:
    network = new_network(kind, 3, 40, seed=1)
    traced = trace(network, values(150, 3), gradients=False)
    exact, probed = memory_curves(traced), memory_curves(traced, exact_units=39)
    for state in network.cell.states:
        name = f"jac.{kind}.0.{state}"
        assert (probed[f"{name}.low"] <= exact[name] + 1e-9).all()
        assert (probed[f"{name}.high"] >= exact[name]).all()
        assert (probed[f"{name}.high"] - probed[f"{name}.low"]).max() < 1.5
        assert np.abs(probed[name] - exact[name]).max() < np.log10(2)
        assert exact[name][-1] == pytest.approx(0, abs=1e-12)
        # No estimate is needed for what a change is before anything follows.
        assert [probed[f"{name}{bound}"][-1] for bound in ("", ".low", ".high")] == [0, 0, 0]
        assert f"{name}.low" not in exact


class Loop(nn.Module):
    """Calls an LSTM cell in a loop, and goes over the sequence a second time with the same weights."""

    def __init__(self, module: nn.LSTM) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(module.input_size, module.hidden_size)
        self.cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in module.state_dict().items()})

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):
            h = c = torch.zeros(1, self.cell.hidden_size)
            for x_t in x:
                h, c = self.cell(x_t[None], (h, c))
        return h


def test_a_loop_over_a_cell_has_the_curves_of_the_layer() -> None:
    module = nn.LSTM(2, 3)
    oracle = trace(module, values(9, 2), memory=True)
    traced = trace(Loop(module), values(9, 2), memory=True)
    for path in ("cell", "cell#2"):
        for curve in ("hidden_state", "cell_state", "direct_path"):
            np.testing.assert_allclose(traced[f"jac.{path}.0.{curve}"], oracle[f"jac.lstm.0.{curve}"], atol=1e-5)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_loop_that_changes_its_states_between_the_steps_has_none(factor: float) -> None:
    class Looped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = torch.nn.GRUCell(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = x.new_zeros(1, 4)
            for event in x:
                h = factor * self.cell(event, h)
            return h

    model, x = Looped(), torch.randn(6, 1, 3)
    traced = trace(model, x)
    assert traced.layers[0].changed is (factor != 1.0)
    if factor == 1.0:
        assert np.isfinite(memory_curves(traced)["jac.cell.0.hidden_state"]).all()
        return
    for wanted in (memory_curves, lyapunov_exponents):
        with pytest.raises(TraceError, match=r"changes the states of cell\.0 between its steps"):
            wanted(traced)


def test_curves_are_saved_with_the_trace(tmp_path: Path) -> None:
    traced = trace(new_network("lstm", 2, 3, bidirectional=True), values(7, 2), memory=True)
    assert {name for name in traced.names if name.startswith("jac.")} == {
        f"jac.{prefix}.{curve}"
        for prefix in ("lstm.0", "lstm.0.reverse")
        for curve in ("hidden_state", "cell_state", "direct_path")
    }
    assert traced["jac.lstm.0.hidden_state"][-1] == pytest.approx(0.0, abs=1e-12)
    assert traced["jac.lstm.0.reverse.cell_state"][0] == pytest.approx(0.0, abs=1e-12)
    traced.save(tmp_path / "t.npz")
    np.testing.assert_array_equal(
        load_trace(tmp_path / "t.npz")["jac.lstm.0.cell_state"], traced["jac.lstm.0.cell_state"]
    )


def test_a_trace_from_a_file_needs_its_network(tmp_path: Path) -> None:
    network = new_network("rnn", 2, 3, seed=4)
    traced = trace(network, values(7, 2))
    traced.save(tmp_path / "t.npz")
    loaded = load_trace(tmp_path / "t.npz")
    with pytest.raises(TraceError, match="without its network"):
        memory_curves(loaded)
    np.testing.assert_array_equal(
        memory_curves(loaded, network)["jac.rnn.0.hidden_state"], memory_curves(traced)["jac.rnn.0.hidden_state"]
    )
    with pytest.raises(TraceError, match="weights of the network are not those"):
        memory_curves(loaded, new_network("rnn", 2, 3, seed=5))


def test_going_back_can_be_cancelled_between_steps_and_never_moves_backwards() -> None:
    traced = trace(new_network("lstm", 2, 3, 2), values(200, 2), gradients=False)
    told: list[float] = []

    def listen(fraction: float, words: str) -> None:
        told.append(fraction)
        if words.endswith("lstm.1") and len(told) > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        memory_curves(traced, progress=listen)
    assert told == sorted(told)
    assert 0.5 <= told[-1] < 1
