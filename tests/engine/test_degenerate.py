"""The smallest, the emptiest and the worst that can be traced."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from lstm_studio import Sequence, TraceError, new_network, trace
from tests.engine.test_tracing import values


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
@pytest.mark.parametrize(("steps", "features", "units"), [(1, 1, 1), (1, 3, 4), (5, 1, 4), (5, 3, 1), (2, 1, 1)])
def test_sizes_of_one(kind: str, steps: int, features: int, units: int) -> None:
    traced = trace(new_network(kind, features, units), values(steps, features))
    assert traced[f"{kind}.0.hidden_state"].shape == (steps, units)
    assert traced["grad.input"].shape == (steps, features)
    assert traced["norm.grad.input"].shape == (steps,)
    assert traced.recovery_error < 1e-6


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_a_constant_sequence(kind: str) -> None:
    traced = trace(new_network(kind, 2, 3), np.zeros((50, 2)))
    hidden = traced[f"{kind}.0.hidden_state"]
    np.testing.assert_allclose(hidden[-1], hidden[-2], atol=1e-3)
    assert traced.provenance.non_finite == ()


def test_an_empty_sequence_is_refused() -> None:
    sequence = Sequence(np.zeros((0, 3), np.float32), ("a", "b", "c"), name="nothing")
    with pytest.raises(TraceError, match="'nothing' has no steps") as raised:
        trace(new_network("lstm", 3, 4), sequence)
    assert raised.value.cure == "Give at least one step."


@pytest.mark.parametrize("outputs", [0, 2])
def test_a_wrong_number_of_features_names_both(outputs: int) -> None:
    with pytest.raises(TraceError, match=r"has 3 features a step, the network \(seed 9\) takes 5") as raised:
        trace(new_network("lstm", 5, 4, seed=9, outputs=outputs), values(6, 3))
    assert "input_size=3" in raised.value.cure
    with pytest.raises(TraceError, match=r"has 1 feature a step, the network \(seed 9\) takes 5") as raised:
        trace(new_network("lstm", 5, 4, seed=9, outputs=outputs), values(6, 1))
    assert raised.value.cure == "Choose a network for 1 feature (input_size=1), or a sequence with 5 features."


@pytest.mark.parametrize("kind", [">f8", "<f4", ">i2", "u2", "g", "?"])
def test_numbers_may_lie_in_memory_as_they_like(kind: str) -> None:
    module = torch.nn.LSTM(4, 3)
    x = (10 * values(8, 6)).astype(kind)[::-2, ::-1][:, 1:5]
    plain = trace(module, np.array(x, np.float32))
    np.testing.assert_array_equal(trace(module, x)["lstm.0.hidden_state"], plain["lstm.0.hidden_state"])


@pytest.mark.parametrize(
    "sequence", [{"x": 1}, None, "abc", [[1, 2], [3]], values(5, 4) * 1j, torch.zeros(5, 4).to_sparse()]
)
@pytest.mark.parametrize("model", [torch.nn.LSTM(4, 3), torch.nn.Sequential(torch.nn.LSTM(4, 3))])
def test_what_is_no_array_of_numbers_is_refused(model: torch.nn.Module, sequence: Any) -> None:
    with pytest.raises(TraceError, match="The sequence is"):
        trace(model, sequence)


@pytest.mark.parametrize(
    "module", [torch.nn.LSTM(4, 3, device="meta"), torch.nn.Sequential(torch.nn.LazyLinear(4), torch.nn.LSTM(4, 3))]
)
def test_a_model_without_weights_is_refused(module: torch.nn.Module) -> None:
    with pytest.raises(TraceError, match="has weights without numbers"):
        trace(module, values(5, 4))


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(TraceError, match="3 is no network"):
        trace(cast(Any, 3), values(5, 4))


def test_a_vector_is_refused() -> None:
    with pytest.raises(TraceError, match="1 axes"):
        trace(new_network("lstm", 5, 4), np.zeros(5))


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_nan_is_shown_from_where_it_began(kind: str, bidirectional: bool) -> None:
    x = values(20, 3)
    x[7, 1] = np.nan
    traced = trace(new_network(kind, 3, 4, bidirectional=bidirectional), x)
    hidden = traced[f"{kind}.0.hidden_state"]
    assert np.isfinite(hidden[:7]).all()
    assert np.isnan(hidden[7:]).all()
    began = dict(traced.provenance.non_finite)
    assert began["input"] == 7
    assert began[f"{kind}.0.hidden_state"] == 7
    # The objective is the last hidden state: the gradient is NaN from there back, everywhere.
    assert began[f"grad.{kind}.0.hidden_state.preactivation" if kind == "rnn" else "grad.lstm.0.cell_state"] == 19
    if bidirectional:
        reverse = traced[f"{kind}.0.reverse.hidden_state"]
        assert np.isfinite(reverse[8:]).all()
        assert np.isnan(reverse[:8]).all()
        assert began[f"{kind}.0.reverse.hidden_state"] == 7


@pytest.mark.parametrize("kind", ["lstm", "rnn"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, 3e38])
def test_infinite_and_huge_inputs_are_shown(kind: str, value: float) -> None:
    x = values(10, 1)
    x[4] = value
    traced = trace(new_network(kind, 1, 4), x)
    assert np.isfinite(traced[f"{kind}.0.hidden_state"]).all()
    began = dict(traced.provenance.non_finite)
    if np.isinf(value):
        assert began["input"] == 4
        before = "hidden_state.preactivation" if kind == "rnn" else "forget_gate.preactivation"
        assert began[f"{kind}.0.{before}"] == 4
        assert traced["norm.grad.input"][4] == 0


def test_an_exploding_network_is_shown_until_it_overflows_and_after() -> None:
    module = torch.nn.RNN(1, 1, nonlinearity="relu", bias=False)
    with torch.no_grad():
        for weight, value in zip(module.parameters(), (1.0, 10.0), strict=True):
            weight.fill_(value)
    traced = trace(module, np.ones((60, 1)))
    began = dict(traced.provenance.non_finite)
    # 1.1…e38 is the last that float32 holds.
    assert began["rnn.0.hidden_state"] == 39
    assert traced["norm.grad.rnn.0.hidden_state"][0] == pytest.approx(1e59, rel=1e-6)
    # The gradient itself does not overflow: float64 holds it.
    assert traced["grad.rnn.0.hidden_state"][0, 0] == pytest.approx(1e59, rel=1e-6)
    assert not [name for name in began if name.startswith("grad.")]


class Tampered(torch.nn.LSTM):
    """Returns other hidden states than its weights give."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output, states = super().forward(*args, **kwargs)
        return output + 0.01, states


def test_a_recovery_that_fails_names_the_layer() -> None:
    with pytest.raises(TraceError, match=r"lstm\.1: the recomputed hidden state is 0\.0\d+ away") as raised:
        trace(Tampered(2, 3, 2), values(5, 2))
    assert "is its forward pass the ordinary one?" in raised.value.cure


def test_a_recovery_that_fails_where_inputs_are_huge_asks_to_scale_them() -> None:
    """A price without scaling: beside pre-activations of 1e5, float32 has no digits left for what a unit feels."""
    prices = 1e5 * (1 + np.abs(values(5, 2)))
    with pytest.raises(TraceError, match="scale the inputs, or trace in float64"):
        trace(Tampered(2, 3), prices)
    with pytest.raises(TraceError, match="is its forward pass the ordinary one"):
        trace(Tampered(2, 3), prices, dtype="float64")
