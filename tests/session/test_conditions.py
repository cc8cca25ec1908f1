"""Where conditions hold, against a plain loop over steps and units."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.cells import cells
from lstm_studio.networks.network import new_network
from lstm_studio.session.conditions import (
    Condition,
    Quantifier,
    Relation,
    StopWhen,
    hits,
    is_known,
    layer_of,
    met_at,
    needs_selection,
    suggested,
)
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, View
from tests.session.test_session import make_data, make_info, make_result

STEPS, UNITS = 40, 3
SIGNALS = (
    "lstm.0.forget_gate",
    "lstm.0.cell_state",
    "lstm.0.reverse.cell_state",
    "norm.grad.lstm.0.cell_state",
    "input",
)
HOLDS: dict[Relation, Callable[[float, float], bool]] = {
    Relation.LESS: lambda value, threshold: value < threshold,
    Relation.AT_MOST: lambda value, threshold: value <= threshold,
    Relation.GREATER: lambda value, threshold: value > threshold,
    Relation.AT_LEAST: lambda value, threshold: value >= threshold,
    Relation.LARGER: lambda value, threshold: abs(value) > threshold,
}


def make(seed: int = 0, steps: int = STEPS) -> Result:
    """Two traces of random numbers, rounded so that many are equal to a threshold; a few are not a number."""
    rng = np.random.default_rng(seed)
    traces = []
    for _ in range(2):
        arrays = {name: np.round(rng.normal(size=(steps, UNITS)), 1).astype(np.float32) for name in SIGNALS}
        arrays["norm.grad.lstm.0.cell_state"] = np.round(rng.random(steps), 1)
        arrays["lstm.0.forget_gate"][rng.integers(steps), 1] = np.nan
        layers = tuple(
            TraceLayer(prefix, "lstm", "LSTM", UNITS, (signals.FORGET_GATE, signals.CELL_STATE))
            for prefix in ("lstm.0", "lstm.0.reverse")
        )
        traces.append(Trace(arrays, layers))
    data = make_data(3, steps)
    return Result(Setup(data, companion=None), data, data[0], (make_info(), make_info()), tuple(traces))


def holds_at(result: Result, view: View, condition: Condition, step: int) -> bool:
    """Whether a condition holds at a step, one number after the other."""
    compare = HOLDS[condition.relation]
    row = result.traces[condition.network][condition.signal][step]
    numbers = [float(number) for number in np.atleast_1d(row)]
    if len(numbers) == 1 or condition.signal.startswith("norm."):
        return compare(numbers[0], condition.threshold)
    if condition.quantifier is Quantifier.ANY:
        return any(compare(number, condition.threshold) for number in numbers)
    if condition.quantifier is Quantifier.ALL:
        return all(compare(number, condition.threshold) for number in numbers)
    if condition.quantifier is Quantifier.MEAN:
        return compare(math.fsum(numbers) / len(numbers), condition.threshold)
    unit = condition.unit
    if unit is None:
        prefix = condition.signal.rpartition(".")[0]
        unit = view.units.get(f"{condition.network}:{prefix}", 0) if condition.signal != "input" else 0
    return compare(numbers[unit], condition.threshold)


CONDITIONS = st.builds(
    Condition,
    signal=st.sampled_from(SIGNALS),
    quantifier=st.sampled_from(list(Quantifier)),
    relation=st.sampled_from(list(Relation)),
    threshold=st.sampled_from([-1.0, 0.0, 0.1, 0.3, 0.5, 1e-50, float("inf")]),
    network=st.sampled_from([0, 1]),
    unit=st.sampled_from([None, 0, 1, 2]),
)


@settings(max_examples=300, deadline=None)
@given(
    conditions=st.lists(CONDITIONS, min_size=1, max_size=3),
    every=st.booleans(),
    unit=st.integers(0, UNITS - 1),
    seed=st.integers(0, 5),
)
def test_hits_are_those_of_a_plain_loop(conditions: list[Condition], every: bool, unit: int, seed: int) -> None:
    result = make(seed)
    view = View(units=MappingProxyType({"0:lstm.0": unit, "1:lstm.0.reverse": 2 - unit}))
    join = all if every else any
    wanted = [
        step for step in range(STEPS) if join(holds_at(result, view, condition, step) for condition in conditions)
    ]
    assert hits(result, view, StopWhen(tuple(conditions), every)).tolist() == wanted


def test_without_conditions_nothing_holds() -> None:
    assert hits(make(), View(), StopWhen((), every=True)).tolist() == []


@pytest.mark.parametrize(
    "condition",
    [
        Condition("lstm.7.forget_gate"),
        Condition("lstm.0.forget_gate", network=5),
        Condition("lstm.0.forget_gate", Quantifier.ONE, Relation.GREATER, -9.0, unit=UNITS),
    ],
)
def test_what_is_not_there_never_holds_and_is_known_to_be_missing(condition: Condition) -> None:
    result = make()
    assert hits(result, View(), StopWhen((condition,))).tolist() == []
    assert not is_known(result, condition)
    some = Condition("input", Quantifier.ANY, Relation.GREATER, -1e9)
    assert hits(result, View(), StopWhen((condition, some))).tolist() == list(range(STEPS))
    assert is_known(result, some)


def test_a_threshold_is_not_rounded_to_the_precision_of_the_trace() -> None:
    arrays = {"input": np.zeros((2, 1), np.float32), "norm.grad.input": np.array([0.0, 1e-49])}
    result = replace(make(steps=2), traces=(Trace(arrays, ()),))
    zero = Condition("input", Quantifier.ANY, Relation.LESS, 1e-50)
    small = Condition("norm.grad.input", Quantifier.ANY, Relation.LESS, 1e-50)
    assert hits(result, View(), StopWhen((zero,))).tolist() == [0, 1]
    assert hits(result, View(), StopWhen((small,))).tolist() == [0]


def test_units_of_a_block_have_the_column_of_their_block() -> None:
    gate = np.zeros((4, 2), np.float32)
    gate[2, 1] = 1.0
    layer = TraceLayer("lstm-1997.0", "lstm-1997", "1997 LSTM", 4, (signals.INPUT_GATE,))
    trace = Trace({"input": np.zeros((4, 3)), "lstm-1997.0.input_gate": gate}, (layer,))
    result = replace(make(steps=4), traces=(trace,))
    condition = Condition("lstm-1997.0.input_gate", Quantifier.ONE, Relation.GREATER, 0.5)
    assert needs_selection(condition)
    found = [
        hits(result, View(units=MappingProxyType({"0:lstm-1997.0": unit})), StopWhen((condition,))).tolist()
        for unit in range(4)
    ]
    assert found == [[], [], [2], [2]]


def test_a_signal_belongs_to_the_layer_with_the_longest_prefix() -> None:
    trace = make().traces[0]
    found = {name: layer_of(trace, name) for name in (*SIGNALS, "grad.lstm.0.reverse.cell_state", "jac.lstm.0.c")}
    prefixes = {name: None if layer is None else layer.prefix for name, layer in found.items()}
    assert prefixes == {
        "lstm.0.forget_gate": "lstm.0",
        "lstm.0.cell_state": "lstm.0",
        "lstm.0.reverse.cell_state": "lstm.0.reverse",
        "norm.grad.lstm.0.cell_state": "lstm.0",
        "input": None,
        "grad.lstm.0.reverse.cell_state": "lstm.0.reverse",
        "jac.lstm.0.c": "lstm.0",
    }


SUGGESTED = {
    "lstm": "forget_gate",
    "lstm-article": "forget_gate",
    "gru": "update_gate",
    "lstm-1997": "input_gate",
    "rnn": "hidden_state",
    "tdnn": "hidden_state",
    "feedforward": "hidden_state",
}


@pytest.mark.parametrize("kind", list(cells()))
def test_every_cell_has_a_condition_to_begin_with(kind: str) -> None:
    network = new_network(kind, 2, 4)
    layer = TraceLayer(f"{kind}.0", kind, kind, 4, network.cell.signals(network.recurrent))
    result = make()
    result = replace(
        result, traces=(replace(result.traces[0], layers=(layer, replace(layer, prefix=f"{kind}.0.reverse"))),)
    )
    condition = suggested(result)
    assert condition is not None
    assert condition.signal == f"{kind}.0.{SUGGESTED[kind]}"
    assert suggested(replace(result, traces=(Trace({"input": np.zeros((1, 1))}, ()),))) is None


def test_conditions_are_remarks_that_can_be_undone() -> None:
    session = Session(make_result(Setup(make_data(), companion=None)))
    stop = StopWhen((Condition("lstm.0.hidden_state"),), on=True)
    session.remark("Stop when", stop=stop)
    assert session.remarks.stop == stop
    session.undo()
    assert session.remarks.stop == StopWhen()
    session.redo()
    assert session.remarks.stop == stop


@settings(max_examples=300, deadline=None)
@given(
    conditions=st.lists(CONDITIONS, min_size=1, max_size=3),
    every=st.booleans(),
    step=st.integers(0, STEPS - 1),
    seed=st.integers(0, 5),
)
def test_what_meets_a_condition_are_the_numbers_of_a_plain_loop(
    conditions: list[Condition], every: bool, step: int, seed: int
) -> None:
    result, view = make(seed), View(units=MappingProxyType({"0:lstm.0": 1}))
    stop = StopWhen(tuple(conditions), every)
    met = met_at(result, view, stop, step)
    assert bool(met) is (step in hits(result, view, stop))
    for each in met:
        row = np.atleast_1d(result.traces[each.condition.network][each.condition.signal][step])
        compare, threshold = HOLDS[each.condition.relation], each.condition.threshold
        if each.condition.signal.startswith("norm.") or each.condition.quantifier is Quantifier.MEAN:
            assert each.units == ()
            assert each.values == pytest.approx((math.fsum(map(float, row)) / len(row),))
            continue
        assert each.values == tuple(float(row[unit]) for unit in each.units)
        if each.condition.quantifier is Quantifier.ONE:
            assert len(each.units) == 1
        else:
            assert sorted(each.units) == [unit for unit in range(UNITS) if compare(float(row[unit]), threshold)]
        # The farthest beyond the threshold comes first.
        beyond = [abs(value) if each.condition.relation is Relation.LARGER else value for value in each.values]
        below = each.condition.relation in {Relation.LESS, Relation.AT_MOST}
        assert beyond == sorted(beyond, reverse=not below)
