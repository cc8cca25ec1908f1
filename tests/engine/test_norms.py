"""Norms of rows, against ``math.hypot``, which neither underflows nor overflows on the way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_studio.engine.norms import row_norms, row_norms_by_name


def expected(rows: NDArray[Any]) -> list[float]:
    return [math.hypot(*row) for row in rows.tolist()]


@pytest.mark.parametrize("scale", [1e-307, 1e-300, 1e-160, 1e-20, 1.0, 1e150, 1e300, 1e307])
def test_norms_are_those_of_the_standard_library(scale: float) -> None:
    rows = np.random.default_rng(0).uniform(0.5, 1, (40, 7)) * scale
    np.testing.assert_allclose(row_norms(rows), expected(rows), rtol=1e-13)


def test_the_smallest_and_the_largest_numbers_have_norms() -> None:
    tiny, huge = np.finfo(float).smallest_subnormal, np.finfo(float).max / 4
    np.testing.assert_allclose(row_norms(np.full((1, 4), tiny)), [2 * tiny], rtol=0, atol=0)
    np.testing.assert_allclose(row_norms(np.full((1, 4), huge)), [2 * huge], rtol=1e-15)


def test_norms_of_several_arrays_are_those_of_each() -> None:
    random = np.random.default_rng(1)
    arrays: dict[str, NDArray[Any]] = {
        "wide": random.normal(size=(50, 9)),
        "narrow": random.normal(size=(50, 2)).astype(np.float32),
        "strided": random.normal(size=(50, 3, 4))[:, 1],
        "backwards": random.normal(size=(50, 4))[::-1],
    }
    together = row_norms_by_name(arrays)
    assert list(together) == list(arrays)
    for name, rows in arrays.items():
        np.testing.assert_array_equal(together[name], row_norms(rows), err_msg=name)
        np.testing.assert_allclose(together[name], expected(rows), rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("one", [1e-200, 1e200, 0.0, np.nan, np.inf])
def test_one_that_leaves_the_range_does_not_touch_the_others(one: float) -> None:
    arrays = {"usual": np.full((3, 4), 2.0), "odd": np.array([[1.0, 1.0], [one, one], [3.0, 4.0]])}
    together = row_norms_by_name(arrays)
    np.testing.assert_array_equal(together["usual"], [4.0] * 3)
    np.testing.assert_allclose(together["odd"], [math.sqrt(2), math.hypot(one, one), 5.0], rtol=1e-14)


def test_arrays_of_several_lengths_and_of_no_rows() -> None:
    arrays = {"two": np.ones((2, 4)), "three": np.ones((3, 9)), "none": np.ones((0, 5))}
    assert {name: norms.tolist() for name, norms in row_norms_by_name(arrays).items()} == {
        "two": [2.0] * 2,
        "three": [3.0] * 3,
        "none": [],
    }
    assert row_norms_by_name({}) == {}
    assert row_norms_by_name({"none": np.ones((0, 5))})["none"].shape == (0,)
