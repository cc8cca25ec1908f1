"""From records to pixels: each column shows the record that lies nearest, and none vanishes."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import DARK, LEVELS, LIGHT, MISSING
from lstm_studio.ui.training_plots.lag_cells import (
    cell_index,
    lag_of_pixel,
    lag_pixels,
    record_of_pixel,
    shared_axis,
)
from lstm_studio.ui.training_plots.pictures import LagPicture, goes_on
from lstm_studio.ui.training_plots.span import Span


def picture_of(x: list[float], until: float | None = None) -> LagPicture:
    positions = np.array(x, np.float64)
    norms = 10.0 ** -np.arange(len(x), dtype=np.float64)[:, None]
    return LagPicture(positions, norms, until=until)


@pytest.mark.parametrize("seed", range(5))
def test_each_column_shows_the_nearest_record(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = np.sort(random.choice(1000, 7, replace=False)).astype(np.float64)
    picture = picture_of(x.tolist())
    found = record_of_pixel(picture, Span(0, 1000), 500)
    for column, record in enumerate(found):
        centre = (column + 0.5) * 2
        first, last = picture.reach(0)[0], picture.reach(len(x) - 1)[1]
        if not first <= centre <= last:
            assert record == -1
            continue
        inside = np.flatnonzero((x / 2).astype(int) == column)
        if len(inside):
            assert record == inside[-1]
        else:
            assert abs(x[record] - centre) == pytest.approx(np.abs(x - centre).min())


@pytest.mark.parametrize("since", [0, 1, 137, 390])
def test_a_part_is_as_the_same_part_of_the_whole(since: int) -> None:
    random = np.random.default_rng(3)
    x = np.sort(random.choice(5000, 300, replace=False)).astype(np.float64)
    norms = random.random((300, 40)) * (random.random((300, 40)) > 0.1)
    norms[:, 30:] = np.nan
    picture, axis, span = LagPicture(x, norms), LogAxis(-3, 0), Span(0, 5000)
    np.testing.assert_array_equal(
        record_of_pixel(picture, span, 400, since), record_of_pixel(picture, span, 400)[since:]
    )
    begin, whole = lag_pixels(picture, axis, span, (400, 90), LIGHT)
    at, part = lag_pixels(picture, axis, span, (400, 90), LIGHT, since=since)
    np.testing.assert_array_equal(part, whole[:, at - begin :])


def test_no_record_vanishes_however_close_they_lie() -> None:
    found = record_of_pixel(picture_of([0.0, 10.0, 10.4, 12.2, 90.0]), Span(0, 100), 50)
    assert set(found.tolist()) - {-1} == {0, 1, 2, 3, 4}
    assert found[5] == 2, "of two in one column the last one"


def test_records_reach_halfway_and_the_last_one_to_the_end_of_the_training() -> None:
    going_on, ended = picture_of([0.0, 10.0, 20.0]), picture_of([0.0, 10.0, 20.0], until=27.0)
    assert [going_on.reach(place) for place in range(3)] == [(-5, 5), (5, 15), (15, 25)]
    assert ended.reach(2) == (15, 27)
    assert picture_of([0.0, 10.0, 20.0], until=99.0).reach(2) == (15, 30)
    assert picture_of([0.0, 10.0, 20.0], until=20.0).reach(2) == (15, 20)
    assert (going_on.record_at(24.0), going_on.record_at(26.0)) == (2, None)
    assert picture_of([]).record_at(3.0) is None


def test_of_lags_that_share_a_pixel_the_largest_is_shown() -> None:
    norms = np.array([[1.0, 1e-4, 1e-2, np.nan, 0.0, 0.0, np.nan, np.nan, np.inf, 1.0]])
    index, nothing = cell_index(norms, LogAxis(-4, 0), 5)
    assert index[:, 0].tolist() == [LEVELS - 1, (LEVELS - 1) // 2, 0, 256, MISSING]
    assert nothing[:, 0].tolist() == [False, False, True, False, False]
    assert [lag_of_pixel(10, 5, row) for row in range(5)] == [0, 2, 4, 6, 8]
    assert [lag_of_pixel(2, 5, row) for row in range(5)] == [0, 0, 1, 1, 1]


def test_colours_are_those_of_the_theme() -> None:
    picture = LagPicture(np.array([5.0]), np.array([[1.0, 0.0, np.nan]]))
    for theme in (LIGHT, DARK):
        begin, pixels = lag_pixels(picture, LogAxis(-1, 0), Span(0, 10), (10, 3), theme)
        red, green, blue, _ = theme.gate_table[LEVELS - 1].tolist()
        assert begin == 4
        assert set(pixels[0].tolist()) == {0xFF000000 | red << 16 | green << 8 | blue}
        assert set(pixels[1].tolist()) <= {0xFF000000 | int(one[1:], 16) for one in (theme.panel, theme.ink3)}
        assert set(pixels[2].tolist()) == {0xFF000000 | int(theme.sunken[1:], 16)}


def test_one_scale_holds_what_all_maps_show() -> None:
    assert shared_axis([np.array([[1e-7, 0.0]]), np.array([[30.0, np.nan]])]) == LogAxis(-7, 2)


def test_only_records_that_are_added_at_the_end_go_on() -> None:
    x, norms = np.arange(10.0), np.ones((10, 3))
    before = LagPicture(x[:5], norms[:5])
    assert goes_on(before, LagPicture(x[:6], norms[:6]))
    other = norms.copy()
    other[2] = 7
    assert not goes_on(before, LagPicture(x[:6], other[:6]))
    assert not goes_on(before, LagPicture(x[:4], norms[:4]))
    assert not goes_on(before, LagPicture(x[1:7], norms[:6]))
    assert not goes_on(before, LagPicture(x[:6], norms[:6], spacing=2))
