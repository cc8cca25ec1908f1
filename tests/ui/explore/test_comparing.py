"""Two sources in one stack: every row shows the numbers of the traces, in each mode; and the difference in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Labels, Role
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.state import (
    RECORDED,
    SECOND,
    Branch,
    CompareMode,
    Comparison,
    Result,
    Second,
    View,
    branch_key,
)
from lstm_studio.ui.explore.comparing import (
    compared,
    difference_in_words,
    difference_of,
    keys_of,
    recorded_words,
    titles_of,
)
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.plots.rows import GradientRow, Row, StackState, SymbolRow, UnitRow
from lstm_studio.ui.plots.rows import View as PlotView
from tests.ui.explore.fakes import answer, lstm_trace, number_set, rnn_trace, small_setup, symbol_set

GATE = Branch("gate", 4, clamp=(("lstm.0.forget_gate", ((1, 1.0),)),))
EVENT = Branch("event", 3, events=((3, ((6, 0.0), (7, 1.0))),))


def changed(trace: Trace, first: int, seed: int = 5) -> Trace:
    """A trace that differs in every signal from a step on, and has no gradients."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, array in trace.arrays.items():
        if "grad" not in name:
            copy = np.array(array)
            if name != "input":
                copy[first:] += rng.normal(0, 0.3, size=copy[first:].shape).astype(copy.dtype)
            arrays[name] = copy if name != "input" else array
    return Trace(arrays, trace.layers, trace.provenance)


def result_of_two(**setup: Any) -> Result:
    """One branch in the first network alone; one event that reaches both."""
    result = answer(small_setup(branches=(GATE, EVENT), **setup))
    values = np.array(result.sequence.values)
    values[3] = np.eye(8)[7]
    both = []
    for trace in result.traces:
        other = changed(trace, 3)
        both.append(replace(other, arrays={**other.arrays, "input": values}))
    return replace(result, branches=((changed(result.traces[0], 4), result.traces[1]), tuple(both)))


def looked_at(result: Result, mode: CompareMode, other: str = "gate", **view: Any) -> StackState:
    comparison = Comparison(branch_key(other), mode=mode)
    return StackResolver().resolve(result, replace(View(cursor=9, comparison=comparison), **view))


def by_key(state: StackState) -> dict[str, Row]:
    return {row.key: row for row in state.rows}


def unit_row(state: StackState, key: str) -> UnitRow:
    row = by_key(state)[key]
    assert isinstance(row, UnitRow)
    return row


def test_over_each_other_a_row_has_both_arrays_and_the_untouched_companion_says_so() -> None:
    result = result_of_two()
    state = looked_at(result, CompareMode.OVERLAY)
    row = unit_row(state, "0.forget_gate")
    assert row.values is result.traces[0]["lstm.0.forget_gate"]
    assert row.other is result.branches[0][0]["lstm.0.forget_gate"]
    assert row.view is PlotView.LINES
    companion = unit_row(state, "1.hidden_state")
    assert companion.other is None
    assert companion.note.endswith("the same")
    assert companion.view is PlotView.HEAT
    both = looked_at(result, CompareMode.OVERLAY, "event")
    assert unit_row(both, "1.hidden_state").other is result.branches[1][1]["rnn.0.hidden_state"]


def test_side_by_side_each_row_is_followed_by_that_of_the_other() -> None:
    result = result_of_two()
    state = looked_at(result, CompareMode.SIDE)
    keys = list(by_key(state))
    place = keys.index("0.forget_gate")
    assert keys[place + 1] == "0.forget_gate|B"
    first, second = unit_row(state, "0.cell_state"), unit_row(state, "0.cell_state|B")
    assert first.values is result.traces[0]["lstm.0.cell_state"]
    assert second.values is result.branches[0][0]["lstm.0.cell_state"]
    assert first.levels == second.levels
    assert first.levels[1] >= np.abs(second.values).max()
    assert (first.title[-1], second.title[-1]) == ("A", "B")
    assert first.group == second.group
    assert "1.hidden_state|B" not in keys
    chosen = looked_at(result, CompareMode.SIDE, plot_views={"0.cell_state|B": PlotView.BAND.value})
    assert unit_row(chosen, "0.cell_state").view is PlotView.HEAT
    assert unit_row(chosen, "0.cell_state|B").view is PlotView.BAND


