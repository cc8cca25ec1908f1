"""What the library is called with, looked at where it comes in: one clear message for each argument that will not do.

Every check takes the name of the parameter, what was given, and the error of its package. It returns what was given as
Python has it: NumPy's whole numbers and truth values are as good.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

import numpy as np

from lstm_studio.errors import StudioError

Error = type[StudioError]
KindT = TypeVar("KindT")

_WHOLE, _REAL, _TRUTH = int | np.integer, int | float | np.integer | np.floating, int | np.integer | np.bool_
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


def shown(value: object) -> str:
    """Return a value in one short line, as an error quotes it."""
    return " ".join(_SHORT.repr(value).split())


def wrong(name: str, value: object, error: Error, cure: str) -> StudioError:
    """Return the error that says what a parameter is, and what to give instead."""
    return error(f"{name} is {shown(value)}.", cure)


def whole_number(
    name: str, value: object, error: Error, *, least: int = 0, most: int | None = None, cure: str = ""
) -> int:
    """Return a whole number within bounds; True and False are none.

    Raises
    ------
    StudioError
        Of the given type, if it is no whole number, or out of bounds.
    """
    if isinstance(value, _WHOLE) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    bounds = f"of at least {least}{'' if most is None else f' and at most {most}'}"
    raise wrong(name, value, error, cure or f"Give a whole number {bounds}.")


def number(name: str, value: object, error: Error, cure: str = "Give a number.") -> float:
    """Return a number; NaN and the infinite ones are some, True and False are none.

    Raises
    ------
    StudioError
        Of the given type, if it is no number, or larger than float64 can hold.
    """
    if isinstance(value, _REAL) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise wrong(name, value, error, cure)


def finite_number(name: str, value: object, error: Error) -> float:
    """Return a number that is neither NaN nor infinite.

    Raises
    ------
    StudioError
        Of the given type, if it is none.
    """
    cure = "Give a finite number."
    found = number(name, value, error, cure)
    if not math.isfinite(found):
        raise wrong(name, value, error, cure)
    return found


def yes_or_no(name: str, value: object, error: Error) -> bool:
    """Return True or False, for which 1 and 0 will do.

    Raises
    ------
    StudioError
        Of the given type, if it is something else.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, _TRUTH) and value in {0, 1}:
        return bool(value)
    raise wrong(name, value, error, "Give True or False.")


def one_of(name: str, value: object, choices: Collection[str], error: Error) -> str:
    """Return one of some texts.

    Raises
    ------
    StudioError
        Of the given type, if it is none of them.
    """
    if isinstance(value, str) and value in choices:
        return value
    raise wrong(name, value, error, f"Choose one of {', '.join(map(repr, choices))}.")


def text(name: str, value: object, error: Error, cure: str = "Give a text.") -> str:
    """Return a text.

    Raises
    ------
    StudioError
        Of the given type, if it is none.
    """
    if isinstance(value, str):
        return value
    raise wrong(name, value, error, cure)


def instance(name: str, value: object, kind: type[KindT], error: Error, cure: str) -> KindT:
    """Return what is of some kind.

    Raises
    ------
    StudioError
        Of the given type, if it is of another.
    """
    if isinstance(value, kind):
        return value
    raise wrong(name, value, error, cure)


def each(name: str, values: object, error: Error, cure: str = "Give a list.") -> Iterable[Any]:
    """Return what can be gone through one by one; a text is one thing.

    Raises
    ------
    StudioError
        Of the given type, if it cannot.
    """
    # Arrays without an axis have the method, too, and raise when it is called.
    if isinstance(values, Iterable) and not isinstance(values, str | bytes) and getattr(values, "ndim", None) != 0:
        return values
    raise wrong(name, values, error, cure)


def mapping(name: str, values: object, error: Error, cure: str) -> Mapping[Any, Any]:
    """Return a mapping.

    Raises
    ------
    StudioError
        Of the given type, if it is none.
    """
    if isinstance(values, Mapping):
        return values
    raise wrong(name, values, error, cure)


def path_of(name: str, value: object, error: Error) -> Path:
    """Return a path.

    Raises
    ------
    StudioError
        Of the given type, if it is none, or one that no system has.
    """
    given = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(given, str) and "\0" not in given:
        return Path(given)
    raise wrong(name, value, error, "Give the path as a text or a pathlib.Path.")
