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
from lstm_studio.ui.explore.operations import Operation, operations_at, readings_at, sentence
from lstm_studio.ui.numbers import format_number
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


def test_the_sentence_says_the_numbers_in_the_words_of_the_vocabulary() -> None:
    layer = shown()
    operations = operations_at(layer, STEP, UNIT, Labels.STANDARD)
    said = sentence(operations, layer, STEP, UNIT, Labels.STANDARD)
    assert f"Unit {UNIT} keeps {100 * operations[0].left:.0f} % of its cell state" in said
    assert f" {format_number(abs(operations[1].result))}. It exposes" in said
    assert said.endswith(f"its hidden state is now {format_number(operations[3].result)}.")
    assert ("adds" in said) == (operations[1].result >= 0)
    classroom = sentence(operations_at(layer, STEP, UNIT, Labels.CLASSROOM), layer, STEP, UNIT, Labels.CLASSROOM)
    assert "long-term memory" in classroom
    assert "cell state" not in classroom


@pytest.mark.parametrize(
    ("gate", "words"),
    [(1.0, "keeps all of"), (0.997, "keeps 99.7 % of"), (0.5, "keeps 50 % of"), (1e-8, "keeps almost nothing of")],
)
def test_shares_are_not_rounded_to_what_they_are_not(gate: float, words: str) -> None:
    layer = shown()
    forget, *others = operations_at(layer, STEP, UNIT, Labels.STANDARD)
    assert words in sentence((replace(forget, left=gate), *others), layer, STEP, UNIT, Labels.STANDARD)


def test_the_first_step_says_that_there_is_nothing_to_keep() -> None:
    layer = shown()
    said = sentence(operations_at(layer, 0, UNIT, Labels.STANDARD), layer, 0, UNIT, Labels.STANDARD)
    assert said.startswith(f"This is the first step: unit {UNIT} has no cell state yet")


def test_numbers_that_are_not_finite_are_named() -> None:
    layer = shown()
    broken = [replace(operation, result=np.nan) for operation in operations_at(layer, STEP, UNIT, Labels.STANDARD)]
    assert "not finite" in sentence(tuple(broken), layer, STEP, UNIT, Labels.STANDARD)
    assert printed(broken[0]).result == "NaN"
