"""The fast forms of recurrences and products against the plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lstm_studio.networks.products import repeated_product, row_product
from lstm_studio.networks.scan import linear_scan
from lstm_studio.networks.slopes import sigmoid, sigmoid_slope, tanh_slope


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 150), units=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_the_scan_is_the_loop(steps: int, units: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    factor, term = random.random((steps, units)), random.normal(size=(steps, units))
    y = initial = random.normal(size=units)
    loop = []
    for f, u in zip(factor, term, strict=True):
        y = f * y + u
        loop.append(y)
    np.testing.assert_allclose(linear_scan(factor, term, initial), np.stack(loop), rtol=1e-12, atol=1e-14)


def test_the_scan_does_not_carry_nan_back() -> None:
    term = np.ones((50, 2))
    term[30, 1] = np.nan
    y = linear_scan(np.full((50, 2), 0.5), term, np.zeros(2))
    assert np.isfinite(y[:, 0]).all()
    assert np.isfinite(y[:30, 1]).all()
    assert np.isnan(y[30:, 1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (300, 500), (700, 2800)])
def test_repeated_products_keep_the_range_of_float64(shape: tuple[int, int], dtype: type) -> None:
    random = np.random.default_rng(0)
    matrix: NDArray[Any] = random.normal(size=shape).astype(dtype)
    multiply = repeated_product(matrix)
    out = np.empty(shape[0])
    for exponent in (0, -8, -16, -24, -32, -40, -150, -158, -300):
        vector = random.normal(size=shape[1]) * 10.0**exponent
        multiply(vector, out)
        expected = matrix.astype(np.float64) @ vector
        assert np.linalg.norm(out - expected) <= 1e-5 * np.linalg.norm(expected) or exponent in {-150, -158}
    for _ in range(8):
        multiply(vector, out)
    assert np.linalg.norm(out - expected) <= 1e-5 * np.linalg.norm(expected)


@pytest.mark.parametrize("shape", [(4, 3), (600, 500)])
def test_row_products_keep_the_range_of_float64(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=shape).astype(np.float32)
    rows = random.normal(size=(40, shape[0])) * 10.0 ** -np.arange(0, 280, 7)[:, None]
    rows[5] = 0
    product, expected = row_product(rows, matrix), rows @ matrix.astype(np.float64)
    assert (np.linalg.norm(product - expected, axis=1) <= 1e-5 * np.linalg.norm(expected, axis=1)).all()


def test_slopes_far_into_saturation() -> None:
    a = np.array([-200.0, -30, -1, 0, 1, 30, 200])
    decay = np.exp(-np.abs(a))
    np.testing.assert_allclose(sigmoid_slope(a), decay / (1 + decay) ** 2, rtol=1e-14)
    np.testing.assert_allclose(tanh_slope(a), 1 / np.cosh(a) ** 2, rtol=1e-14)
    np.testing.assert_allclose(sigmoid(a), 1 / (1 + np.exp(-a)), rtol=1e-14)
    assert sigmoid(np.array([-1000.0]))[0] == 0
