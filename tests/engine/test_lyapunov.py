"""Lyapunov exponents against known spectra, determinants and the memory curves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lstm_studio import TraceError, new_network, trace
from lstm_studio.engine.lyapunov import lyapunov_exponents
from lstm_studio.engine.recurrences import recurrences
from tests.engine.test_jacobians import linear
from tests.engine.test_tracing import values


def test_a_linear_network_has_the_logarithms_of_its_eigenvalues() -> None:
    generator = np.random.default_rng(0)
    basis = generator.normal(size=(4, 4))
    eigenvalues = np.array([1.5, -0.8, 0.3, 1e-3])
    weights = basis @ np.diag(eigenvalues) @ np.linalg.inv(basis)
    exponents = lyapunov_exponents(trace(linear(weights), np.zeros((400, 1)), dtype="float64"))["rnn.0"]
    np.testing.assert_allclose(exponents, np.log(np.abs(eigenvalues)), atol=1e-6)


def test_a_pair_of_complex_eigenvalues_grows_at_one_rate() -> None:
    angle = 0.7
    turn = 0.9 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    exponents = lyapunov_exponents(trace(linear(turn), np.zeros((100, 1)), dtype="float64"))["rnn.0"]
    np.testing.assert_allclose(exponents, [np.log(0.9)] * 2, rtol=1e-10)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn", "lstm-article"])
def test_all_together_are_the_mean_of_the_determinants(kind: str) -> None:
    network = new_network(kind, 2, 5, seed=3)
    traced = trace(network, values(100, 2), dtype="float64", gradients=False)
    (found,) = recurrences(traced)
    sizes = [found.signals[state].shape[1] for state in found.cell.states]
    pull_back = found.cell.pull_back(found.weights, found.signals)
    identity = tuple(np.split(np.eye(sum(sizes)), np.cumsum(sizes)[:-1], axis=1))
    determinants = [
        np.linalg.slogdet(np.concatenate(pull_back(step, identity).before, axis=1))[1] for step in range(90)
    ]
    exponents = lyapunov_exponents(traced, count=100)[f"{kind}.0"]
    assert exponents.shape == (sum(sizes),)
    assert (np.diff(exponents) <= 0).all()
    assert exponents.sum() == pytest.approx(np.mean(determinants), rel=1e-9)
    assert lyapunov_exponents(traced, count=1)[f"{kind}.0"] == pytest.approx(exponents[:1], rel=0.05)


@pytest.mark.parametrize(("gain", "sign"), [(0.3, -1), (6.0, 1)])
def test_the_largest_tells_vanishing_from_exploding(gain: float, sign: int) -> None:
    """Random recurrent weights of deviation g/√H are chaotic for a large gain g (Sompolinsky et al. 1988)."""
    module = nn.RNN(1, 60, bias=False)
    with torch.no_grad():
        nn.init.normal_(module.get_parameter("weight_hh_l0"), std=gain / 60**0.5, generator=torch.Generator())
    traced = trace(module, 0.1 * values(400, 1), memory=True)
    largest = lyapunov_exponents(traced, count=1)["rnn.0"][0]
    assert np.sign(largest) == sign
    curve = traced["jac.rnn.0.hidden_state"]
    slope = (curve[50] - curve[350]) / 300 * np.log(10)
    assert largest == pytest.approx(slope, abs=0.1)


def test_directions_that_lead_nowhere_are_told_from_those_that_fade() -> None:
    """Of 5 hidden states, 5 cell states and 10 gates that are read, the hidden states follow from the others."""
    network = new_network("lstm-1997", 2, 5, seed=3, gate_recurrence=True)
    traced = trace(network, values(100, 2), dtype="float64", gradients=False)
    exponents = lyapunov_exponents(traced, count=100)["lstm-1997.0"]
    assert exponents.shape == (20,)
    assert (exponents[:15] > -20).all()
    assert (exponents[15:] < -30).all()


def test_reverse_layers_have_their_own() -> None:
    traced = trace(new_network("rnn", 2, 3, bidirectional=True), values(30, 2))
    assert set(lyapunov_exponents(traced)) == {"rnn.0", "rnn.0.reverse"}


def test_what_is_not_finite_has_no_exponents() -> None:
    x = values(12, 2)
    x[7] = np.nan
    assert np.isnan(lyapunov_exponents(trace(new_network("lstm", 2, 3), x))["lstm.0"]).all()


def test_none_is_too_few() -> None:
    with pytest.raises(TraceError, match="count is 0"):
        lyapunov_exponents(trace(new_network("rnn", 2, 3), values(5, 2)), count=0)
