"""The itemised gradient against autograd, once for the loss of each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_studio import Sequence, TraceError, new_network, trace
from lstm_studio.engine import devices
from lstm_studio.engine.itemised import itemised_gradient
from lstm_studio.engine.lyapunov import lyapunov_exponents
from lstm_studio.progress import Cancelled
from tests.engine.test_tracing import KINDS, NO_PROJECTION_IN_ONEDNN, values
from tests.engine.unrolled import unrolled

STEPS = 11


def one_by_one(losses: Tensor, nodes: list[Tensor]) -> np.ndarray[Any, Any]:
    """Return (T, T, ·): the gradient of each loss with respect to each node."""
    rows = []
    for loss in losses:
        found = torch.autograd.grad(loss, nodes, retain_graph=True, allow_unused=True, materialize_grads=True)
        rows.append(torch.stack(found))
    return torch.stack(rows).numpy()


def assert_itemised(found: Any, oracle: np.ndarray[Any, Any]) -> None:
    total = oracle.sum(axis=0)
    norms = np.linalg.norm(total, axis=1)
    np.testing.assert_allclose(found.total, norms, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.norms, np.linalg.norm(oracle, axis=2), rtol=1e-9, atol=1e-14)
    shares = (oracle * total).sum(axis=2) / np.where(norms > 0, norms, 1)
    np.testing.assert_allclose(found.shares, shares, rtol=1e-8, atol=1e-13)
    np.testing.assert_allclose(found.shares.sum(axis=0), found.total, rtol=1e-9, atol=1e-13)


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize(("kind", "options"), [case for case in KINDS if case[0] in {"lstm", "rnn"}])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_each_loss_goes_back_as_if_it_were_alone(kind: str, options: dict[str, Any], *, bidirectional: bool) -> None:
    network = new_network(kind, 3, 4, 2, seed=5, bidirectional=bidirectional, **options)
    module = network.recurrent.double()
    assert isinstance(module, nn.RNNBase)
    x = torch.from_numpy(values(STEPS, 3)).double().requires_grad_()
    traced = trace(network, x, dtype="float64", gradients=False)
    output, nodes = unrolled(module, x, kind)
    losses = output.sum(dim=1)
    for layer in traced.layers:
        for state in network.cell.states:
            name = f"{layer.prefix}.{state}"
            steps = [nodes[f"{name}:{step}"] for step in range(STEPS)]
            assert_itemised(itemised_gradient(traced, name), one_by_one(losses, steps))
    rows = [torch.autograd.grad(loss, x, retain_graph=True)[0] for loss in losses]
    assert_itemised(itemised_gradient(traced, "input"), torch.stack(rows).numpy())


@pytest.mark.parametrize("readout", ["values", "classes"])
def test_hidden_is_the_sum_of_hidden_states_also_where_there_is_a_read_out(readout: str) -> None:
    network = new_network("lstm", 3, 4, seed=5, outputs=2, readout=readout)
    module = network.recurrent.double()
    assert isinstance(module, nn.RNNBase)
    x = torch.from_numpy(values(STEPS, 3)).double()
    traced = trace(network, x, dtype="float64", gradients=False)
    output, nodes = unrolled(module, x, "lstm")
    for state in network.cell.states:
        steps = [nodes[f"lstm.0.{state}:{step}"] for step in range(STEPS)]
        assert_itemised(itemised_gradient(traced, f"lstm.0.{state}"), one_by_one(output.sum(dim=1), steps))


@pytest.mark.parametrize("kind", ["lstm", "gru", "lstm-article", "lstm-1997"])
@pytest.mark.parametrize(
    ("readout", "objective", "target"),
    [
        ("values", "next-step", None),
        ("classes", "next-step", None),
        ("values", "target", values(STEPS, 3, seed=2)),
        ("classes", "target", np.arange(STEPS) % 3),
        ("classes", "target", np.eye(3, dtype=np.float32)[np.arange(STEPS) % 3]),
    ],
)
def test_the_terms_add_up_to_the_gradient_of_the_trace(
    kind: str, readout: str, objective: str, target: np.ndarray[Any, Any] | None
) -> None:
    network = new_network(kind, 3, 4, seed=5, outputs=3, readout=readout)
    sequence = Sequence(values(STEPS, 3), ("a", "b", "c"), target=target)
    traced = trace(network, sequence, dtype="float64", objective=objective)
    for state in network.cell.states:
        found = itemised_gradient(traced, f"{kind}.0.{state}", objective)
        np.testing.assert_allclose(found.total, traced[f"norm.grad.{kind}.0.{state}"], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(found.shares.sum(axis=0), found.total, rtol=1e-6, atol=1e-12)
        # A loss is felt at its own step and before.
        assert not np.triu(found.norms, 1).any()


def test_rows_go_back_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = trace(new_network("lstm", 2, 3, seed=1), values(20, 2), dtype="float64", gradients=False)
    whole = itemised_gradient(traced, "lstm.0.cell_state")
    monkeypatch.setattr("lstm_studio.engine.itemised._ENTRIES", 20 * 3 * 7)
    blocks = itemised_gradient(traced, "lstm.0.cell_state")
    np.testing.assert_allclose(blocks.shares, whole.shares, rtol=1e-12, atol=1e-15)


def test_small_products_are_not_shared_out_among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two cores that were busy, 500 steps of two layers of 128 units took a minute so, and 3 s with one thread."""
    told: list[int] = [2]
    monkeypatch.setattr(devices, "_openblas", lambda: (lambda: told[-1], told.append))
    seen: list[int] = []
    original = trace(nn.GRU(2, 3), values(6, 2), gradients=False)
    itemised_gradient(original, "input", progress=lambda share, words: seen.append(told[-1]))
    assert seen == [1]
    assert told[-1] == 2
    lyapunov_exponents(original)
    assert told[-2:] == [1, 2]


