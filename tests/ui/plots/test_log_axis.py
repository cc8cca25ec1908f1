from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.ui.plots.log_axis import LogAxis, log_axis


def test_range_is_the_smallest_that_holds_every_curve() -> None:
    axis = log_axis([np.array([3e-2, 0.5]), np.array([4e-20, 1.0])])
    assert axis == LogAxis(-20, 0)
    assert axis.fraction(np.array([1e-20, 1e-10, 1.0])).tolist() == pytest.approx([0, 0.5, 1])


def test_zero_and_not_finite_have_no_place_and_no_influence() -> None:
    values = np.array([0.0, np.nan, np.inf, 1e-3, 1e-5])
    axis = log_axis([values])
    assert axis == LogAxis(-5, -3)
    assert np.isnan(axis.fraction(values)).tolist() == [True, True, True, False, False]


def test_there_is_always_a_range() -> None:
    assert log_axis([np.zeros(5)]) == LogAxis(-1, 0)
    constant = log_axis([np.ones(5)])
    assert constant.low < constant.high


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (-20, 1, 8, [-20, -15, -10, -5, 0]),
        (-3, 0, 8, [-3, -2, -1, 0]),
        (-6, 0, 8, [-6, -4, -2, 0]),
        (-20, 1, 3, [-20, -10, 0]),
        (-300, 0, 8, [-300, -250, -200, -150, -100, -50, 0]),
    ],
)
def test_ticks_every_five_decades_fewer_where_the_range_is_small(
    low: int, high: int, most: int, expected: list[int]
) -> None:
    assert LogAxis(low, high).ticks(most) == expected