def test_the_difference_is_other_minus_base_on_a_symmetric_range_and_named() -> None:
    result = result_of_two()
    state = looked_at(result, CompareMode.DIFFERENCE)
    for name in ("forget_gate", "admitted", "cell_state", "hidden_state"):
        row = unit_row(state, f"0.{name}")
        expected = result.branches[0][0][f"lstm.0.{name}"] - result.traces[0][f"lstm.0.{name}"]
        np.testing.assert_array_equal(row.values, expected)
        assert not row.values.flags.writeable
        low, high = row.levels
        assert low == -high
        assert np.abs(expected).max() <= high
        assert "difference" in row.note
        assert row.signed
    companion = unit_row(state, "1.hidden_state")
    assert not companion.values.any()
    assert companion.levels == unit_row(state, "0.hidden_state").levels


def test_what_differs_by_rounding_alone_is_not_made_to_look_different() -> None:
    result = answer(small_setup(branches=(GATE,)))
    recorded = result.traces[0]
    arrays = {name: array for name, array in recorded.arrays.items() if "grad" not in name}
    # One unit in the last place of the cell state, and in the hidden state twenty times what counts as rounding.
    arrays["lstm.0.cell_state"] = np.nextafter(recorded["lstm.0.cell_state"], np.float32(np.inf))
    arrays["lstm.0.hidden_state"] = recorded["lstm.0.hidden_state"] + np.float32(2e-4)
    result = replace(result, branches=((Trace(arrays, recorded.layers, recorded.provenance), result.traces[1]),))
    state = looked_at(result, CompareMode.DIFFERENCE)
    cells = unit_row(state, "0.cell_state")
    apart = np.abs(cells.values).max()
    assert apart > 0
    assert cells.levels[1] >= 1e-5 > 50 * apart
    assert unit_row(state, "0.hidden_state").levels[1] == pytest.approx(5e-4)


def test_a_branch_can_be_the_base() -> None:
    result = result_of_two()
    view = View(comparison=Comparison("recorded", branch_key("gate"), CompareMode.DIFFERENCE))
    row = unit_row(StackResolver().resolve(result, view), "0.cell_state")
    np.testing.assert_array_equal(
        row.values, result.traces[0]["lstm.0.cell_state"] - result.branches[0][0]["lstm.0.cell_state"]
    )


def test_changed_symbols_are_shown_below_each_other() -> None:
    result = result_of_two()
    state = looked_at(result, CompareMode.OVERLAY, "event")
    first, second = state.rows[:2]
    assert isinstance(first, SymbolRow)
    assert isinstance(second, SymbolRow)
    assert first.symbols == result.sequence.symbols
    assert second.symbols[3] == "Y"
    assert [a for a, b in zip(first.symbols, second.symbols, strict=True) if a != b] == [first.symbols[3]]
    assert isinstance(looked_at(result, CompareMode.OVERLAY, "gate").rows[1], UnitRow)


def test_a_branch_has_no_gradient_and_the_row_says_whose_it_shows() -> None:
    state = looked_at(result_of_two(), CompareMode.OVERLAY)
    gradient = state.rows[-1]
    assert isinstance(gradient, GradientRow)
    assert gradient.note.endswith("A only")
    assert not any(curve.other for curve in gradient.curves)


def with_second(result: Result, trace: Trace, title: str = "LSTM", **second: Any) -> Result:
    setup = replace(result.setup, second=replace(Second(item=1), **second))
    info = replace(result.infos[0], title=title, fingerprint="second")
    return replace(result, setup=setup, second=(trace, info))


