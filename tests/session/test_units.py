"""Which units are in sight, in which order, and how a filter is typed."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks import signals
from lstm_studio.networks.spec import NetworkInfo
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.state import Remarks, Result, Setup, UnitFilter, UnitOrder, View
from lstm_studio.session.units import (
    UnitsError,
    activity,
    beside,
    filter_text,
    pinned_in,
    read_filter,
    read_units,
    rearranged,
    sight_of,
    unit_order,
    units_in_sight,
    units_text,
)

Array = np.ndarray[Any, Any]


def traced(hidden: Array, prefix: str = "lstm.0", **others: Array) -> tuple[Trace, TraceLayer]:
    units = hidden.shape[1]
    layer = TraceLayer(prefix, "lstm", "LSTM", units, (signals.CELL_STATE, signals.HIDDEN_STATE))
    arrays = {"input": hidden[:, :1], f"{prefix}.hidden_state": hidden}
    return Trace(arrays | {f"{prefix}.{name}": array for name, array in others.items()}, (layer,)), layer


def activities(*wanted: float) -> Array:
    """Hidden states whose mean magnitudes are these, with signs that cancel."""
    signs = np.array([1, -1, 1, -1], np.float32)[:, None]
    return (signs * np.array(wanted, np.float32)).astype(np.float32)


def test_activity_is_the_mean_magnitude_of_the_hidden_state_whatever_the_cell_state_does() -> None:
    hidden = np.random.default_rng(0).uniform(-1, 1, (70_000, 3)).astype(np.float32)
    trace, layer = traced(hidden, cell_state=100 * hidden[:, ::-1])
    plain = [np.mean([abs(float(value)) for value in hidden[:, unit]]) for unit in range(3)]
    np.testing.assert_allclose(activity(trace, layer), plain, rtol=1e-6)


def test_activity_leaves_out_what_is_not_finite() -> None:
    hidden = activities(0.5, 0.25)
    hidden[0, 0], hidden[1, 1] = np.nan, np.inf
    trace, layer = traced(hidden)
    np.testing.assert_allclose(activity(trace, layer), [0.5, 0.25])


def test_a_layer_without_a_hidden_state_is_measured_by_the_last_signal_that_is_shown() -> None:
    cell = activities(3.0, 1.0)
    layer = TraceLayer("x.0", "x", "X", 2, (signals.FORGET_GATE, signals.CELL_STATE, signals.INPUT_GATE))
    arrays = {f"x.0.{name}": np.ones_like(cell) for name in ("forget_gate", "input_gate")} | {"x.0.cell_state": cell}
    np.testing.assert_allclose(activity(Trace({"input": cell, **arrays}, (layer,)), layer), [3.0, 1.0])


def test_the_most_active_come_first_and_equals_stay_by_index() -> None:
    trace, layer = traced(activities(0.2, 0.9, 0.2, 0.5))
    assert unit_order(trace, layer, UnitOrder.ACTIVITY).tolist() == [1, 3, 0, 2]
    assert unit_order(trace, layer, UnitOrder.INDEX).tolist() == [0, 1, 2, 3]


def test_an_order_is_made_once_and_cannot_be_written() -> None:
    trace, layer = traced(np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32))
    first = unit_order(trace, layer, UnitOrder.SIMILARITY)
    assert unit_order(trace, layer, UnitOrder.SIMILARITY) is first
    assert not first.flags.writeable
    assert units_in_sight(trace, layer, pinned=(2,)) is units_in_sight(trace, layer, pinned=(2,))


def test_pins_come_first_as_they_were_pinned_and_survive_the_filter() -> None:
    trace, layer = traced(activities(0.2, 0.9, 0.3, 0.5))
    most_active = UnitFilter(above=0.4)
    assert units_in_sight(trace, layer, UnitOrder.ACTIVITY, most_active).tolist() == [1, 3]
    assert units_in_sight(trace, layer, UnitOrder.ACTIVITY, most_active, (2, 0)).tolist() == [2, 0, 1, 3]
    assert units_in_sight(trace, layer, UnitOrder.INDEX, UnitFilter(listed=(0, 3)), (3, 3, 9)).tolist() == [3, 0]


def test_a_layer_of_which_the_filter_keeps_none_keeps_all() -> None:
    trace, layer = traced(activities(0.2, 0.1))
    assert units_in_sight(trace, layer, UnitOrder.INDEX, UnitFilter(above=0.5)).tolist() == [0, 1]
    assert units_in_sight(trace, layer, UnitOrder.INDEX, UnitFilter(listed=(7,)), (1,)).tolist() == [1, 0]


def two_networks() -> Result:
    first, _ = traced(activities(0.2, 0.9, 0.3))
    second, _ = traced(activities(0.1, 0.6, 0.7), "rnn.0")
    data = SequenceSet((Sequence(np.zeros((4, 1), np.float32), ("x",)),))
    info = NetworkInfo("lstm", "LSTM", 1, 3, 1, False, 1, 0, "seed 0", "a")
    return Result(Setup(data), data, data[0], (info, info), (first, second))


def sight(result: Result, view: View, group: str, remarks: Remarks | None = None) -> list[int]:
    found = sight_of(result, view, remarks or Remarks(), group)
    assert found is not None
    return [int(unit) for unit in found]


def test_a_list_names_units_of_the_first_network_and_an_activity_counts_in_all() -> None:
    result = two_networks()
    listed, above = View(unit_filter=UnitFilter(listed=(2,))), View(unit_filter=UnitFilter(above=0.5))
    assert sight(result, listed, "0:lstm.0") == [2]
    assert sight(result, listed, "1:rnn.0") == [0, 1, 2]
    assert sight(result, above, "0:lstm.0") == [1]
    assert sight(result, above, "1:rnn.0") == [1, 2]
    assert sight_of(result, above, Remarks(), "2:rnn.0") is None
    assert sight_of(result, above, Remarks(), "1:lstm.0") is None


def test_only_layers_that_do_not_show_all_by_index_are_rearranged() -> None:
    result = two_networks()
    groups = ("0:lstm.0", "1:rnn.0")
    assert not rearranged(result, View(), Remarks(), groups)
    pinned = rearranged(result, View(), Remarks(pinned={"1:rnn.0": (2,)}), groups)
    assert {group: order.tolist() for group, order in pinned.items()} == {"1:rnn.0": [2, 0, 1]}
    assert set(rearranged(result, View(order=UnitOrder.ACTIVITY), Remarks(), groups)) == set(groups)
    assert pinned_in(Remarks(pinned={"0:lstm.0": (2, 9, 2, 0)}), "0:lstm.0", 3) == (2, 0)


def test_next_and_previous_follow_what_is_shown() -> None:
    shown = np.array([4, 1, 7])
    assert [beside(shown, 1, by) for by in (-1, 1, -5, 5)] == [4, 7, 4, 7]
    assert beside(shown, 7, 1) == 7
    assert beside(shown, 3, 1) == 4
    assert beside(shown, 3, -1) == 7


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", UnitFilter()),
        ("  ", UnitFilter()),
        ("3, 5, 8–12", UnitFilter(listed=(3, 5, 8, 9, 10, 11, 12))),
        ("8-9,3 , 3", UnitFilter(listed=(3, 8, 9))),
        ("1 2 4 - 5", UnitFilter(listed=(1, 2, 4, 5))),
        ("0;15", UnitFilter(listed=(0, 15))),
        ("> 0.2", UnitFilter(above=0.2)),
        (">.5", UnitFilter(above=0.5)),
        ("> 0,25", UnitFilter(above=0.25)),
        ("above 1", UnitFilter(above=1.0)),
    ],
)
def test_a_filter_is_read(text: str, wanted: UnitFilter) -> None:
    assert read_filter(text, 16) == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("16", "There is no unit 16."),
        ("3–99999999999999999999", "There is no unit 99999999999999999999."),
        ("9-4", "runs backwards"),
        ("three", "'three' is not a list of units."),
        ("3,,5", "is not a list of units."),
        ("3,", "is not a list of units."),
        ("> ", "is not a list of units."),
        ("> much", "is not a list of units."),
        ("-3", "is not a list of units."),
        ("1.5", "is not a list of units."),
        ("²", "is not a list of units."),
        ("3 > 0.2", "is not a list of units."),
        ("\x00", "is not a list of units."),
    ],
)
def test_a_filter_that_cannot_be_read_says_why_and_how_one_is_written(text: str, found: str) -> None:
    with pytest.raises(UnitsError) as caught:
        read_filter(text, 16)
    assert found in caught.value.found
    assert caught.value.cure


@given(text=st.text(max_size=20), units=st.integers(1, 40))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str, units: int) -> None:
    with contextlib.suppress(UnitsError):
        kept = read_filter(text, units)
        assert all(0 <= unit < units for unit in kept.listed)
        assert read_filter(filter_text(kept), units) == kept


@given(units=st.sets(st.integers(0, 60)))
def test_a_list_is_written_as_it_is_read(units: set[int]) -> None:
    text = units_text(units)
    assert (read_units(text, 61) if units else ()) == tuple(sorted(units))


def test_runs_are_written_as_ranges_and_pairs_one_by_one() -> None:
    assert units_text((3, 5, 6, 8, 9, 10, 12)) == "3, 5, 6, 8–10, 12"
