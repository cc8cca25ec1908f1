"""The terms of a pre-activation, against the trace, the matrices and a loop over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from lstm_studio import new_network, resume, trace
from lstm_studio.engine.terms import Terms, UnitSource, UnitSum, terms_at, unit_sums
from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.errors import TraceError
from lstm_studio.networks.sums import Squash
from tests.engine.test_tracing import values

STEPS, FEATURES, UNITS = 7, 3, 6
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("lstm", {}),
    ("lstm", {"bias": False}),
    ("lstm", {"layers": 2, "bidirectional": True}),
    ("lstm", {"proj_size": 4, "layers": 2}),
    ("gru", {}),
    ("gru", {"bias": False, "bidirectional": True}),
    ("rnn", {"nonlinearity": "relu"}),
    ("rnn", {"layers": 2}),
    ("lstm-article", {}),
    ("lstm-article", {"bias": False, "layers": 2}),
    ("lstm-1997", {}),
    ("lstm-1997", {"block_size": 2}),
    ("lstm-1997", {"block_size": 3, "gate_recurrence": True, "layers": 2}),
    ("tdnn", {"window": 3, "layers": 2}),
    ("feedforward", {}),
]


def with_biases(network: Any) -> Any:
    """Give all biases other values than zero, so that one that is forgotten shows."""
    with torch.no_grad():
        for name, weight in network.module.named_parameters():
            if "bias" in name:
                weight.copy_(torch.linspace(-1, 1, weight.numel()))
    return network


def the_sum(traced: Trace, prefix: str, unit: int, name: str) -> UnitSum:
    return next(each for each in unit_sums(traced, prefix, unit) if each.name == f"{prefix}.{name}.preactivation")


def traced_with(kind: str, options: dict[str, Any]) -> tuple[Trace, Any]:
    network = with_biases(new_network(kind, FEATURES, UNITS, seed=4, **options))
    return trace(network, values(STEPS, FEATURES), gradients=False, dtype="float64"), network


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_all_terms_sum_to_the_pre_activation(kind: str, options: dict[str, Any]) -> None:
    traced, _ = traced_with(kind, options)
    for layer in traced.layers:
        declared = [f"{layer.prefix}.{each.name}" for each in layer.signals if each.name.endswith(".preactivation")]
        for unit in range(UNITS):
            sums = unit_sums(traced, layer.prefix, unit)
            assert [each.name for each in sums] == declared
            for each in sums:
                before = traced[each.name][:, each.column]
                after = traced[each.name.removesuffix(".preactivation")][:, each.column]
                for step in range(STEPS):
                    terms = terms_at(each, traced, step, largest=10_000)
                    assert terms.total == pytest.approx(before[step], rel=1e-12, abs=1e-12)
                    again = sum(term.product for term in terms.largest) + terms.bias
                    assert again == pytest.approx(before[step], rel=1e-12, abs=1e-12)
                    assert (terms.rest, terms.others) == (0.0, 0)
                    assert each.squash.of(terms.total) == pytest.approx(after[step], rel=1e-12, abs=1e-12)


def test_units_of_a_block_share_the_terms_of_their_gates_and_not_of_their_candidates() -> None:
    traced, _ = traced_with("lstm-1997", {"block_size": 2})
    first, second = ({each.name: each for each in unit_sums(traced, "lstm-1997.0", unit)} for unit in (2, 3))
    for name in first:
        same = np.array_equal(first[name].sources[0].weights, second[name].sources[0].weights)
        assert same == ("gate" in name), name


def test_a_term_is_the_entry_of_the_matrix_times_the_value() -> None:
    traced, network = traced_with("lstm", {})
    module = network.recurrent.requires_grad_(False)
    step, unit = 4, 2
    forget = the_sum(traced, "lstm.0", unit, "forget_gate")
    terms = terms_at(forget, traced, step, largest=FEATURES + UNITS)
    row = UNITS + unit
    wanted = {
        ("input", index, 0): (float(module.weight_ih_l0[row, index]), float(traced["input"][step, index]))
        for index in range(FEATURES)
    }
    wanted |= {
        ("hidden_state", index, 1): (
            float(module.weight_hh_l0[row, index]),
            float(traced["lstm.0.hidden_state"][step - 1, index]),
        )
        for index in range(UNITS)
    }
    found = {(term.signal, term.index, term.lag): (term.weight, term.value) for term in terms.largest}
    assert found == wanted
    sizes = [abs(term.product) for term in terms.largest]
    assert sizes == sorted(sizes, reverse=True)
    assert terms.bias == pytest.approx(float(module.bias_ih_l0[row] + module.bias_hh_l0[row]))


def test_the_rest_is_what_is_not_named_and_zeros_are_never_named() -> None:
    traced, _ = traced_with("gru", {})
    candidate = the_sum(traced, "gru.0", 1, "candidate")
    whole = terms_at(candidate, traced, 5, largest=FEATURES + UNITS)
    few = terms_at(candidate, traced, 5, largest=2)
    assert few.largest == whole.largest[:2]
    assert few.rest == pytest.approx(sum(term.product for term in whole.largest[2:]))
    assert few.others == FEATURES + UNITS - 2
    assert few.total == whole.total
    first = terms_at(candidate, traced, 0, largest=FEATURES + UNITS)
    assert {term.signal for term in first.largest} == {"input"}, "there is no state before the first step"


def test_what_a_gate_multiplies_says_so() -> None:
    traced, network = traced_with("gru", {})
    network.recurrent.requires_grad_(False)
    step, unit = 3, 4
    candidate = the_sum(traced, "gru.0", unit, "candidate")
    terms = terms_at(candidate, traced, step, largest=FEATURES + UNITS)
    gate = traced["gru.0.reset_gate"][step, unit]
    for term in terms.largest:
        recurrent = term.signal == "hidden_state"
        assert term.factor == (gate if recurrent else 1.0)
        assert term.gate == ("gru.0.reset_gate" if recurrent else "")
    row = 2 * UNITS + unit
    biases = (float(getattr(network.recurrent, f"bias_{end}_l0")[row]) for end in ("ih", "hh"))
    entering, before = biases
    assert terms.bias == pytest.approx(entering + gate * before)


def test_the_weights_of_a_network_explain_its_what_ifs_too() -> None:
    traced, _ = traced_with("lstm", {})
    branch = resume(traced, 2, clamp={"lstm.0.output_gate": {1: 0.0}})
    for each in unit_sums(traced, "lstm.0", 0):
        for step in range(STEPS):
            total = terms_at(each, branch, step).total
            assert total == pytest.approx(branch[each.name][step, each.column], rel=1e-12, abs=1e-12)


def test_a_trace_in_float32_is_explained_within_its_rounding() -> None:
    network = with_biases(new_network("lstm", FEATURES, UNITS, seed=4))
    traced = trace(network, values(STEPS, FEATURES), gradients=False)
    for each in unit_sums(traced, "lstm.0", 3):
        totals = [terms_at(each, traced, step).total for step in range(STEPS)]
        np.testing.assert_allclose(totals, traced[each.name][:, 3], rtol=1e-5, atol=1e-6)


def test_a_value_that_is_not_a_number_is_named_first() -> None:
    sources = (UnitSource("input", ("input",), np.array([1.0, 2.0, 3.0]), 0.0, 0, None),)
    made = Trace({"input": np.array([[1.0, np.nan, 5.0]])}, (TraceLayer("rnn.0", "rnn", "RNN", 1, ()),))
    terms = terms_at(UnitSum("rnn.0.hidden_state.preactivation", 0, Squash.TANH, sources, False), made, 0, 1)
    assert isinstance(terms, Terms)
    assert [term.index for term in terms.largest] == [1]
    assert np.isnan(terms.total)


@pytest.mark.parametrize(
    ("prefix", "unit", "words"),
    [("lstm.1", 0, "no layer lstm.1"), ("lstm.0", 6, "no unit 6"), ("lstm.0", -1, "unit -1")],
)
def test_what_is_not_there_is_named(prefix: str, unit: int, words: str) -> None:
    traced, _ = traced_with("lstm", {})
    with pytest.raises(TraceError, match=words):
        unit_sums(traced, prefix, unit)


def test_a_second_stack_whose_input_was_not_recorded_is_refused() -> None:
    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = torch.nn.LSTM(FEATURES, UNITS)
            self.second = torch.nn.GRU(UNITS, UNITS)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.second(self.first(x)[0])[0]
            return output

    traced = trace(Two(), torch.tensor(values(STEPS, FEATURES), dtype=torch.float32).unsqueeze(1), gradients=False)
    assert len(unit_sums(traced, "first.0", 0)) == 4
    with pytest.raises(TraceError, match=r"second\.0 is not in the trace"):
        unit_sums(traced, "second.0", 0)


@pytest.mark.parametrize("value", [-800.0, -3.0, 0.0, 0.5, 700.0, np.nan, np.inf, -np.inf])
def test_squashing_is_that_of_torch(value: float) -> None:
    tensor = torch.tensor(value, dtype=torch.float64)
    wanted = {Squash.SIGMOID: torch.sigmoid, Squash.TANH: torch.tanh, Squash.RELU: torch.relu}
    for squash, function in wanted.items():
        assert squash.of(value) == pytest.approx(float(function(tensor)), rel=1e-12, nan_ok=True)
