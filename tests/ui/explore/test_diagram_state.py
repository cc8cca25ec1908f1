"""What the diagrams are resolved to: values of the trace, colours of the plots, words for both vocabularies."""

from __future__ import annotations

from dataclasses import replace
from math import tanh

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.signals import Form, Labels, Phase, Role
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.networks.wiring import Box, Node, Strip, Tap, Wire
from lstm_studio.session.state import Branch, Comparison, Remarks, Result, UnitOrder, View, branch_key
from lstm_studio.ui.explore.diagram.bands import bands_of
from lstm_studio.ui.explore.diagram.state import DiagramResolver, DiagramState
from lstm_studio.ui.explore.diagram.words import header_note, part_words, summary
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.numbers import format_number
from lstm_studio.ui.plots.rows import UnitRow
from tests.ui.explore.fakes import answer, lstm_trace, number_set, rnn_trace, small_setup

LEVELS = 254
"""Steps of a colour table."""


def states(result: Result, view: View | None = None) -> tuple[DiagramState, ...]:
    shown = view or View()
    return DiagramResolver().resolve(result, shown, StackResolver().resolve(result, shown, Remarks()))


def first(result: Result, view: View | None = None) -> DiagramState:
    return states(result, view)[0]


def with_units(units: int) -> Result:
    result = answer(small_setup())
    traces = (lstm_trace(result.sequence, units), rnn_trace(result.sequence, units))
    return replace(result, traces=traces)


def part(state: DiagramState, key: str) -> Strip | Node | Box:
    assert state.plan.wiring is not None
    found = state.plan.wiring.by_key[key]
    assert isinstance(found, Strip | Node | Box)
    return found


def wire(state: DiagramState, end: str) -> Wire:
    assert state.plan.wiring is not None
    return next(wire for wire in state.plan.wiring.wires if wire.end == end)


# Lines of a strip.


@pytest.mark.parametrize("units", [1, 5, 16, 32])
def test_few_units_have_a_line_each(units: int) -> None:
    bands = bands_of(units, None, units - 1)
    assert [bands.members(line) for line in range(bands.count)] == [(unit,) for unit in range(units)]
    assert (bands.marked, bands.alone, bands.binned) == (units - 1, None, False)


