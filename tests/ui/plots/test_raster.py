from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.ui.plots.raster import (
    _block_medians,
    bar_depth,
    column_index,
    envelope,
    heat_pixels,
    line_bars,
    line_coverage,
    medians,
    quantile_bands,
    to_index,
)
from lstm_studio.ui.plots.scale import TimeScale


def test_index_spans_the_levels_and_zero_is_exactly_in_the_middle() -> None:
    values = np.array([[-1.0, 0.0, 1.0, 5.0, -5.0, np.nan, np.inf, -np.inf]])
    assert to_index(values, (-1, 1)).tolist() == [[0, 127, 254, 254, 0, 255, 254, 0]]
    gate = np.linspace(0, 1, 1001)[:, None]
    assert np.abs(to_index(gate, (0, 1)).astype(float) / 254 - gate).max() <= 0.5 / 254 + 1e-6


@pytest.mark.parametrize("levels", [(-1.0, 1.0), (0.0, 1.0), (-0.003, 0.003), (2.0, 7.0)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_values_of_one_step_get_the_colours_that_they_have_in_the_heat_map(
    levels: tuple[float, float], kind: type[np.floating]
) -> None:
    low, high = levels
    spread = np.random.default_rng(5).uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), 5_000)
    values = np.array([*spread, low, high, 0.0, np.nan, np.inf, -np.inf], kind)
    assert column_index(values, levels).tolist() == to_index(values[None], levels)[0].tolist()


def test_heat_map_repeats_each_value_over_its_whole_cell() -> None:
    index = np.arange(12, dtype=np.uint8).reshape(4, 3)
    scale = TimeScale(0, 40, 1.0, 1, 3)
    picture = heat_pixels(index, medians(index), np.array([2, 0, 1]), scale, 6)
    # 3 visible steps of 13 px, units in the order 2, 0, 1, two pixels each.
    expected = np.kron(index[1:4][:, [2, 0, 1]].T, np.ones((2, 13), np.uint8))
    np.testing.assert_array_equal(picture, expected)


