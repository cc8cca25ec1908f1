"""From a result and a view to rows: everything declared, nothing known by name, nothing rebuilt without need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.signals import Labels, Role, Signal
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.session.state import Remarks, Result, UnitFilter, UnitOrder, View
from lstm_studio.ui.explore.rows import StackResolver
from lstm_studio.ui.plots.rows import GradientRow, StackState, SymbolRow, UnitRow
from lstm_studio.ui.plots.rows import View as PlotView
from tests.ui.explore.fakes import answer, number_set, small_setup, symbol_set


def resolve(result: Result, view: View | None = None) -> StackState:
    return StackResolver().resolve(result, view or View())


def unit_rows(state: StackState) -> list[UnitRow]:
    return [row for row in state.rows if isinstance(row, UnitRow)]


def test_the_rows_are_those_of_the_picture_in_its_order() -> None:
    state = resolve(answer(small_setup()))
    titles = [row.title for row in state.rows]
    assert titles == [
        "Input",
        "Forget gate",
        "Admitted",
        "Output gate",
        "Cell state",
        "Hidden state",
        "RNN hidden state",
        "Gradient",
    ]
    assert isinstance(state.rows[0], SymbolRow)
    assert isinstance(state.rows[-1], GradientRow)


def test_rows_hold_the_arrays_of_the_trace_themselves() -> None:
    result = answer(small_setup())
    forget = unit_rows(resolve(result))[0]
    assert forget.values is result.traces[0]["lstm.0.forget_gate"]
    assert forget.group == "0:lstm.0"
    assert unit_rows(resolve(result))[-1].values is result.traces[1]["rnn.0.hidden_state"]


def test_a_signal_nobody_knows_is_shown_as_it_declares_itself() -> None:
    new = Signal("clock", Role.USE, "q", "<i>q</i>", "Clock", "Beat", "in 0…9", (0.0, 9.0), overview=True)
    hidden = replace(new, name="spring", overview=False)
    sequence = number_set()[0]
    arrays = {"input": sequence.values, "odd.0.clock": np.ones((12, 4), np.float32)}
    arrays["odd.0.spring"] = arrays["odd.0.clock"]
    result = answer(small_setup(number_set()))
    trace = Trace(arrays, (TraceLayer("odd.0", "odd", "Odd", 4, (new, hidden)),))
    row = unit_rows(resolve(replace(result, traces=(trace,), infos=result.infos[:1]), View(labels=Labels.CLASSROOM)))[
        -1
    ]
    assert (row.title, row.badge, row.levels, row.role, row.note) == ("Beat", "q", (0.0, 9.0), Role.USE, "in 0…9")


def test_unbounded_signals_get_one_symmetric_range() -> None:
    result = answer(small_setup())
    cell = next(row for row in unit_rows(resolve(result)) if row.role is Role.LONG_TERM)
    largest = np.abs(cell.values).max()
    low, high = cell.levels
    assert low == -high
    assert largest <= high <= 5 * largest
    assert high in {0.5, 1.0, 2.0, 5.0, 10.0, 20.0}


def test_two_networks_with_the_same_unbounded_signal_share_its_range() -> None:
    result = answer(small_setup())
    big = Trace(
        {**result.traces[0].arrays, "lstm.0.cell_state": result.traces[0]["lstm.0.cell_state"] * 40},
        result.traces[0].layers,
    )
    both = replace(result, traces=(result.traces[0], big), infos=(result.infos[0], result.infos[0]))
    cells = [row for row in unit_rows(resolve(both)) if row.role is Role.LONG_TERM]
    assert len(cells) == 2
    assert cells[0].levels == cells[1].levels
    assert cells[0].levels[1] >= np.abs(big["lstm.0.cell_state"]).max()
    assert cells[0].title != cells[1].title


def test_values_that_are_not_finite_do_not_decide_the_range() -> None:
    result = answer(small_setup(number_set()))
    values = np.array(result.traces[0]["lstm.0.cell_state"])
    values[3, 1] = np.inf
    trace = Trace({**result.traces[0].arrays, "lstm.0.cell_state": values}, result.traces[0].layers)
    row = next(
        row
        for row in unit_rows(resolve(replace(result, traces=(trace, result.traces[1]))))
        if row.values is values or row.role is Role.LONG_TERM
    )
    assert np.isfinite(row.levels).all()


def test_moving_the_cursor_rebuilds_nothing() -> None:
    result, resolver = answer(small_setup()), StackResolver()
    before = resolver.resolve(result, View(cursor=1))
    after = resolver.resolve(result, View(cursor=2, units={"0:lstm.0": 4}))
    assert after.rows is before.rows
    assert (before.cursor, after.cursor) == (1, 2)
    assert after.selected == {"0:lstm.0": 4, "1:rnn.0": 0}


def test_another_vocabulary_keeps_the_arrays() -> None:
    result, resolver = answer(small_setup()), StackResolver()
    before = unit_rows(resolver.resolve(result, View()))
    after = unit_rows(resolver.resolve(result, View(labels=Labels.CLASSROOM)))
    assert [row.title for row in after][:2] == ["Forget factor", "Learn gate"]
    assert all(new.values is old.values and new.key == old.key for new, old in zip(after, before, strict=True))


def test_the_last_layer_is_shown_until_another_is_chosen() -> None:
    result = answer(small_setup(network=NetworkSpec(hidden_size=5, layers=3)))
    assert unit_rows(resolve(result))[0].group == "0:lstm.2"
    first = resolve(result, View(layer=0))
    assert unit_rows(first)[0].group == "0:lstm.0"
    assert unit_rows(first)[0].note.endswith("layer 1 of 3")
    assert unit_rows(resolve(result, View(layer=9)))[0].group == "0:lstm.2"
    # A companion with fewer layers shows its last.
    assert unit_rows(first)[-1].group == "1:rnn.0"


def test_both_directions_are_shown_and_told_apart() -> None:
    result = answer(small_setup(network=NetworkSpec(hidden_size=5, bidirectional=True)))
    state = resolve(result)
    gates = [row for row in unit_rows(state) if row.role is Role.FORGET]
    assert [row.title for row in gates] == ["Forget gate →", "Forget gate ←"]
    assert len({row.key for row in state.rows}) == len(state.rows)
    gradient = state.rows[-1]
    assert isinstance(gradient, GradientRow)
    assert {curve.full_name for curve in gradient.curves} >= {"LSTM → ∂c", "LSTM ← ∂c", "RNN ∂h"}


def test_gradient_curves_differ_by_more_than_colour() -> None:
    gradient = resolve(answer(small_setup())).rows[-1]
    assert isinstance(gradient, GradientRow)
    styles = {(curve.full_name, curve.dashed, curve.squares) for curve in gradient.curves}
    assert styles == {("LSTM ∂c", False, False), ("LSTM ∂h", True, False), ("RNN ∂h", False, True)}
    assert "Σ" in gradient.objective
    assert "20" in gradient.objective


def test_without_gradients_there_is_no_gradient_row() -> None:
    result = answer(small_setup())
    bare = tuple(
        Trace({name: trace[name] for name in trace.names if "grad" not in name}, trace.layers)
        for trace in result.traces
    )
    assert not isinstance(resolve(replace(result, traces=bare)).rows[-1], GradientRow)


def test_numbers_are_lines_in_a_range_of_their_own() -> None:
    result = answer(small_setup(number_set()))
    row = resolve(result).rows[0]
    assert isinstance(row, UnitRow)
    assert row.view is PlotView.LINES
    assert row.names == ("x0", "x1")
    assert row.levels[0] <= row.values.min() < row.values.max() <= row.levels[1]


def test_many_features_are_a_heat_map() -> None:
    row = resolve(answer(small_setup(number_set(features=40)))).rows[0]
    assert isinstance(row, UnitRow)
    assert row.view is PlotView.HEAT


def test_the_chosen_view_of_a_row_is_kept_when_the_network_grows() -> None:
    view = View(plot_views={"0.forget_gate": PlotView.BAND.value, "input": "no such view"})
    for units in (5, 9):
        rows = unit_rows(resolve(answer(small_setup(network=NetworkSpec(hidden_size=units))), view))
        assert rows[0].view is PlotView.BAND
        assert rows[1].view is PlotView.HEAT


@pytest.mark.parametrize(
    ("time", "labels"),
    [
        (np.array(["1949-01", "1949-02", "1949-03"], "datetime64[ns]"), ("1949-01", "1949-02", "1949-03")),
        (np.array(["2024-01-31T10:30"] * 3, "datetime64[ns]"), ("2024-01-31 10:30",) * 3),
        (np.array([0.0, 0.01, -0.5]), ("0.00 s", "0.01 s", "−0.50 s")),
    ],
)
def test_times_are_written_as_coarsely_as_they_are(time: np.ndarray, labels: tuple[str, ...]) -> None:
    sequence = Sequence(np.zeros((3, 1), np.float32), ("x",), time=time, time_unit="s")
    result = answer(small_setup(SequenceSet((sequence,))))
    state = resolve(result)
    assert state.times is not None
    assert tuple(map(state.times.text, range(3))) == labels
    assert state.time_title == ("time" if state.times.dates else "time, s")


def test_events_stand_out_and_frames_do_not() -> None:
    assert emphasised_symbols(symbol_set()) == ("X", "Y")
    state = resolve(answer(small_setup()))
    assert isinstance(state.rows[0], SymbolRow)
    assert state.rows[0].emphasis == {"X", "Y"}


def test_in_a_text_no_letter_stands_out() -> None:
    rng = np.random.default_rng(0)
    names = tuple(chr(97 + index) for index in range(26))
    counts = 1 / np.arange(1, 27)
    letters = rng.choice(26, size=2000, p=counts / counts.sum())
    text = Sequence(np.eye(26, dtype=np.float32)[letters], names, encoding=symbol_set()[0].encoding)
    assert emphasised_symbols(SequenceSet((text,))) == ()


def test_preactivations_are_no_memories() -> None:
    assert signals.preactivation(signals.RECURRENT_STATE).role is Role.RECURRENT
    gradient = resolve(answer(small_setup())).rows[-1]
    assert isinstance(gradient, GradientRow)
    assert len(gradient.curves) == 3


def test_units_in_sight_stay_the_same_arrays_until_they_change() -> None:
    resolver = StackResolver()
    result, view = answer(small_setup()), View(order=UnitOrder.ACTIVITY)
    remarks = Remarks(pinned={"0:lstm.0": (3,)})
    first = resolver.resolve(result, view, remarks)
    assert first.order["0:lstm.0"][0] == 3
    assert first.pinned == {"0:lstm.0": 1, "1:rnn.0": 0}
    assert sorted(first.order["1:rnn.0"].tolist()) == [0, 1, 2, 3, 4]
    moved = resolver.resolve(result, replace(view, cursor=2), remarks)
    assert moved.order is first.order
    other_rows = resolver.resolve(result, replace(view, labels=Labels.CLASSROOM), remarks)
    assert other_rows.order["0:lstm.0"] is first.order["0:lstm.0"]
    assert resolver.resolve(result, View(), Remarks()).order == {}
    filtered = resolver.resolve(result, View(unit_filter=UnitFilter(listed=(1, 2))), remarks)
    assert filtered.order["0:lstm.0"].tolist() == [3, 1, 2]
    assert resolver.resolve(result, View(stretch=(2, 5)), Remarks()).stretch == (2, 5)
