"""A step in numbers and words: equal to the trace, true as printed, in one vocabulary."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.networks.signals import Labels, Role
from lstm_studio.session.state import View
from lstm_studio.ui.explore.layers import ShownLayer, inspected_layer
from lstm_studio.ui.explore.operation_card import printed
from lstm_studio.ui.explore.operations import Operation, operations_at, readings_at
from tests.ui.explore.fakes import answer, small_setup

STEP, UNIT = 7, 3


def shown(*, backward: bool = False, network: int = 0) -> ShownLayer:
    setup = small_setup()
    result = answer(replace(setup, network=replace(setup.network, bidirectional=backward)))
    if network:
        result = replace(result, infos=result.infos[::-1], traces=result.traces[::-1])
    found = inspected_layer(result, View(backward=backward))
    assert found is not None
    return found


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def test_operands_and_results_are_those_of_the_trace() -> None:
    layer = shown()
    trace = {name.removeprefix("lstm.0."): layer.trace[name] for name in layer.trace.names}
    forget, learn, remember, use = operations_at(layer, STEP, UNIT, Labels.STANDARD)
    assert forget.left == trace["forget_gate"][STEP, UNIT]
    assert forget.right == trace["cell_state"][STEP - 1, UNIT]
    assert forget.result == trace["retained"][STEP, UNIT]
    assert (learn.left, learn.right) == (trace["input_gate"][STEP, UNIT], trace["candidate"][STEP, UNIT])
    assert (remember.left, remember.right) == (forget.result, learn.result)
    assert remember.sign == "+"
    assert use.right == pytest.approx(math.tanh(trace["cell_state"][STEP, UNIT]))
    assert use.result == trace["hidden_state"][STEP, UNIT]


def test_at_the_first_step_the_memory_before_is_zero() -> None:
    forget = operations_at(shown(), 0, UNIT, Labels.STANDARD)[0]
    assert (forget.right, forget.result) == (0.0, 0.0)


def test_the_backward_direction_has_the_next_step_before_it() -> None:
    layer = shown(backward=True)
    forget = operations_at(layer, STEP, UNIT, Labels.STANDARD)[0]
    assert forget.right == layer.trace["lstm.0.reverse.cell_state"][STEP + 1, UNIT]
    assert "t+1" in forget.equation
    last = layer.trace.steps - 1
    assert operations_at(layer, last, UNIT, Labels.STANDARD)[0].right == 0.0


@given(left=st.floats(-60, 60), right=st.floats(-60, 60), sign=st.sampled_from("×+"))
def test_printed_operands_give_the_printed_result(left: float, right: float, sign: str) -> None:
    result = left * right if sign == "×" else left + right
    shown = printed(Operation(1, "", Role.FORGET, "", "", left, sign, right, result))
    if shown.relation == "=":
        first, second = map(number, shown.operands)
        again = first * second if sign == "×" else first + second
        decimals = len(shown.result.partition(".")[2].partition("e")[0])
        exponent = int(shown.result.partition("e")[2].replace("−", "-") or 0)
        assert abs(again - number(shown.result)) <= 0.5001 * 10.0 ** (exponent - decimals)


def test_every_step_of_a_real_recurrence_prints_true_equations() -> None:
    layer = shown()
    for step in range(layer.trace.steps):
        for operation in operations_at(layer, step, UNIT, Labels.STANDARD):
            shown_numbers = printed(operation)
            assert shown_numbers.relation == "=" or abs(operation.result) < 0.01


def test_update_is_a_sum_and_never_a_sigmoid() -> None:
    remember = operations_at(shown(), STEP, UNIT, Labels.CLASSROOM)[2]
    assert (remember.title, remember.sign) == ("Remember", "+")
    assert "σ" not in remember.equation


@pytest.mark.parametrize(
    ("labels", "titles"),
    [
        (Labels.STANDARD, ["Forget", "Input", "Update", "Output"]),
        (Labels.CLASSROOM, ["Forget", "Learn", "Remember", "Use"]),
    ],
)
def test_phases_have_the_names_of_the_vocabulary(labels: Labels, titles: list[str]) -> None:
    assert [operation.title for operation in operations_at(shown(), STEP, UNIT, labels)] == titles


def test_a_cell_without_operations_gets_a_list_of_its_signals() -> None:
    layer = shown(network=1)
    assert operations_at(layer, STEP, UNIT, Labels.STANDARD) == ()
    readings = readings_at(layer, STEP, UNIT, Labels.STANDARD)
    assert [reading.title for reading in readings] == ["Hidden state", "Hidden state, pre-activation"]
    assert readings[0].value == layer.trace["rnn.0.hidden_state"][STEP, UNIT]
    assert math.tanh(readings[1].value) == pytest.approx(readings[0].value, abs=1e-6)


def test_a_cell_with_operations_lists_nothing_twice() -> None:
    assert readings_at(shown(), STEP, UNIT, Labels.STANDARD) == ()


def test_each_gate_is_named_where_it_is_used_first() -> None:
    layer = shown()
    arrays = dict(layer.trace.arrays)
    for name in ("forget_gate", "input_gate", "candidate", "output_gate"):
        arrays[f"lstm.0.{name}.preactivation"] = arrays[f"lstm.0.{name}"]
    layer = replace(layer, trace=replace(layer.trace, arrays=arrays))
    made = {operation.signal: operation.gates for operation in operations_at(layer, STEP, UNIT, Labels.STANDARD)}
    assert made == {
        "retained": ("forget_gate",),
        "admitted": ("input_gate", "candidate"),
        "cell_state": (),
        "hidden_state": ("output_gate",),
    }
    reading = readings_at(shown(network=1), STEP, UNIT, Labels.STANDARD)[0]
    assert (reading.signal, reading.gates) == ("hidden_state", ("hidden_state",))


def test_a_gate_that_a_block_shares_has_the_column_of_the_block() -> None:
    layer = shown()
    gate = layer.trace["lstm.0.input_gate"][:, :1]
    trace = replace(layer.trace, arrays={**layer.trace.arrays, "lstm.0.input_gate": gate})
    blocked = replace(layer, trace=trace)
    learn = operations_at(blocked, STEP, UNIT, Labels.STANDARD)[1]
    assert learn.left == gate[STEP, 0]


def test_a_projected_state_is_not_explained_unit_by_unit() -> None:
    layer = shown()
    projected = {**layer.trace.arrays, "lstm.0.hidden_state": layer.trace["lstm.0.hidden_state"][:, :1]}
    narrow = replace(layer, trace=replace(layer.trace, arrays=projected))
    assert [operation.signal for operation in operations_at(narrow, STEP, UNIT, Labels.STANDARD)] == [
        "retained",
        "admitted",
        "cell_state",
    ]


def test_numbers_that_are_not_finite_are_named() -> None:
    layer = shown()
    broken = [replace(operation, result=np.nan) for operation in operations_at(layer, STEP, UNIT, Labels.STANDARD)]
    assert printed(broken[0]).result == "NaN"
