from __future__ import annotations

import math

import numpy as np
import pytest

from lstm_studio.ui.plots.layout import GRADIENT_RATIO, LEAST_ROW, SYMBOL_ROW, share_height
from lstm_studio.ui.plots.rows import StackState, spanning_levels, symmetric_levels
from lstm_studio.ui.plots.times import Times
from tests.ui.plots.conftest import make_state, unit_row


@pytest.mark.parametrize(
    ("largest", "limit"), [(7.31, 10), (1.0, 1), (1.01, 2), (0.3, 0.5), (0.07, 0.1), (49, 50), (51, 100), (0, 1)]
)
def test_symmetric_levels_are_the_next_of_one_two_five(largest: float, limit: float) -> None:
    low, high = symmetric_levels(largest)
    assert -low == high == pytest.approx(limit)


def test_levels_without_a_finite_value() -> None:
    assert symmetric_levels(math.nan) == (-1, 1)
    assert spanning_levels(math.nan, math.nan) == (-1, 1)
    assert spanning_levels(3, 3) == (2.5, 3.5)


def test_spanning_levels_hold_the_values_and_are_round() -> None:
    assert spanning_levels(104, 622) == (100, 700)
    low, high = spanning_levels(-0.313, 0.87)
    assert low <= -0.313
    assert high >= 0.87
    assert low == pytest.approx(-0.4)


def test_step_labels_count_from_the_first_number_and_name_the_time() -> None:
    assert StackState(steps=3).step_label(0) == "1"
    times = Times(np.array([0.0, 0.5]), "s")
    assert StackState(steps=2, first_step_number=0, times=times).step_label(1) == "1 (0.5 s)"


def test_rows_share_the_height_and_heat_maps_get_whole_pixels_a_unit() -> None:
    rows = make_state().rows
    shared = share_height(rows, 540)
    symbol, heat, lines, band, other, gradient = shared.heights
    assert symbol == SYMBOL_ROW
    assert heat == lines == band == other
    assert heat % 16 == 0
    assert gradient >= GRADIENT_RATIO * heat
    assert shared.total <= 540


def test_rows_scroll_rather_than_shrink() -> None:
    rows = tuple(unit_row(f"row {i}", 10, 16) for i in range(20))
    shared = share_height(rows, 400)
    assert min(shared.heights) >= LEAST_ROW
    assert shared.total > 400


def test_heights_are_whole_device_pixels() -> None:
    for ratio in (1.0, 1.25, 1.5):
        for height in share_height(make_state().rows, 517, ratio).heights:
            assert height * ratio == pytest.approx(round(height * ratio))