def test_a_function_may_give_the_losses() -> None:
    network = new_network("rnn", 2, 3, seed=1)
    traced = trace(network, values(9, 2), dtype="float64", gradients=False)
    found = itemised_gradient(traced, "rnn.0.hidden_state", lambda hidden: hidden.square().sum(dim=1))
    energy = trace(network, values(9, 2), dtype="float64", objective=lambda output: output.square().sum())
    np.testing.assert_allclose(found.total, energy["norm.grad.rnn.0.hidden_state"], rtol=1e-9)


@pytest.mark.parametrize(
    ("outputs", "objective", "message"),
    [
        (0, "last-hidden", "no sum over steps"),
        (0, "target", "needs a read-out"),
        (2, "target", "target is missing"),
        (3, "next-step", "read-out gives 3 values"),
        (0, lambda hidden: hidden.sum(), "does not return a loss for each step"),
        (0, lambda hidden: hidden.sum(dim=1).cumsum(0), "depends on the output at another"),
    ],
)
def test_an_objective_that_is_no_sum_over_steps_says_so(outputs: int, objective: Any, message: str) -> None:
    traced = trace(new_network("lstm", 2, 3, outputs=outputs), values(9, 2), gradients=False)
    with pytest.raises(TraceError, match=message):
        itemised_gradient(traced, "lstm.0.cell_state", objective)


def test_what_cannot_be_itemised_says_so() -> None:
    traced = trace(new_network("lstm", 2, 3), values(9, 2), gradients=False)
    with pytest.raises(TraceError, match=r"no state 'lstm\.0\.forget_gate'"):
        itemised_gradient(traced, "lstm.0.forget_gate")
    window = trace(new_network("tdnn", 2, 3), values(9, 2), gradients=False)
    with pytest.raises(TraceError, match="reads several steps at once"):
        itemised_gradient(window, "input")
    assert (itemised_gradient(window, "tdnn.0.hidden_state").norms > 0).sum() == 9
    model = nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 3))
    with pytest.raises(TraceError, match="neither a Network nor a bare"):
        itemised_gradient(trace(model, values(9, 2), gradients=False), "1.0.cell_state")


def test_norms_below_the_root_of_the_smallest_number_are_not_lost() -> None:
    network = new_network("rnn", 2, 1, seed=1)
    with torch.no_grad():
        network.recurrent.get_parameter("weight_hh_l0").fill_(1e-8)
    traced = trace(network, 0.01 * values(30, 2), dtype="float64", objective="last-hidden")
    found = itemised_gradient(traced, "rnn.0.hidden_state")
    oracle = traced["norm.grad.rnn.0.hidden_state"]
    assert 1e-240 < oracle[0] < 1e-200
    np.testing.assert_allclose(found.norms[-1], oracle, rtol=1e-9)
    # Of each step its own loss outweighs all others.
    np.testing.assert_allclose(found.total, 1.0, rtol=1e-6)


def test_blocks_tell_how_far_they_are_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = trace(new_network("lstm", 2, 3, seed=1), values(20, 2), gradients=False)
    monkeypatch.setattr("lstm_studio.engine.itemised._ENTRIES", 20 * 3 * 5)
    told: list[float] = []
    itemised_gradient(traced, "lstm.0.cell_state", progress=lambda fraction, _: told.append(fraction))
    assert told == [0.0, 0.25, 0.5, 0.75]

    def refuse(fraction: float, words: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        itemised_gradient(traced, "lstm.0.cell_state", progress=refuse)
