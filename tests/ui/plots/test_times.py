"""Times of steps: how they are written, and where ticks stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_studio.ui.plots.times import Tick, Times

MONTHS = np.arange("1949-01", "1961-01", dtype="datetime64[M]").astype("datetime64[ns]")
FRAMES = 0.0125 + 0.01 * np.arange(200)


def densest(times: Times, most: int, first: int = 0, count: int | None = None) -> list[Tick]:
    return next(times.choices(first, len(times) if count is None else count, most), [])


@pytest.mark.parametrize(
    ("values", "unit", "step", "text"),
    [
        (FRAMES, "s", 61, "0.62 s"),
        (np.arange(4) / 4, "s", 1, "0.25 s"),
        (np.arange(4) / 16_000, "s", 1, "0.00006 s"),
        (np.array([0.0, 0.005, 0.015]), "s", 1, "0.005 s"),
        (np.arange(1749, 1752.0), "", 2, "1751"),
        (np.arange(3) * 86_400.0, "", 2, "172,800"),
        (np.array([-2.0, 0, 2]), "ms", 0, "−2 ms"),
        (np.array([np.nan, 1.0]), "s", 0, "NaN s"),
        (np.array([5.0]), "", 0, "5"),
        (MONTHS, "", 1, "1949-02"),
        (np.array(["2020-01-01", "2021-01-01"], "datetime64[ns]"), "", 1, "2021"),
        (np.array(["2020-01-01T06", "2020-01-01T07"], "datetime64[ns]"), "s", 1, "2020-01-01 07:00"),
        (np.array(["2020-01-01T06:00:00.5", "NaT"], "datetime64[ns]"), "", 0, "2020-01-01 06:00:00.500"),
    ],
)
def test_a_time_is_written_with_the_digits_that_mean_something(
    values: NDArray[np.float64], unit: str, step: int, text: str
) -> None:
    assert Times(values, unit).text(step) == text


def test_neighbours_are_never_written_alike() -> None:
    rng = np.random.default_rng(0)
    for scale in (1e-4, 0.01, 0.3, 7.0):
        times = Times(np.cumsum(rng.uniform(0.8, 1.2, 300)) * scale)
        assert len({times.text(step) for step in range(300)}) == 300


def test_months_tick_at_whole_years() -> None:
    ticks = densest(Times(MONTHS), 13)
    assert [tick.text for tick in ticks] == [str(year) for year in range(1949, 1961)]
    assert [tick.position for tick in ticks] == [12.0 * year for year in range(12)]
    assert [tick.text for tick in densest(Times(MONTHS), 4)] == ["1950", "1955", "1960"]
    assert [tick.text for tick in densest(Times(MONTHS), 6, 13, 15)] == [
        "1950-04",
        "1950-07",
        "1950-10",
        "1951-01",
        "1951-04",
    ]
    # Never finer than the steps themselves.
    assert [tick.text for tick in densest(Times(MONTHS), 99, 3, 3)] == ["1949-04", "1949-05", "1949-06"]


def test_seconds_tick_between_the_steps_where_the_round_value_is() -> None:
    ticks = densest(Times(FRAMES, "s"), 11, 0, 100)
    assert [tick.text for tick in ticks] == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    for number, tick in enumerate(ticks, 1):
        assert tick.position == pytest.approx((0.1 * number - 0.0125) / 0.01)


def test_days_tick_on_mondays_and_hours_name_the_day_at_midnight() -> None:
    days = np.arange("2024-01-03", "2024-02-20", dtype="datetime64[D]").astype("datetime64[ns]")
    assert [tick.text for tick in densest(Times(days), 8)] == [
        "2024-01-08",
        "2024-01-15",
        "2024-01-22",
        "2024-01-29",
        "2024-02-05",
        "2024-02-12",
        "2024-02-19",
    ]
    hours = np.arange("2024-01-31T05", "2024-02-01T20", dtype="datetime64[h]").astype("datetime64[ns]")
    times = Times(hours)
    assert [tick.text for tick in densest(times, 5)] == ["12:00", "2024-02-01", "12:00"]
    assert times.context(0, len(times)) == ""
    assert times.context(0, 10) == "2024-01-31"


def test_irregular_times_tick_at_the_nearest_step_with_its_own_time() -> None:
    times = Times(np.array([0.0, 0.4, 4.9, 5.3, 9.0, 10.2, 10.3, 15.1, 20.0]), "s")
    ticks = densest(times, 5)
    assert ticks == [Tick(0, "0.0"), Tick(2, "4.9"), Tick(5, "10.2"), Tick(7, "15.1"), Tick(8, "20.0")]
    days = np.arange("2024-05-15", "2024-08-10", dtype="datetime64[D]")
    weekdays = days[np.is_busday(days)]
    june = int(np.flatnonzero(weekdays == np.datetime64("2024-06-03"))[0])
    ticks = densest(Times(weekdays.astype("datetime64[ns]")), 4)
    assert [tick.text for tick in ticks] == ["2024-06", "2024-07", "2024-08"]
    assert ticks[0].position == june


def test_times_may_run_backwards() -> None:
    ticks = densest(Times(FRAMES[::-1].copy(), "s"), 5)
    assert [tick.text for tick in ticks] == ["2.0", "1.5", "1.0", "0.5"]
    assert [tick.position for tick in ticks] == sorted(tick.position for tick in ticks)
    assert ticks[2].position == pytest.approx(199 - (1.0 - 0.0125) / 0.01)
    assert [tick.text for tick in densest(Times(MONTHS[::-1].copy()), 4)] == ["1959", "1954", "1949"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([0.0, 2, 1]),
        np.array([0.0, np.nan, 1]),
        np.array([3.0, 3, 3]),
        np.array([1.0]),
        np.array(["2020", "NaT", "2021"], "datetime64[ns]"),
    ],
)
def test_disorder_has_no_round_ticks(values: NDArray[np.float64]) -> None:
    assert densest(Times(values), 10) == []


@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(-1e6, 1e6),
    spacing=st.floats(1e-6, 1e5),
    steps=st.integers(2, 400),
    most=st.integers(2, 40),
)
def test_ticks_of_even_times_stand_where_they_say(start: float, spacing: float, steps: int, most: int) -> None:
    times = Times(start + spacing * np.arange(steps))
    for ticks in times.choices(0, steps, most):
        assert 2 <= len(ticks) <= most
        for position, text in ticks:
            value = float(text.replace("−", "-").replace(",", ""))
            assert 0 <= position <= steps - 1
            assert start + spacing * position == pytest.approx(value, rel=1e-9, abs=spacing * 0.01 + 1e-9)
