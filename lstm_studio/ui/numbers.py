"""How numbers are written: tabular, with a true minus, never more digits than mean something."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_MINUS = "−"
_SMALL = 0.01
_LARGE = 1e6
_HALFWAY = 1e-12
"""More than a binary number lies, relative to it, beside the decimal one that it stands for."""


def format_number(value: float, decimals: int = 2) -> str:
    """Write a state, a gate or any other quantity.

    Parameters
    ----------
    value
        The number; not-a-number and infinities are named.
    decimals
        Digits after the point. Below 0.01 and from a million on, the same number of significant digits is written as
        ``1.2e−5``; an exact zero is ``0.00``.

    Examples
    --------
    >>> format_number(-1234.567), format_number(1.2e-5), format_number(0.0)
    ('−1,234.57', '1.2e−5', '0.00')
    """
    if not math.isfinite(value):
        return _not_finite(value)
    if value != 0 and not _SMALL <= abs(value) < _LARGE:
        return format_scientific(value, decimals - 1)
    return f"{value + 0.0:,.{decimals}f}".replace("-", _MINUS)


def format_scientific(value: float, decimals: int = 1) -> str:
    """Write a gradient: mantissa and exponent, ``3.7e−2``; an exact zero is ``0``."""
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{decimals}e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", _MINUS)


def format_tick(value: float, *, signed: bool = False) -> str:
    """Write an axis value with as few digits as it has, ``−0.5``, ``1e−5``; ``signed`` marks positive ones with +."""
    if not math.isfinite(value):
        return _not_finite(value)
    if value != 0 and not 1e-3 <= abs(value) < _LARGE:
        mantissa, exponent = f"{value:.3e}".split("e")
        text = f"{float(mantissa):g}e{int(exponent)}"
    else:
        # Four digits of what is small, too: beside 0.001 stands 0.00105, not a second 0.0011.
        decimals = max(4, 3 - math.floor(math.log10(abs(value)))) if value else 4
        text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    plus = "+" if signed and value > 0 else ""
    return (plus + text).replace("-", _MINUS)


def format_decade(exponent: int) -> str:
    """Write a power of ten on a log axis: ``1``, ``10``, ``1e−5``."""
    return {0: "1", 1: "10"}.get(exponent, f"1e{exponent}".replace("-", _MINUS))


def format_count(count: int) -> str:
    """Write how many, ``1,732``."""
    return f"{count:,}".replace("-", _MINUS)


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "∞" if value > 0 else f"{_MINUS}∞"


@dataclass(frozen=True, slots=True)
class Equation:
    """A printed equation: ``operands`` combine to ``result``, ``relation`` is ``=`` or ``≈``."""

    operands: tuple[str, ...]
    relation: str
    result: str


def equation(
    operation: Callable[..., float], operands: Sequence[float], result: float, *, decimals: int = 2
) -> Equation:
    """Print an equation so that a reader with a pocket calculator gets what is printed.

    The result is written as `format_number` writes it; the operands get the fewest digits, 2 to 4, with which the
    printed operands give the printed result. Where four are not enough the relation is ``≈``.

    Parameters
    ----------
    operation
        Called with as many numbers as there are operands.
    operands
        Their exact values.
    result
        The exact result.
    decimals
        Of the printed result.

    Examples
    --------
    >>> equation(lambda a, b: a * b, (0.98998, 6.7941), 6.72602)
    Equation(operands=('0.990', '6.794'), relation='=', result='6.73')
    """
    target = format_number(result, decimals)
    printed: tuple[str, ...] = ()
    for digits in (2, 3, 4):
        printed = tuple(format_number(operand, digits) for operand in operands)
        found = operation(*(read_number(text) for text in printed))
        # A calculator rounds what lies halfway away from zero, −0.015 to −0.02; a binary number lies beside it.
        if format_number(found * (1 + _HALFWAY), decimals) == target:
            return Equation(printed, "=", target)
    return Equation(printed, "≈", target)


def read_number(text: str) -> float:
    """Read a number as it is printed here."""
    return float(text.replace(_MINUS, "-").replace(",", "").replace("∞", "inf"))