def test_a_second_network_brings_its_gradients_dotted_and_leaves_the_companion_alone() -> None:
    result = answer(small_setup())
    trace = lstm_trace(result.sequence, 5, seed=8)
    second = with_second(result, trace, item=None, network=NetworkSpec("lstm", 5, seed=8))
    state = StackResolver().resolve(second, View(comparison=Comparison(SECOND, mode=CompareMode.DIFFERENCE)))
    np.testing.assert_array_equal(
        unit_row(state, "0.cell_state").values, trace["lstm.0.cell_state"] - result.traces[0]["lstm.0.cell_state"]
    )
    companion = unit_row(state, "1.hidden_state")
    assert companion.values is result.traces[1]["rnn.0.hidden_state"]
    assert companion.note.endswith("A only")
    gradient = state.rows[-1]
    assert isinstance(gradient, GradientRow)
    others = [curve for curve in gradient.curves if curve.other]
    assert [curve.full_name for curve in others] == ["B LSTM ∂c", "B LSTM ∂h"]
    assert others[0].values is trace["norm.grad.lstm.0.cell_state"]


def test_it_is_said_whose_the_companion_is_and_which_of_the_two_is_recorded() -> None:
    result = answer(small_setup())
    second = with_second(result, lstm_trace(result.sequence, 5, seed=8), item=None, network=NetworkSpec("lstm", 5))
    view = View(comparison=Comparison(SECOND, mode=CompareMode.SIDE))
    titles = [row.title for row in StackResolver().resolve(second, view).rows if isinstance(row, UnitRow)]
    assert "RNN hidden state · A" in titles
    assert "RNN hidden state · B" not in titles
    for comparison, whose in ((Comparison(SECOND), "A"), (Comparison(RECORDED, base=SECOND), "B")):
        pair = compared(second, View(comparison=comparison))
        assert pair is not None
        assert f" Only {whose} has a companion (RNN). " in difference_in_words(pair, Labels.STANDARD)
        assert recorded_words(second, View(comparison=comparison)) == f"recorded trace, {whose}"
    # Both of the networks go on in a what-if.
    two = result_of_two()
    pair = compared(two, View(comparison=Comparison(branch_key("gate"))))
    assert pair is not None
    assert "companion" not in difference_in_words(pair, Labels.STANDARD)
    neither = Comparison(branch_key("gate"), base=branch_key("event"))
    assert {branch_key("gate"), branch_key("event")} <= {*keys_of(two)}
    assert recorded_words(two, View(comparison=neither)) == "recorded trace, neither A nor B"
    assert recorded_words(two, View()) == ""
    assert recorded_words(result, View(comparison=Comparison(SECOND))) == "", "there is no second"


def test_networks_of_other_sizes_lie_over_each_other_where_nothing_can_be_subtracted() -> None:
    result = answer(small_setup())
    trace = lstm_trace(result.sequence, 3, seed=8)
    second = with_second(result, trace, item=None, network=NetworkSpec("lstm", 3))
    row = unit_row(
        StackResolver().resolve(second, View(comparison=Comparison(SECOND, mode=CompareMode.DIFFERENCE))),
        "0.cell_state",
    )
    assert row.other is trace["lstm.0.cell_state"]
    assert row.note.endswith("5 and 3 units")


def test_another_kind_of_network_is_compared_in_what_both_have() -> None:
    result = answer(small_setup(companion=None))
    second = with_second(result, rnn_trace(result.sequence), "Vanilla RNN", item=None, network=NetworkSpec("rnn"))
    state = StackResolver().resolve(second, View(comparison=Comparison(SECOND)))
    assert unit_row(state, "0.hidden_state").other is rnn_trace_of(second)["rnn.0.hidden_state"]
    assert unit_row(state, "0.cell_state").note.endswith("A only")