@pytest.mark.parametrize("units", [33, 128, 500])
def test_many_units_share_sixteen_lines_and_the_selected_one_has_its_own(units: int) -> None:
    bands = bands_of(units, None, 7)
    members = [bands.members(line) for line in range(16)]
    assert [unit for line in members for unit in line] == list(range(units))
    assert {len(line) for line in members} <= {units // 16, -(-units // 16)}
    assert bands.members(16) == (7,)
    assert (bands.marked, bands.alone) == (16, 7)


def test_lines_follow_the_order_of_the_units_in_sight() -> None:
    order = np.array([4, 0, 3])
    assert [bands_of(6, order, 0).members(line)[0] for line in range(3)] == [4, 0, 3]
    assert bands_of(6, order, 0).marked == 1
    # A unit that is out of sight still has its value.
    hidden = bands_of(6, order, 5)
    assert (hidden.marked, hidden.alone, hidden.members(3)) == (3, 5, (5,))


def test_every_height_of_a_strip_belongs_to_the_line_drawn_there() -> None:
    for bands in (bands_of(5, None, 2), bands_of(40, None, 9)):
        lines = bands.count + (bands.alone is not None)
        for line in range(lines):
            top, bottom = bands.span(line, 64.0)
            assert bands.line_at((top + bottom) / 2, 64.0) == line
        assert bands.span(lines - 1, 64.0)[1] == 64.0


def test_a_line_of_several_units_has_the_colour_of_their_mean() -> None:
    values = np.random.default_rng(0).uniform(-1.5, 1.5, 128).astype(np.float32)
    index = bands_of(128, None, 3).index(values, (-2.0, 2.0))
    for line in range(16):
        mean = sum(float(value) for value in values[8 * line : 8 * line + 8]) / 8
        assert abs(int(index[line]) - (mean + 2) / 4 * LEVELS) <= 0.5 + 1e-3
    assert abs(int(index[16]) - (float(values[3]) + 2) / 4 * LEVELS) <= 0.5 + 1e-3


def test_a_line_with_a_value_that_is_no_number_says_so() -> None:
    values = np.zeros(64, np.float32)
    values[5] = np.nan
    assert bands_of(64).index(values, (0.0, 1.0)).tolist() == [0, 255, *[0] * 14]


# Values.


def test_values_are_those_of_the_trace_at_their_step() -> None:
    result = answer(small_setup())
    trace, plan = result.traces[0], first(result).plan
    for step in (0, 1, 7, 19):
        for unit in (0, 4):
            cell = trace["lstm.0.cell_state"][:, unit]
            assert plan.value(Tap("cell_state"), step, unit) == cell[step]
            assert plan.value(Tap("cell_state", lag=1), step, unit) == (cell[step - 1] if step else 0.0)
            assert plan.value(Tap("cell_state", form=Form.TANH), step, unit) == tanh(cell[step])
            forget = float(trace["lstm.0.forget_gate"][step, unit])
            assert plan.value(Tap("forget_gate", form=Form.COMPLEMENT), step, unit) == 1.0 - forget
    assert plan.value(Tap("forget_gate"), 0, 5) is None
    assert plan.value(Tap("no_such_signal"), 0, 0) is None


def test_a_backward_direction_comes_from_the_step_after() -> None:
    result = answer(small_setup(network=NetworkSpec(hidden_size=5, bidirectional=True)))
    plan = first(result, View(backward=True)).plan
    cell = result.traces[0]["lstm.0.reverse.cell_state"]
    assert plan.shown.backward
    assert plan.value(Tap("cell_state", lag=1), 3, 2) == cell[4, 2]
    assert plan.value(Tap("cell_state", lag=1), 19, 2) == 0.0
    assert plan.symbol(Tap("cell_state", lag=1)) == "<i>c</i><sub>t+1</sub>"
    assert first(result).plan.symbol(Tap("cell_state", lag=1)) == "<i>c</i><sub>t−1</sub>"


def test_colours_have_the_range_of_the_row_in_the_stack() -> None:
    result = answer(small_setup())
    rows = StackResolver().resolve(result, View(), Remarks()).rows
    plan = first(result).plan
    by_values = {id(found.values): found for found in plan.recorded.values()}
    shared = [row for row in rows if id(getattr(row, "values", None)) in by_values]
    assert len(shared) == 5
    for row in shared:
        assert isinstance(row, UnitRow)
        assert by_values[id(row.values)].levels == row.levels


def test_what_is_retained_has_the_range_of_the_memory() -> None:
    plan = first(answer(small_setup())).plan
    assert plan.recorded["retained"].levels == plan.recorded["cell_state"].levels
    assert np.abs(plan.recorded["retained"].values).max() <= plan.recorded["retained"].levels[1]


def test_the_input_of_an_upper_layer_is_the_hidden_state_of_the_one_below() -> None:
    both = answer(small_setup(network=NetworkSpec(hidden_size=5, layers=2, bidirectional=True)))
    entering = first(both).plan.recorded["input"].values
    trace = both.traces[0]
    expected = np.concatenate([trace["lstm.0.hidden_state"], trace["lstm.0.reverse.hidden_state"]], axis=1)
    np.testing.assert_array_equal(entering, expected)
    assert first(both).plan.symbols is None
    lower = first(both, View(layer=0)).plan
    np.testing.assert_array_equal(lower.recorded["input"].values, both.sequence.values)
    assert lower.symbols == both.sequence.symbols


def test_the_input_of_a_second_module_was_not_recorded() -> None:
    result = answer(small_setup())
    trace = result.traces[0]
    arrays = dict(trace.arrays)
    arrays |= {
        name.replace("lstm.", "decoder.lstm."): array for name, array in arrays.items() if name.startswith("lstm.")
    }
    layers = (*trace.layers, replace(trace.layers[0], prefix="decoder.lstm.0"))
    two = replace(result, traces=(Trace(arrays, layers), result.traces[1]))
    state = first(two)
    assert state.plan.shown.layer.prefix == "decoder.lstm.0"
    assert "input" not in state.plan.recorded
    assert part_words(part(state, "x"), state) == "input, not recorded"
    assert not state.plan.has(*wire(state, "bus-x").taps)


# Phases, plans.


def test_a_phase_is_live_only_where_the_cell_has_it() -> None:
    result = answer(small_setup())
    lstm, rnn = states(result, View(four_phases=True, phase=Phase.USE))
    assert (lstm.phase, rnn.phase) == (Phase.USE, None)
    assert first(result, View(phase=Phase.USE)).phase is None


def test_another_result_of_the_same_traces_keeps_the_plans() -> None:
    result, resolver, stack = answer(small_setup()), DiagramResolver(), StackResolver()
    view = View()
    (before, *_) = resolver.resolve(result, view, stack.resolve(result, view, Remarks()))
    # As when a what-if has been computed.
    again = replace(result)
    (after, *_) = resolver.resolve(again, view, stack.resolve(again, view, Remarks()))
    assert after.plan is before.plan
    other = with_units(7)
    (third, *_) = resolver.resolve(other, view, stack.resolve(other, view, Remarks()))
    assert third.plan is not before.plan


def test_moving_the_cursor_keeps_the_plans() -> None:
    result, resolver, stack = answer(small_setup()), DiagramResolver(), StackResolver()
    views = (View(cursor=1), View(cursor=2, units={"0:lstm.0": 4}, four_phases=True))
    before, after = (resolver.resolve(result, view, stack.resolve(result, view, Remarks())) for view in views)
    assert all(old.plan is new.plan for old, new in zip(before, after, strict=True))
    assert [(state.step, state.unit) for state in (before[0], after[0])] == [(1, 0), (2, 4)]
    classroom = View(labels=Labels.CLASSROOM)
    renamed = resolver.resolve(result, classroom, stack.resolve(result, classroom, Remarks()))
    assert renamed[0].plan is not after[0].plan
    assert renamed[0].plan.wiring is after[0].plan.wiring


def test_a_kind_that_is_not_known_has_no_wiring() -> None:
    result = answer(small_setup(number_set()))
    arrays = {"input": result.sequence.values, "odd.0.hidden_state": np.zeros((12, 4), np.float32)}
    trace = Trace(arrays, (TraceLayer("odd.0", "odd", "Odd", 4, (signals.RECURRENT_STATE,)),))
    state = first(replace(result, traces=(trace,), infos=result.infos[:1]))
    assert state.plan.wiring is None
    assert summary(state) == ""


def test_options_of_the_layer_decide_its_wiring() -> None:
    result = answer(small_setup())
    rnn = result.traces[1]
    relu = Trace(rnn.arrays, (replace(rnn.layers[0], options={"nonlinearity": "relu"}),))
    plan = states(replace(result, traces=(result.traces[0], relu)))[1].plan
    assert plan.wiring is not None
    assert [box.text for box in plan.wiring.parts if isinstance(box, Box)][-1] == "relu"


def test_signals_of_a_network_that_also_runs_backwards_cannot_be_held() -> None:
    assert first(answer(small_setup())).plan.can_hold
    assert not first(answer(small_setup(network=NetworkSpec(hidden_size=5, bidirectional=True)))).plan.can_hold


# Words.


def test_each_part_is_named_with_its_value() -> None:
    result = answer(small_setup())
    state = first(result, View(cursor=7, units={"0:lstm.0": 3}))
    trace = result.traces[0]

    def value(name: str, step: int = 7) -> str:
        return format_number(float(trace[f"lstm.0.{name}"][step, 3]))

    assert part_words(part(state, "f"), state) == f"forget gate, unit 3, {value('forget_gate')}"
    assert (
        part_words(part(state, "c-before"), state) == f"cell state, one step before, unit 3, {value('cell_state', 6)}"
    )
    assert part_words(part(state, "learn"), state) == f"× makes admitted, unit 3, {value('admitted')}"
    exposed = format_number(tanh(float(trace["lstm.0.cell_state"][7, 3])))
    assert part_words(wire(state, "use.top"), state) == f"tanh of cell state, unit 3, {exposed}"
    assert result.sequence.symbols is not None
    assert part_words(part(state, "x"), state) == f"input, {result.sequence.symbols[7]}"
    classroom = first(result, View(cursor=7, labels=Labels.CLASSROOM))
    assert part_words(part(classroom, "f"), classroom).startswith("forget factor, unit 0, ")
    assert part_words(part(classroom, "c"), classroom).startswith("long-term memory, unit 0, ")


@pytest.mark.parametrize("labels", list(Labels))
def test_every_part_has_words_and_no_markup(labels: Labels) -> None:
    for state in states(answer(small_setup()), View(cursor=3, labels=labels)):
        wiring = state.plan.wiring
        assert wiring is not None
        parts = [one for one in wiring.parts if isinstance(one, Strip | Node | Box)]
        for one in (*parts, *wiring.wires, *wiring.texts, *wiring.zones):
            words = part_words(one, state)
            assert words
            assert not set("<>{}") & set(words)


def test_what_was_not_recorded_is_schematic_or_says_so() -> None:
    result = answer(small_setup())
    lstm, rnn = states(result)
    assert part_words(wire(rnn, "sum.left"), rnn).startswith("schematic: Whh ht of the step before")
    partial = Trace({k: v for k, v in result.traces[0].arrays.items() if "retained" not in k}, result.traces[0].layers)
    state = first(replace(result, traces=(partial, result.traces[1])))
    assert lstm.plan.has(Tap("retained"))
    assert not state.plan.has(Tap("retained"))
    assert part_words(part(state, "k"), state) == "retained, not recorded"


def test_before_the_first_step_memories_are_zero_and_called_so() -> None:
    state = first(answer(small_setup()), View(cursor=0))
    assert part_words(part(state, "c-before"), state).endswith("unit 0, 0.00, before the first step")
    assert not state.plan.column(Tap("cell_state", lag=1), 0).any()


def test_the_header_says_which_units_the_strips_show() -> None:
    assert header_note(first(with_units(16), View(units={"0:lstm.0": 14}))) == (
        "measured · strips: units 0–15 from the top, ◂ unit 14"
    )
    assert header_note(first(with_units(128))) == "measured · 128 units, 8 a bin, ◂ unit 0"
    assert header_note(first(with_units(100))) == "measured · 100 units, 6–7 a bin, ◂ unit 0"
    assert header_note(states(with_units(16))[1]) == "companion, same seed · ◂ unit 0"
    ordered = View(order=UnitOrder.ACTIVITY)
    assert header_note(first(with_units(16), ordered)) == "measured · strips: 16 units, ◂ unit 0"


def test_the_header_says_which_of_two_compared_traces_the_cell_shows() -> None:
    branch = Branch("gate", 4, clamp=(("lstm.0.forget_gate", ((0, 1.0),)),))
    result = answer(replace(small_setup(), branches=(branch,)))
    result = replace(result, branches=(result.traces,))
    view = View(comparison=Comparison(branch_key("gate")))
    lstm, rnn = states(result, view)
    assert header_note(lstm).startswith("recorded trace, A · strips: ")
    assert header_note(rnn).startswith("recorded trace, A · companion, same seed · ◂ unit ")
    assert header_note(first(result)).startswith("measured · strips: ")


def test_titles_say_what_is_drawn() -> None:
    lstm, rnn = states(answer(small_setup()))
    assert (lstm.plan.title, lstm.plan.badge) == ("LSTM cell", ("L", Role.LONG_TERM))
    assert (rnn.plan.title, rnn.plan.badge) == ("Vanilla RNN cell", ("R", Role.RECURRENT))
    deep = first(answer(small_setup(network=NetworkSpec(hidden_size=5, layers=3))), View(layer=1))
    assert deep.plan.title == "LSTM cell · layer 2 of 3"


def test_each_layer_of_a_recorded_training_of_two_networks_is_called_what_it_is() -> None:
    result = answer(small_setup())
    lstm, rnn = lstm_trace(result.sequence), rnn_trace(result.sequence)
    both = replace(lstm, layers=(*lstm.layers, *rnn.layers), arrays={**lstm.arrays, **rnn.arrays})
    recorded = replace(result, infos=result.infos[:1], traces=(both,))
    plans = [state.plan for layer in (0, 1) for state in states(recorded, View(layer=layer))]
    separate = [state.plan for state in states(result)]
    assert [plan.title for plan in plans] == [
        f"{plan.title} · layer {number} of 2" for number, plan in enumerate(separate, start=1)
    ]
    assert [plan.badge for plan in plans] == [plan.badge for plan in separate]
    assert len({plan.title.split()[0] for plan in plans}) == 2
