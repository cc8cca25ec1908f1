"""The trace against an independent recurrence in float64 NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio import Trace, TraceError, new_network, trace
from lstm_studio.networks.network import Network
from lstm_studio.sequences.sequence import Sequence
from tests.engine.numpy_reference import stack

NO_PROJECTION_IN_ONEDNN = "ignore:LSTM with projections is not supported with oneDNN"
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("lstm", {}),
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu"}),
    ("lstm", {"proj_size": 2}),
]


def weights_of(network: Network) -> dict[str, np.ndarray[Any, Any]]:
    return {name: tensor.double().numpy() for name, tensor in network.recurrent.state_dict().items()}


def expected(network: Network, x: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    sizes = network.sizes
    nonlinearity = network.cell.module_options(network.recurrent).get("nonlinearity", "tanh")
    return stack(
        network.kind,
        x,
        weights_of(network),
        layers=sizes.layers,
        bidirectional=sizes.bidirectional,
        nonlinearity=nonlinearity,
    )


def values(steps: int, features: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(steps, features)).astype(np.float32)


def assert_equal(traced: Trace, oracle: dict[str, np.ndarray[Any, Any]], tolerance: float) -> None:
    signals = {name for name in traced.names if name not in {"input", "output"} and "grad." not in name}
    assert signals == set(oracle)
    for name, array in oracle.items():
        assert traced[name].shape == array.shape
        np.testing.assert_allclose(traced[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
@pytest.mark.parametrize(
    ("layers", "bidirectional", "bias"), list(itertools.product((1, 2, 3), (False, True), (False, True)))
)
def test_every_signal_is_that_of_the_recurrence(
    *, kind: str, options: dict[str, Any], layers: int, bidirectional: bool, bias: bool, dtype: str
) -> None:
    network = new_network(kind, 3, 5, layers, seed=7, bidirectional=bidirectional, bias=bias, **options)
    x = values(23, 3)
    traced = trace(network, x, dtype=dtype)
    # In float32 the module's own rounding enters: a few units in the last place, over 23 steps.
    assert_equal(traced, expected(network, x), 5e-6 if dtype == "float32" else 1e-12)
    assert traced.recovery_error < (1e-6 if dtype == "float32" else 1e-14)
    assert all(array.dtype == dtype for name, array in traced.arrays.items() if "grad." not in name)
    assert len(traced.layers) == layers * (2 if bidirectional else 1)
    for layer in traced.layers:
        assert layer.kind == kind
        assert layer.units == 5
        assert all(f"{layer.prefix}.{signal.name}" in traced for signal in layer.signals)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS[:3]),
    steps=st.integers(1, 40),
    features=st.integers(1, 6),
    units=st.integers(1, 9),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_size_is_traced_exactly(
    *,
    kind: tuple[str, dict[str, Any]],
    steps: int,
    features: int,
    units: int,
    layers: int,
    bidirectional: bool,
    dtype: str,
    seed: int,
) -> None:
    network = new_network(kind[0], features, units, layers, seed, bidirectional=bidirectional, **kind[1])
    x = values(steps, features, seed % 2**32)
    assert_equal(trace(network, x, dtype=dtype), expected(network, x), 2e-5 if dtype == "float32" else 1e-12)


def test_long_sequences_stay_exact() -> None:
    network = new_network("lstm", 2, 8, seed=1)
    x = values(3000, 2)
    assert_equal(trace(network, x, gradients=False), expected(network, x), 1e-5)


def test_the_probabilities_of_a_read_out_are_shown() -> None:
    network = new_network("lstm", 3, 5, seed=2, outputs=4)
    x = values(9, 3)
    traced = trace(network, x)
    readout = network.readout
    assert readout is not None
    weight, bias = readout.weight.detach().numpy(), readout.bias.detach().numpy()
    scores = np.exp(traced["lstm.0.hidden_state"] @ weight.T + bias)
    np.testing.assert_allclose(traced["output"], scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)


def test_the_values_of_a_read_out_are_shown_as_they_are() -> None:
    network = new_network("rnn", 3, 5, seed=2, outputs=1, readout="values")
    traced = trace(network, values(9, 3))
    readout = network.readout
    assert readout is not None
    weight, bias = readout.weight.detach().numpy(), readout.bias.detach().numpy()
    np.testing.assert_allclose(traced["output"], traced["rnn.0.hidden_state"] @ weight.T + bias, rtol=1e-4, atol=1e-6)


def test_what_produced_a_trace_is_told() -> None:
    network = new_network("lstm", 2, 3, seed=5)
    sequence = Sequence(values(4, 2), ("a", "b"))
    told = trace(network, sequence).provenance
    assert told.network == network.fingerprint
    assert told.sequence == sequence.fingerprint
    assert (told.objective, told.device, told.dtype, told.gradient_dtype) == (
        "last-hidden",
        "cpu",
        "float32",
        "float32",
    )
    without = trace(network, sequence, gradients=False)
    assert without.provenance.objective == without.provenance.gradient_dtype == ""
    assert not any("grad." in name for name in without.names)


@pytest.mark.parametrize("batch_first", [False, True])
def test_one_item_of_a_batch_is_traced(batch_first: bool) -> None:
    module = torch.nn.LSTM(3, 4, 2, bidirectional=True, batch_first=batch_first)
    batch = torch.randn(5, 11, 3)  # (B, T, F)
    traced = trace(module, batch if batch_first else batch.transpose(0, 1), item=3)
    alone = trace(module, batch[3])
    for name in alone.names:
        np.testing.assert_allclose(traced[name], alone[name], rtol=1e-5, atol=1e-7, err_msg=name)


def test_items_are_counted_from_0() -> None:
    with pytest.raises(TraceError, match="no item 2 in a batch of 2"):
        trace(torch.nn.LSTM(3, 4), np.zeros((5, 2, 3)), item=2)


def test_the_arrays_cannot_be_written() -> None:
    traced = trace(new_network("lstm", 2, 3), values(4, 2))
    for name in traced.names:
        assert not traced[name].flags.writeable


def test_float64_weights_are_traced_in_float32_and_left_as_they_are() -> None:
    module = torch.nn.RNN(2, 3).double()
    x = values(6, 2)
    assert trace(module, x)["rnn.0.hidden_state"].dtype == np.float32
    assert module.weight_hh_l0.dtype == torch.float64
    assert trace(module, x, dtype="float64").recovery_error < 1e-14


def test_a_wrong_precision_is_refused() -> None:
    with pytest.raises(TraceError, match=r"^dtype is 'float16'\..*'float32', 'float64'"):
        trace(torch.nn.RNN(2, 3), np.zeros((4, 2)), dtype="float16")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("kind", ["lstm", "rnn"])
def test_cuda_gives_the_same_trace(kind: str) -> None:
    network = new_network(kind, 3, 6, 2, bidirectional=True)
    x = values(50, 3)
    here, there = trace(network, x), trace(network, x, device="cuda")
    assert there.provenance.device == "cuda"
    for name in here.names:
        np.testing.assert_allclose(there[name], here[name], rtol=1e-3, atol=1e-5, err_msg=name)