def rnn_trace_of(result: Result) -> Trace:
    assert result.second is not None
    return result.second[0]


@pytest.mark.parametrize("mode", CompareMode)
def test_of_two_lengths_the_axis_is_that_of_the_longer_and_all_of_it_is_revealed_at_the_end(mode: CompareMode) -> None:
    data = symbol_set()
    longer = symbol_set(count=1, steps=31, seed=4)[0]
    data = replace(data, sequences=(data[0], longer))
    result = answer(small_setup(data))
    second = with_second(result, lstm_trace(longer, 5, seed=0))
    view = View(cursor=19, comparison=Comparison(SECOND, mode=mode))
    state = StackResolver().resolve(second, view)
    assert state.steps == 31
    assert state.revealed == 30
    assert state.reach == 20
    assert StackResolver().resolve(second, replace(view, cursor=4)).revealed == 4
    assert StackResolver().resolve(second, View(cursor=4)).reach is None
    lengths = {len(row.values) for row in state.rows if isinstance(row, UnitRow)}
    assert lengths == ({20, 31} if mode is CompareMode.SIDE else {20})


def test_numbers_are_compared_too() -> None:
    result = answer(small_setup(number_set(), branches=(EVENT,)))
    values = np.array(result.sequence.values)
    values[3, 1] = 0.0
    trace = changed(result.traces[0], 3)
    trace = replace(trace, arrays={**trace.arrays, "input": values})
    result = replace(result, branches=((trace, result.traces[1]),))
    row = unit_row(looked_at(result, CompareMode.DIFFERENCE, "event"), "input")
    np.testing.assert_array_equal(row.values, values - result.sequence.values)


def test_a_comparison_with_what_is_not_there_shows_the_recorded_trace_alone() -> None:
    result = result_of_two()
    alone = StackResolver().resolve(result, View())
    for comparison in (Comparison(branch_key("gone")), Comparison(SECOND), Comparison("recorded")):
        state = StackResolver().resolve(result, View(comparison=comparison))
        assert [row.key for row in state.rows] == [row.key for row in alone.rows]
    titles = {"recorded": "Recorded", "branch:gate": "gate", "branch:event": "event"}
    assert titles_of(result, Labels.STANDARD) == titles
    assert keys_of(result) == tuple(titles)


def test_the_first_and_the_largest_difference_are_those_of_the_arrays() -> None:
    result = result_of_two()
    pair = compared(result, View(comparison=Comparison(branch_key("event"))))
    assert pair is not None
    found = difference_of(pair)
    assert found.first == 3
    assert found.largest is not None
    biggest = max(
        float(np.abs(two[f"{layer.prefix}.{signal.name}"] - one[f"{layer.prefix}.{signal.name}"]).max())
        for one, two in zip(result.traces, result.branches[1], strict=True)
        for layer in one.layers
        for signal in layer.signals
        if "." not in signal.name
    )
    assert abs(found.largest.value) == pytest.approx(biggest)
    signal = f"{result.traces[found.largest.network].layers[0].prefix}.{found.largest.signal.name}"
    traces = result.traces[found.largest.network], result.branches[1][found.largest.network]
    one, two = (float(trace[signal][found.largest.step, found.largest.unit]) for trace in traces)
    assert two - one == pytest.approx(found.largest.value)
    words = difference_in_words(pair, Labels.CLASSROOM)
    assert words.startswith("The same up to step 3. Largest difference: ")
    assert "At the end: A " in words


def test_rounding_is_no_difference() -> None:
    result = result_of_two()
    nearly = replace(
        result.traces[0],
        arrays={
            name: array if name == "input" else (array * np.float32(1 + 3e-7)).astype(array.dtype)
            for name, array in result.traces[0].arrays.items()
        },
    )
    pair = compared(
        replace(result, branches=((nearly, result.traces[1]), result.branches[1])),
        View(comparison=Comparison(branch_key("gate"))),
    )
    assert pair is not None
    assert difference_in_words(pair, Labels.STANDARD).startswith("No difference beyond rounding.")


