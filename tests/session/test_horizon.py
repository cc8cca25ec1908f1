"""How far back a network feels a step: the lags against a plain loop, the curves against the engine and autograd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import Cancelled, ignore_progress
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.horizon import DIRECT_PATH, LagCurve, MemoryHorizon, Reach, gradient_curves, reach
from lstm_studio.session.state import Result, Setup

STEPS = 14


def result_of(computer: Computer, steps: int = STEPS, **changes: Any) -> Result:
    rng = np.random.default_rng(3)
    data = SequenceSet((Sequence(rng.normal(size=(steps, 3)).astype(np.float32), ("a", "b", "c")),))
    setup = Setup(data, network=NetworkSpec("lstm", 4, seed=2), dtype="float64")
    fields = {name: getattr(setup, name) for name in setup.__slots__}
    return computer.compute(Setup(**(fields | changes)), ignore_progress)


def curve_of(curves: tuple[LagCurve, ...], network: int, prefix: str, state: str) -> LagCurve:
    (found,) = (c for c in curves if (c.network, c.prefix, c.state) == (network, prefix, state))
    return found


def looped(values: list[float], share: float) -> tuple[int | None, int | None] | None:
    """The lags from which on a curve stays below, and at which it first is, counted one by one."""
    start = values[0]
    if not 0 < start < math.inf:
        return None
    first = stays = None
    for lag, value in enumerate(values):
        # Not-a-number is not below: the comparison is false.
        if value < share * start:
            first = lag if first is None else first
            stays = lag if stays is None else stays
        else:
            stays = None
    return stays, first


def assert_as_looped(values: list[float], share: float) -> None:
    with np.errstate(divide="ignore"):
        found = reach(np.log10(np.array(values)), share)
    expected = looped(values, share)
    assert (None if found is None else (found.below, found.first)) == expected
    assert found is None or found.longest == len(values) - 1


# Powers of two apart from the shares, so that rounding in a logarithm decides nothing.
magnitudes = st.one_of(
    st.integers(-40, 40).map(lambda exponent: 2.0**exponent * 1.1), st.just(0.0), st.just(math.nan), st.just(math.inf)
)


@given(st.lists(magnitudes, min_size=1, max_size=30), st.sampled_from([1e-2, 1e-6]))
def test_the_lags_are_those_that_a_plain_loop_counts(values: list[float], share: float) -> None:
    assert_as_looped(values, share)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 0.5, 0.1, 0.02, 0.009, 0.001], Reach(4, 4, 5)),
        ([1, 0.5, 0.1, 0.02], Reach(None, None, 3)),
        ([1, 0.001, 0.5, 0.001, 0.0001], Reach(3, 1, 4)),
        ([1, 0.001, 0.001, 0.5], Reach(None, 1, 3)),
        ([1, 0.0, 0.0], Reach(1, 1, 2)),
        ([4, 0.05, 0.03], Reach(2, 2, 2)),
        ([1, 2, math.nan], Reach(None, None, 2)),
        ([1], Reach(None, None, 0)),
        ([0, 0, 0], None),
        ([math.nan, 1], None),
    ],
)
def test_a_curve_that_rises_again_is_below_for_good_only_after_it(values: list[float], expected: Reach | None) -> None:
    with np.errstate(divide="ignore"):
        assert reach(np.log10(np.array(values, np.float64)), 0.01) == expected


def test_beyond_the_range_of_numbers_the_lag_is_still_exact() -> None:
    assert reach(np.arange(0, -3000.0, -0.5), 1e-6) == Reach(13, 13, 5999)
    assert reach(-2000 - np.arange(5.0), 0.01) == Reach(3, 3, 4)


def test_from_the_last_step_the_curves_are_those_of_the_trace() -> None:
    computer = Computer()
    result, with_memory = result_of(computer), result_of(computer, memory=True)
    found = MemoryHorizon(result).answer(computer, ignore_progress)
    assert [(c.network, c.state) for c in found] == [
        (0, "hidden_state"),
        (0, "cell_state"),
        (0, DIRECT_PATH),
        (1, "hidden_state"),
    ]
    stored = MemoryHorizon(with_memory).answer(computer, ignore_progress)
    for curve, known in zip(found, stored, strict=True):
        oracle = with_memory.traces[curve.network][f"jac.{curve.prefix}.{curve.state}"][::-1]
        np.testing.assert_allclose(curve.logs, oracle, atol=1e-9)
        np.testing.assert_array_equal(known.logs, oracle)
        assert (curve.end, curve.start) == (STEPS - 1, 0.0)
        assert curve.logs[0] == pytest.approx(0.0, abs=1e-12)
        assert curve.low is None
        assert curve.reach_between(0.01) is None


def test_from_the_cursor_only_the_steps_before_it_count() -> None:
    """The state at the cursor against autograd on the cell, step by step."""
    computer = Computer()
    result, end = result_of(computer), 8
    found = MemoryHorizon(result, end).answer(computer, ignore_progress)
    network = computer.networks_of(result)[0]
    layer = network.recurrent
    assert isinstance(layer, nn.LSTM)
    cell = nn.LSTMCell(3, 4).double()
    with torch.no_grad():
        for name, weight in cell.named_parameters():
            weight.copy_(getattr(layer, f"{name}_l0"))
    x = torch.from_numpy(np.array(result.sequence.values)).double()
    h, c = torch.zeros(1, 4, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.float64)
    nodes = []
    for step in range(end + 1):
        h, c = cell(x[step : step + 1], (h, c))
        nodes.append((h, c))

    def norm(step: int, which: int) -> float:
        h_now, c_now = (node.detach() for node in nodes[step])
        changed = (h_now, c_now)[which].clone().requires_grad_()
        if which == 0:
            h_now = changed
        else:
            # h follows c through its output gate, o = h / tanh(c).
            h_now, c_now = h_now / c_now.tanh() * changed.tanh(), changed
        for later in range(step + 1, end + 1):
            h_now, c_now = cell(x[later : later + 1], (h_now, c_now))
        rows = [torch.autograd.grad(value, changed, retain_graph=True)[0][0] for value in (h_now, c_now)[which][0]]
        return float(torch.linalg.matrix_norm(torch.stack(rows), 2))

    for which, state in enumerate(("hidden_state", "cell_state")):
        curve = curve_of(found, 0, "lstm.0", state)
        assert (curve.end, len(curve.logs)) == (end, end + 1)
        oracle = [math.log10(norm(end - lag, which)) for lag in range(end + 1)]
        np.testing.assert_allclose(curve.logs, oracle, atol=1e-6)
    direct = curve_of(found, 0, "lstm.0", DIRECT_PATH)
    gates = result.traces[0]["lstm.0.forget_gate"]
    products = [math.log10(gates[end - lag + 1 : end + 1].prod(axis=0).max()) for lag in range(end + 1)]
    np.testing.assert_allclose(direct.logs, products, atol=1e-9)


def test_a_layer_that_reads_backward_counts_its_lag_towards_the_end() -> None:
    computer = Computer()
    result = result_of(computer, network=NetworkSpec("lstm", 4, bidirectional=True), companion=None)
    whole = MemoryHorizon(result).answer(computer, ignore_progress)
    forward, backward = (curve_of(whole, 0, prefix, "cell_state") for prefix in ("lstm.0", "lstm.0.reverse"))
    assert (forward.end, backward.end) == (STEPS - 1, 0)
    assert (forward.step_at(3), backward.step_at(3)) == (STEPS - 4, 3)
    assert (forward.lag_of(0), backward.lag_of(STEPS - 1)) == (STEPS - 1, STEPS - 1)
    part = MemoryHorizon(result, 5).answer(computer, ignore_progress)
    forward, backward = (curve_of(part, 0, prefix, "cell_state") for prefix in ("lstm.0", "lstm.0.reverse"))
    assert (len(forward.logs), len(backward.logs)) == (6, STEPS - 5)
    assert (forward.lag_of(6), backward.lag_of(4), backward.lag_of(7)) == (None, None, 2)
    # What the state at step 5 owes to the states that were read before it does not depend on what was read after.
    later = Computer().compute(result.setup, ignore_progress)
    assert MemoryHorizon(later, 5).answer(computer, ignore_progress)[0].logs[0] == pytest.approx(0, abs=1e-12)


def test_beyond_128_units_the_lag_lies_between_its_bounds() -> None:
    computer = Computer()
    result = result_of(computer, 40, network=NetworkSpec("rnn", 130), companion=None)
    (curve,) = MemoryHorizon(result).answer(computer, ignore_progress)
    between = curve.reach_between(0.01)
    found = curve.reach(0.01)
    assert between is not None
    assert found is not None
    shortest, longest = (bound.below for bound in between)
    assert shortest is not None
    assert longest is not None
    assert found.below is not None
    assert shortest <= found.below <= longest


def test_gradients_are_read_from_the_trace_and_shares_are_of_lag_0() -> None:
    computer = Computer()
    result = result_of(computer, objective="last-hidden")
    for end in (None, 6):
        last = STEPS - 1 if end is None else end
        for curve in gradient_curves(result, end):
            norm = result.traces[curve.network][f"norm.grad.{curve.prefix}.{curve.state}"][: last + 1][::-1]
            np.testing.assert_allclose(10**curve.logs, norm, rtol=1e-12)
            np.testing.assert_allclose(10 ** curve.relative(), norm / norm[0], rtol=1e-10)
            assert (curve.end, curve.lag_of(curve.step_at(4))) == (last, 4)
    assert {(c.network, c.state) for c in gradient_curves(result)} == {
        (0, "hidden_state"),
        (0, "cell_state"),
        (1, "hidden_state"),
    }


def test_where_nothing_is_felt_at_the_end_there_are_no_shares() -> None:
    result = result_of(Computer(), objective="hidden:5:1")
    assert all(curve.reach(0.01) is None for curve in gradient_curves(result))
    assert all(curve.reach(0.01) is not None for curve in gradient_curves(result, 5) if curve.state == "hidden_state")


def test_measuring_can_be_cancelled() -> None:
    computer = Computer()

    def refuse(fraction: float, words: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        MemoryHorizon(result_of(computer), 7).answer(computer, refuse)
