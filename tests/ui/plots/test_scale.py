from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.ui.plots.scale import TimeScale, clamp_window, unit_edges


def test_columns_are_equal_whole_pixels_when_the_sequence_fits() -> None:
    scale = TimeScale(156, 850, 1.0, 0, 50)
    assert set(np.diff(scale.edges)) == {17}
    assert scale.right == 156 + 850


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_edges_lie_on_device_pixels(ratio: float) -> None:
    scale = TimeScale(160, 733, ratio, 3, 41)
    for step in (3, 17, 43):
        left, right = scale.column_edges(step)
        assert (left - 160) * ratio == pytest.approx(round((left - 160) * ratio))
        assert right > left


@given(
    count=st.integers(1, 3000),
    available=st.integers(20, 1500),
    first=st.integers(0, 50),
    ratio=st.sampled_from([1.0, 1.5, 2.0]),
)
def test_each_step_is_found_where_it_is_drawn(count: int, available: int, first: int, ratio: float) -> None:
    scale = TimeScale(100, available, ratio, first, count)
    assert scale.edges[0] == 0
    assert scale.edges[-1] == scale.pixels <= available * ratio
    for step in {first, first + count // 2, first + count - 1}:
        left, right = scale.column_edges(step)
        found = scale.step_at((left + right) / 2)
        # Where steps share a pixel any of them may be found, but none of another pixel.
        assert scale.edges[found - first] == scale.edges[step - first]
    assert scale.step_at(-1e6) == first
    assert scale.step_at(1e6) == first + count - 1


@given(count=st.integers(2, 5000), available=st.integers(5, 400))
def test_starts_split_the_steps_into_the_pixels_that_edges_say(count: int, available: int) -> None:
    scale = TimeScale(0, available, 1.0, 0, count)
    if scale.reduced:
        pixel_of_step = scale.edges[:-1]
        assert [int(np.flatnonzero(pixel_of_step == p)[0]) for p in range(scale.pixels)] == scale.starts.tolist()


def test_unit_edges_are_whole_and_cover_everything() -> None:
    assert set(np.diff(unit_edges(16, 64))) == {4}
    assert unit_edges(20, 66)[-1] == 66
    assert unit_edges(512, 64)[-1] == 64


def test_zoom_keeps_the_step_where_it_is_and_stays_inside() -> None:
    scale = TimeScale(0, 800, 1.0, 0, 200)
    first, count = scale.zoomed(100, 0.5, 200)
    assert count == 100
    assert abs((100 - first) / count - 0.5) < 0.02
    assert scale.zoomed(0, 0.5, 200)[0] == 0
    assert scale.zoomed(199, 0.5, 200) == (100, 100)
    assert scale.zoomed(100, 4.0, 200) == (0, 200)
    assert clamp_window(190, 50, 200) == (150, 50)
    assert clamp_window(-3, 500, 200) == (0, 200)


def test_zoom_always_moves_on() -> None:
    assert TimeScale(0, 800, 1.0, 10, 5).zoomed(12, 0.95, 200)[1] == 4
    assert TimeScale(0, 800, 1.0, 10, 4).zoomed(12, 1.05, 200)[1] == 5


def test_columns_differ_by_one_pixel_where_equal_ones_would_waste_room() -> None:
    # 100 steps on 890 px: 8 px each would leave 90 px unused.
    scale = TimeScale(0, 890, 1.0, 0, 100)
    assert scale.pixels == 890
    assert set(np.diff(scale.edges)) == {8, 9}