def test_moving_the_cursor_rebuilds_no_row_of_a_comparison() -> None:
    result, resolver = result_of_two(), StackResolver()
    view = View(cursor=3, comparison=Comparison(branch_key("gate"), mode=CompareMode.DIFFERENCE))
    before = resolver.resolve(result, view)
    assert resolver.resolve(result, replace(view, cursor=4)).rows is before.rows
    other = resolver.resolve(result, replace(view, comparison=Comparison(branch_key("gate"))))
    assert other.rows is not before.rows
    assert {row.role for row in other.rows} >= {Role.FORGET, Role.LONG_TERM}


def test_another_what_if_that_is_not_compared_rebuilds_no_row() -> None:
    result, resolver = result_of_two(), StackResolver()
    before = resolver.resolve(result, View())
    more = replace(result, setup=replace(result.setup, branches=(*result.setup.branches, replace(GATE, name="c"))))
    more = replace(more, branches=(*result.branches, result.branches[0]))
    assert resolver.resolve(more, View()).rows is before.rows
    view = View(comparison=Comparison(branch_key("gate")))
    two = resolver.resolve(more, view)
    assert two.rows is not before.rows
    assert resolver.resolve(replace(more), view).rows is two.rows
    assert (
        resolver.resolve(replace(more, traces=(changed(more.traces[0], 1), more.traces[1])), view).rows is not two.rows
    )


def words_of_second(trace: Trace) -> str:
    result = with_second(answer(small_setup(companion=None)), trace, item=None, network=NetworkSpec("lstm"))
    pair = compared(result, View(comparison=Comparison(SECOND)))
    assert pair is not None
    return difference_in_words(pair, Labels.STANDARD)


def test_layers_are_compared_whatever_their_module_is_called() -> None:
    sequence = symbol_set()[0]
    trace = lstm_trace(sequence, 5, seed=8)
    layer = replace(trace.layers[0], prefix="encoder.rnn.0")
    named = {name.replace("lstm.0", "encoder.rnn.0"): array for name, array in trace.arrays.items()}
    words = words_of_second(replace(trace, arrays=named, layers=(layer,)))
    assert words == words_of_second(trace)
    assert words.startswith("Different from the first step on. Largest difference: ")


def test_where_nothing_can_be_subtracted_no_difference_is_denied() -> None:
    words = words_of_second(lstm_trace(symbol_set()[0], 3, seed=8))
    assert words.startswith("Nothing to subtract: ")


@pytest.mark.parametrize(
    ("layers", "bidirectional", "suffix", "where"),
    [
        (1, False, "0", ""),
        (3, False, "1", ", layer 2,"),
        (1, True, "0.reverse", ", ←,"),
        (2, True, "1", ", layer 2 →,"),
    ],
)
def test_of_several_layers_it_is_said_in_which_one_the_largest_difference_is(
    layers: int, bidirectional: bool, suffix: str, where: str
) -> None:
    result = answer(small_setup(branches=(GATE,), companion=None))
    trace = lstm_trace(result.sequence, 5, layers=layers, bidirectional=bidirectional)
    arrays = dict(trace.arrays)
    arrays[f"lstm.{suffix}.cell_state"] = np.array(arrays[f"lstm.{suffix}.cell_state"])
    arrays[f"lstm.{suffix}.cell_state"][4, 3] += 40
    other = Trace(arrays, trace.layers, trace.provenance)
    pair = compared(
        replace(result, traces=(trace,), branches=((other,),)), View(comparison=Comparison(branch_key("gate")))
    )
    assert pair is not None
    words = difference_in_words(pair, Labels.STANDARD)
    assert words.startswith(f"The same up to step 4. Largest difference: 40.00, cell state of unit 3{where} at step 5.")
