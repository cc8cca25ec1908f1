"""The gradient by lag of held-out sequences, against traces of each of them."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_studio as ls
from lstm_studio.tasks.adding_halves import AddingHalves
from lstm_studio.tasks.temporal_order import TemporalOrder
from lstm_studio.training.horizon import ITEMS, horizon

TASK = TemporalOrder(length=24, spread=4)


@pytest.mark.parametrize("kind", ["lstm", "rnn", "gru", "lstm-1997", "tdnn"])
@pytest.mark.parametrize("layers", [1, 2])
def test_gradients_by_lag_are_those_of_traces_of_the_same_sequences(kind: str, layers: int) -> None:
    network = ls.new_network(kind, input_size=8, hidden_size=6, layers=layers, outputs=4, seed=5)
    batch = TASK.draw(ITEMS + 4, np.random.default_rng(1))
    assert len(set(batch.lengths[:ITEMS])) > 1
    found = horizon(network, batch)
    traces = [ls.trace(network, sequence, objective="last-hidden") for sequence in TASK.as_set(batch, 1)[:ITEMS]]
    longest = max(batch.lengths[:ITEMS])
    assert list(found.lags) == [str(layer) for layer in range(layers)]
    gates = []
    for layer in range(layers):
        assert set(found.lags[str(layer)]) == set(network.cell.states)
        for state, by_lag in found.lags[str(layer)].items():
            rows = [trace[f"norm.grad.{kind}.{layer}.{state}"] for trace in traces]
            assert len(by_lag) == longest
            for lag in range(longest):
                norms = np.array([row[len(row) - 1 - lag] for row in rows if len(row) > lag])
                assert by_lag[lag] == pytest.approx(np.sqrt(np.mean(norms**2)), rel=1e-5, abs=0.0)
        if kind == "lstm":
            gates += [trace[f"lstm.{layer}.forget_gate"] for trace in traces]
    if kind == "lstm":
        assert found.forget_gate == pytest.approx(np.concatenate(gates).mean(), rel=1e-5)
    else:
        assert found.forget_gate is None


def test_what_has_nearly_vanished_is_not_zero_and_many_lags_are_thinned() -> None:
    network = ls.new_network("rnn", input_size=2, hidden_size=3, outputs=1, seed=0)
    weight = network.recurrent.get_parameter("weight_hh_l0")
    weight.data.mul_(0.5)
    batch = AddingHalves(1100).draw(1, np.random.default_rng(2))
    found = horizon(network, batch)
    row = found.lags["0"]["hidden_state"]
    assert found.lags["0"]["every"] == 3
    assert len(row) == 367
    trace = ls.trace(network, batch.inputs[:, 0], objective="last-hidden")
    norms = trace["norm.grad.rnn.0.hidden_state"][::-1][::3]
    assert 0.0 < min(norm for norm in row if norm) < 1e-200
    assert row == pytest.approx(norms, rel=1e-5, abs=0.0)


def test_of_long_sequences_fewer_are_taken() -> None:
    network = ls.new_network("rnn", input_size=2, hidden_size=3, outputs=1, seed=0)
    batch = AddingHalves(3000).draw(4, np.random.default_rng(2))
    traces = [ls.trace(network, batch.inputs[:, item], objective="last-hidden") for item in range(4)]
    found = horizon(network, batch).lags["0"]
    every = found["every"]
    assert every == 6
    near = np.array([trace["norm.grad.rnn.0.hidden_state"][-1 - every] for trace in traces])
    assert found["hidden_state"][1] == pytest.approx(np.sqrt(np.mean(near[:2] ** 2)), rel=1e-5)
