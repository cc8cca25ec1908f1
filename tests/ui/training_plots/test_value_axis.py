"""The upright axis: it holds everything finite, stays for a while, and has round ticks."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.ui.training_plots.pictures import Band, CurvePicture, Line, Reference
from lstm_studio.ui.training_plots.value_axis import ValueAxis, axis_of


def picture_of(values: list[float], *, log: bool = False, references: tuple[Reference, ...] = ()) -> CurvePicture:
    line = Line("LSTM", np.arange(len(values), dtype=np.float64), np.array(values), "#000000")
    return CurvePicture((line,), references=references, log=log)


@pytest.mark.parametrize("log", [False, True])
def test_everything_finite_has_a_place(log: bool) -> None:
    values = [0.5, 3.0, np.inf, np.nan, 0.002]
    axis = axis_of(picture_of(values, log=log, references=(Reference(7.0, "chance"),)))
    found = axis.fraction(np.array([*values, 7.0]))
    assert np.isnan(found[[2, 3]]).all()
    assert ((found[[0, 1, 4, 5]] >= 0) & (found[[0, 1, 4, 5]] <= 1)).all()


def test_a_log_axis_has_no_place_for_zero() -> None:
    axis = axis_of(picture_of([0.0, -1.0, 0.5, 0.6], log=True))
    assert np.isnan(axis.fraction(np.array([0.0, -1.0]))).all()
    assert axis_of(picture_of([0.0], log=True)) == ValueAxis(-1.0, 0.0, log=True)


@pytest.mark.parametrize("span", [0.0, 0.01, 0.1, 0.3, 0.7, 1.0, 2.5, 9.0])
@pytest.mark.parametrize("begin", [-7.3, -0.21, 0.0, 0.142, 2.9])
def test_a_log_axis_is_hardly_longer_than_what_its_values_go_through(begin: float, span: float) -> None:
    values = 10 ** np.linspace(begin, begin + span, 20)
    axis = axis_of(picture_of(values.tolist(), log=True))
    found = axis.fraction(values)
    assert found.min() > 0.01
    assert found.max() < 0.99
    # A tenth of a decade at least: what a loss does that stays where it is, is not blown up.
    assert axis.high - axis.low >= 0.1
    assert span / (axis.high - axis.low) >= (0.5 if span >= 0.1 else 0)
    assert axis.high - axis.low < max(0.2, 2 * span)


@pytest.mark.parametrize("span", [0.1, 0.13, 0.2, 0.31, 0.45, 0.6, 0.9])
@pytest.mark.parametrize("begin", [-7.3, -3.04, -0.9, -0.21, 0.0, 0.142, 0.5, 2.9, 5.95])
def test_a_short_log_axis_has_two_ticks_at_least_that_differ_and_keep_apart(begin: float, span: float) -> None:
    axis = ValueAxis(begin, begin + span, log=True)
    for most in range(2, 9):
        ticks = axis.ticks(most)
        assert len({text for _, text in ticks}) == len(ticks) >= 2
        assert len(ticks) <= most + 3
        found = axis.fraction(np.array([value for value, _ in ticks]))
        assert (found >= -1e-9).all()
        assert (found <= 1 + 1e-9).all()
        # As far apart as the height of their text that they were asked for, but for the fewest there can be.
        assert len(ticks) < 4 or np.diff(found).min() >= 1 / (most - 1) * 0.95


def test_a_loss_that_falls_slowly_moves_a_short_log_axis_seldom() -> None:
    found = {axis_of(picture_of([1.386, low], log=True)) for low in np.linspace(1.385, 1.0, 400).tolist()}
    assert 2 <= len(found) <= 20


def test_a_log_axis_moves_in_steps() -> None:
    found = {axis_of(picture_of([1.0, low], log=True)) for low in np.linspace(0.011, 0.010, 50).tolist()}
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("axis", "most", "texts"),
    [
        (ValueAxis(0.0, 1.0), 3, ["0.0", "0.5", "1.0"]),
        (ValueAxis(0.0, 1.0), 5, ["0.00", "0.25", "0.50", "0.75", "1.00"]),
        (ValueAxis(-1.05, 0.0), 4, ["−1.0", "−0.5", "0.0"]),
        (ValueAxis(0.0, 45.0), 4, ["0", "20", "40"]),
        (ValueAxis(0.0, 4e6), 3, ["0", "2e6", "4e6"]),
        (ValueAxis(-4.2, 0.1, log=True), 8, ["1e−4", "1e−3", "1e−2", "1e−1", "1"]),
        (ValueAxis(-20.0, 0.0, log=True), 5, ["1e−20", "1e−15", "1e−10", "1e−5", "1"]),
        (ValueAxis(-0.9, 0.1, log=True), 8, ["0.2", "0.5", "1"]),
        (ValueAxis(5.3, 6.7), 3, ["5.5", "6.0", "6.5"]),
        (ValueAxis(5.3, 6.7), 2, ["5.5", "6.0", "6.5"]),
        (ValueAxis(-9.2, -2.8, log=True), 3, ["1e−8", "1e−6", "1e−4"]),
    ],
)
def test_ticks_are_round_and_have_as_many_digits(axis: ValueAxis, most: int, texts: list[str]) -> None:
    ticks = axis.ticks(most)
    assert [text for _, text in ticks] == texts
    found = axis.fraction(np.array([value for value, _ in ticks]))
    assert (np.diff(found) > 0).all()
    assert found.min() >= -1e-9
    assert found.max() <= 1 + 1e-9


def test_bands_count_and_given_levels_decide() -> None:
    x = np.arange(2.0)
    band = Band(x, np.array([-3.0, 0.0]), np.array([1.0, 9.0]), "#000000", 0.3)
    axis = axis_of(CurvePicture(bands=(band,)))
    assert axis.low < -3
    assert axis.high > 9
    assert axis_of(CurvePicture(bands=(band,), levels=(0.0, 1.0))) == ValueAxis(0.0, 1.0)
    assert axis_of(CurvePicture()) == ValueAxis(0.0, 1.0)


@pytest.mark.parametrize("seed", range(40))
def test_there_are_two_ticks_at_least_and_not_many_more_than_wanted(seed: int) -> None:
    random = np.random.default_rng(seed)
    low, log = float(random.normal(0, 100)), bool(seed % 2)
    axis = ValueAxis(low, low + (1 + float(random.exponential(20)) if log else 10 ** float(random.uniform(-6, 6))), log)
    for most in range(2, 9):
        ticks = [value for value, _ in axis.ticks(most)]
        assert len(set(ticks)) == len(ticks) >= 2
        assert len(ticks) <= most + 3