def test_a_spike_of_one_step_survives_reduction_upwards_and_downwards() -> None:
    values = np.full((10_000, 3), 0.9, np.float32)
    values[:, 1] = 0.1
    values[5000, 0] = 0.0
    values[7003, 1] = 1.0
    index = to_index(values, (0, 1))
    scale = TimeScale(0, 500, 1.0, 0, 10_000)
    picture = heat_pixels(index, medians(index), None, scale, 3)
    assert picture.shape == (3, 500)
    assert np.flatnonzero(picture[0] == 0).tolist() == [5000 * 500 // 10_000]
    assert np.flatnonzero(picture[1] == 254).tolist() == [7003 * 500 // 10_000]
    assert set(picture[2].tolist()) == {int(index[0, 2])}


def test_a_missing_value_survives_reduction_in_time_and_in_units() -> None:
    values = np.zeros((4000, 256), np.float32)
    values[1234, 77] = np.nan
    index = to_index(values, (-1, 1))
    scale = TimeScale(0, 400, 1.0, 0, 4000)
    picture = heat_pixels(index, medians(index), None, scale, 64)
    assert picture.shape == (64, 400)
    assert np.argwhere(picture == 255).tolist() == [[77 * 64 // 256, 123]]


def test_units_that_share_a_pixel_keep_the_one_farthest_from_their_median() -> None:
    index = np.full((10, 100), 127, np.uint8)
    index[4, 51] = 254
    picture = heat_pixels(index, medians(index), None, TimeScale(0, 100, 1.0, 0, 10), 25)
    assert picture.shape == (25, 100)
    assert np.unique(np.argwhere(picture == 254)[:, 0]).tolist() == [12]


def test_quantiles_agree_with_numpy() -> None:
    values = np.random.default_rng(0).normal(size=(30, 17)).astype(np.float32)
    expected = np.quantile(values.astype(float), (0.05, 0.25, 0.75, 0.95), axis=1)
    bands = quantile_bands(values)
    np.testing.assert_allclose(bands[[0, 1, 3, 4]], expected, atol=1e-6)
    np.testing.assert_allclose(bands[2], values.mean(axis=1), atol=1e-6)


def test_bands_of_one_unit_and_with_a_missing_value() -> None:
    values = np.array([[0.5], [np.nan], [0.25]], np.float32)
    bands = quantile_bands(values)
    assert bands[:, 0].tolist() == [0.5] * 5
    assert np.isnan(bands[:, 1]).all()


@pytest.mark.parametrize(("rows", "numbers", "blocks"), [(256, 50, 52), (900, 7, 5), (64, 3, 64), (1000, 40, 7)])
def test_blocks_are_reduced_as_numpy_reduces_them(rows: int, numbers: int, blocks: int) -> None:
    rng = np.random.default_rng(rows)
    values = rng.normal(size=(rows, numbers)).astype(np.float32)
    values[rng.uniform(size=values.shape) < 0.1] = np.nan
    steps = TimeScale(0, blocks, 1, 0, rows)
    low, high = envelope(values, steps)
    np.testing.assert_array_equal(low, np.fmin.reduceat(values, steps.starts, axis=0))
    np.testing.assert_array_equal(high, np.fmax.reduceat(values, steps.starts, axis=0))


def test_envelope_is_smallest_and_largest_of_each_pixel() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    scale = TimeScale(0, 100, 1.0, 0, 1000)
    low, high = envelope(values, scale)
    blocks = values.reshape(100, 10)
    np.testing.assert_array_equal(low, blocks.min(axis=1))
    np.testing.assert_array_equal(high, blocks.max(axis=1))


def test_coverage_counts_bars_and_parts_of_pixels() -> None:
    tops = np.array([[1.0, 0.25], [1.5, np.nan]])
    bottoms = np.array([[3.0, 0.75], [2.0, np.nan]])
    coverage = line_coverage(tops, bottoms, 4)
    assert coverage == pytest.approx(np.array([[0, 0.5], [1.5, 0], [1, 0], [0, 0]]), abs=1e-9)


def test_coverage_outside_the_plot_is_cut() -> None:
    coverage = line_coverage(np.array([[-50.0, 90.0]]), np.array([[1.0, 95.0]]), 4)
    assert coverage == pytest.approx(np.array([[1, 0], [0, 0], [0, 0], [0, 0]]), abs=1e-9)


def test_bars_follow_the_straight_line_between_centres() -> None:
    values = np.array([[0.0], [1.0], [0.0]])
    scale = TimeScale(0, 30, 1.0, 0, 3)
    low, high = line_bars(values, scale)
    assert np.isnan(low[0, :5]).all()
    assert np.isnan(low[0, 26:]).all()
    assert high[0, 15] == pytest.approx(1.0)
    assert low[0, 10] == pytest.approx(0.5)
    assert high[0, 10] == pytest.approx(0.6)


def test_reduced_bars_touch_their_neighbours() -> None:
    values = np.repeat([0.0, 1.0], 500)[:, None]
    low, high = line_bars(values, TimeScale(0, 100, 1.0, 0, 1000))
    assert low[0, 50] == 0
    assert high[0, 50] == 1
    assert np.all(low[0, 1:] <= high[0, :-1])


@pytest.mark.parametrize("steps", [1, 2, 7, 500, 1003, 2500])
def test_the_medians_are_those_of_numpy_over_some_500_steps(steps: int) -> None:
    index = np.random.default_rng(steps).integers(0, 256, (steps, 9), np.uint8)
    expected = np.median(index[:: max(1, steps // 500)], axis=0).astype(np.int16)
    found = medians(index)
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, expected)


def test_the_medians_of_blocks_are_those_of_each_block() -> None:
    values = np.random.default_rng(3).integers(0, 256, size=101).astype(np.int16)
    starts = -(-np.arange(23, dtype=np.intp) * 101 // 23)
    expected = [np.int16(np.median(block)) for block in np.split(values, starts[1:])]
    np.testing.assert_array_equal(_block_medians(values, starts), expected)


@pytest.mark.parametrize("seed", range(6))
def test_the_bars_of_one_line_cover_what_those_of_many_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    tops = random.uniform(-20, 60, 80)
    bottoms = tops + random.choice([0.0, 0.2, 1.0, 7.0, 90.0], 80)
    tops[random.integers(0, 80, 9)] = np.nan
    first, depth = bar_depth(tops, bottoms, 50)
    whole = np.zeros((50, 80))
    whole[first : first + len(depth)] = depth / 255
    np.testing.assert_allclose(whole, line_coverage(tops[None], bottoms[None], 50), atol=0.5 / 255 + 1e-6)


def test_bars_beside_the_picture_cover_nothing() -> None:
    for tops, bottoms in ((np.array([-9.0, np.nan]), np.array([-3.0, 4.0])), (np.array([60.0]), np.array([70.0]))):
        assert bar_depth(tops, bottoms, 50)[1].size == 0
