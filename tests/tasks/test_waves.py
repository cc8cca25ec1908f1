"""Waves: what is asked, how the wave looks to a Fourier transform, and the baseline."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from lstm_studio.errors import StudioError
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.waves import Shape, Waves


@pytest.mark.parametrize("shape", get_args(Shape))
def test_the_target_is_the_next_value(shape: Shape) -> None:
    drawn = Waves(shape=shape).generate(5, seed=1)
    assert drawn.names == ("value",)
    assert drawn.classes == ()
    for sequence in drawn:
        assert sequence.values.shape == (100, 1)
        assert sequence.target is not None
        assert sequence.target.dtype == np.float32
        assert np.array_equal(sequence.target[:-1], sequence.values[1:])


def peaks(task: Waves, seed: int) -> tuple[float, list[float]]:
    """Return the largest magnitude of a long wave and the periods at its spectral lines above a tenth of the top."""
    wave = task.draw(1, np.random.default_rng(seed)).inputs[:, 0, 0].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    inner = spectrum[1:-1]
    top = (inner > spectrum[:-2]) & (inner > spectrum[2:]) & (inner > 0.1 * inner.max())
    return float(np.abs(wave).max()), (len(wave) / (top.nonzero()[0] + 1.0)).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_periods_and_amplitudes(seed: int) -> None:
    height, periods = peaks(Waves("sine", length=20_000, noise=0.0), seed)
    assert height == pytest.approx(1.0, abs=0.02)
    assert len(periods) == 1
    assert 19.9 < periods[0] < 40.1

    height, periods = peaks(Waves("two-sine", length=20_000, noise=0.0), seed)
    assert height == pytest.approx(1.0, abs=0.02)
    assert len(periods) == 2
    assert 19.9 < periods[0] < 40.1
    assert 5.9 < periods[1] < 12.1

    square = Waves("square", length=2000, noise=0.0).draw(1, np.random.default_rng(seed)).inputs[:, 0, 0]
    assert set(np.unique(square)) == {-1.0, 1.0}
    turns = np.diff(np.flatnonzero(np.diff(square)))
    assert turns.min() >= 9
    assert turns.max() <= 21
    assert turns.max() - turns.min() <= 1


def test_sequences_differ_in_period_and_phase() -> None:
    batch = Waves("sine", noise=0.0).draw(50, np.random.default_rng(0))
    assert len(np.unique(batch.inputs[0])) == 50


def test_the_noise_has_the_standard_deviation_asked_for() -> None:
    quiet = Waves("square", noise=0.0).draw(200, np.random.default_rng(6)).inputs
    noisy = Waves("square", noise=0.2).draw(200, np.random.default_rng(6)).inputs
    noise = noisy - quiet
    assert noise.std() == pytest.approx(0.2, rel=0.03)
    assert abs(float(noise.mean())) < 0.01


def test_the_chance_line_repeats_the_last_value() -> None:
    task = Waves("sine", noise=0.1)
    batch = task.draw(3000, np.random.default_rng(7))
    # Var(x[t+1] − x[t]) of a unit sine is 1 − cos(2π/p), here averaged over p uniform in 20…40, and the noise twice.
    periods = np.linspace(20.0, 40.0, 10_001)
    expected = float((1.0 - np.cos(2.0 * np.pi / periods)).mean()) + 2 * 0.1**2
    chance = task.chance(batch)
    assert chance.loss == pytest.approx(expected, rel=0.02)
    assert chance.accuracy is None
    assert not task.right(task.baseline(batch), batch).any()
    assert task.right(batch.targets, batch).all()


def test_solved_means_better_than_the_baseline() -> None:
    better, worse = Score(10, 0.1, None, 0.0, 0.1), Score(10, 0.2, None, 0.0, 0.2)
    assert Waves().solved(better, worse)
    assert not Waves().solved(worse, better)
    assert not Waves().solved(better, better)


def test_senseless_parameters_are_refused() -> None:
    unknown: Any = "triangle"
    with pytest.raises(StudioError, match="two-sine"):
        Waves(shape=unknown)
    with pytest.raises(StudioError, match="at least"):
        Waves(noise=-0.1)
