from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.ui.numbers import (
    Equation,
    equation,
    format_count,
    format_decade,
    format_number,
    format_scientific,
    format_tick,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.994, "0.99"),
        (-0.5, "−0.50"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1.2e-5, "1.2e−5"),
        (-0.0099, "−9.9e−3"),
        (0.01, "0.01"),
        (12345.678, "12,345.68"),
        (2.5e7, "2.5e7"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_states_and_gates(value: float, text: str) -> None:
    assert format_number(value) == text


def test_gradients_ticks_and_counts() -> None:
    assert [format_scientific(v) for v in (0.037, 3.4e-9, 0, 1.1e7)] == ["3.7e−2", "3.4e−9", "0", "1.1e7"]
    assert [format_tick(v) for v in (1, 0.5, -10, 1e-5, 250000, 0)] == ["1", "0.5", "−10", "1e−5", "250,000", "0"]
    assert [format_tick(v) for v in (0.00105, 0.00125, -0.01234, 0.0012345, 0.1234, 1.5)] == [
        *("0.00105", "0.00125", "−0.01234", "0.001234", "0.1234", "1.5"),
    ]
    assert [format_tick(v, signed=True) for v in (10, 0, -1)] == ["+10", "0", "−1"]
    assert [format_decade(e) for e in (0, 1, -5, 3)] == ["1", "10", "1e−5", "1e3"]
    assert format_count(1732) == "1,732"


def product(first: float, second: float) -> float:
    return first * second


def test_an_equation_takes_the_fewest_digits_that_add_up() -> None:
    assert equation(product, (0.98998, 6.7941), 6.72602) == Equation(("0.990", "6.794"), "=", "6.73")
    assert equation(product, (0.59, 0.98), 0.5782) == Equation(("0.59", "0.98"), "=", "0.58")
    assert equation(lambda a, b: a + b, (6.7260, 0.5782), 7.3042) == Equation(("6.726", "0.578"), "=", "7.30")


@given(st.floats(-20, 20), st.floats(-1, 1))
def test_what_is_printed_with_an_equals_sign_is_true(first: float, second: float) -> None:
    printed = equation(product, (first, second), first * second)
    left, right = (Decimal(text.replace("−", "-").replace(",", "")) for text in printed.operands)
    # Exact, and just beyond a half: what a calculator shows and a reader rounds.
    agrees = format_number(float(left * right * (1 + Decimal("1e-12")))) == printed.result
    assert (printed.relation == "=") == agrees
    assert printed.result == format_number(first * second)


def test_a_calculator_rounds_a_half_away_from_zero() -> None:
    # 0.030 − 0.045 is −0.015, and that is −0.02 to who has learned to round.
    assert equation(lambda a, b: a + b, (0.0304, -0.0453), -0.0149) == Equation(("0.0304", "−0.0453"), "=", "−0.01")
    assert equation(product, (1.5, 0.25), 0.375) == Equation(("1.50", "0.25"), "=", "0.38")
    halves = 0
    for first in range(-60, 61):
        for second in range(-60, 61):
            exact = (first + second) / 1000 + 1e-4
            shown = equation(lambda a, b: a + b, (first / 1000, second / 1000 + 1e-4), exact)
            left, right = (Decimal(text.replace("−", "-")) for text in shown.operands)
            halves += abs(first + second) % 10 == 5
            if shown.relation == "=" and abs(exact) >= 0.01:
                rounded = (left + right).quantize(Decimal("0.01"), ROUND_HALF_UP)
                assert rounded == Decimal(shown.result.replace("−", "-")), shown
    assert halves > 1000


def test_an_equation_that_no_digits_can_save_says_so() -> None:
    assert equation(product, (0.1, 0.1), 0.5).relation == "≈"
