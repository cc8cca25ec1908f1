"""The weights of one unit, asked of the worker; the terms then follow from the trace."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.engine.terms import terms_at
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.samples import load_sample, sample_names
from lstm_studio.session.start import stored_result
from lstm_studio.session.state import Result, Setup
from lstm_studio.session.unit_weights import UnitWeights
from tests.session.test_session import make_data


def totals(result: Result, network: int, unit: int) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    trace = result.traces[network]
    answered = Computer().answer(UnitWeights(result, network, trace.layers[0].prefix, unit), ignore_progress)
    assert isinstance(answered, Answered)
    return {
        each.name: np.array([terms_at(each, trace, step).total for step in range(trace.steps)])
        for each in answered.content
    }


@pytest.mark.parametrize("name", sample_names())
def test_the_terms_of_the_stored_samples_sum_to_their_stored_pre_activations(name: str) -> None:
    result = stored_result(load_sample(name))
    for network, trace in enumerate(result.traces):
        found = totals(result, network, 5)
        assert len(found) == {"lstm": 4, "rnn": 1}[trace.layers[0].kind]
        for each, total in found.items():
            np.testing.assert_allclose(total, trace[each][:, 5], rtol=1e-5, atol=2e-5)


def test_both_networks_of_a_setup_answer_for_themselves() -> None:
    setup = Setup(make_data(steps=6), network=NetworkSpec("gru", hidden_size=3, seed=1))
    result = Computer().compute(setup, ignore_progress)
    for network, prefix in enumerate(("gru.0", "rnn.0")):
        found = totals(result, network, 2)
        assert all(name.startswith(prefix) for name in found)
        for name, total in found.items():
            np.testing.assert_allclose(total, result.traces[network][name][:, 2], rtol=1e-5, atol=1e-6)
