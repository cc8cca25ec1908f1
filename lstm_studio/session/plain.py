"""Frozen dataclasses as plain values that JSON can hold, and back, by their type hints.

A field that a file does not have takes its default, one that a class does not have is passed over: so files of an
earlier and of a slightly later program can be read. A value of a wrong type is refused with its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

ValueT = TypeVar("ValueT")

_SPECIAL = ("nan", "inf", "-inf")
"""Numbers that JSON does not have, as texts."""


class NotPlainError(ValueError):
    """A value is not what its type says."""


def to_plain(value: Any, leave_out: frozenset[str] = frozenset()) -> Any:
    """Return a value as what JSON can hold.

    Parameters
    ----------
    value
        A dataclass, an enumeration, a tuple, a mapping with texts as keys, a text, a number, a truth value or None;
        or nested of these.
    leave_out
        Fields of the outermost dataclass that are kept elsewhere.
    """
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name not in leave_out)
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [to_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(kind: type[ValueT], plain: object, where: str, given: Mapping[str, Any] | None = None) -> ValueT:
    """Return the value of a type that :func:`to_plain` made plain.

    Parameters
    ----------
    kind
        The type.
    plain
        What was read.
    where
        What errors call it.
    given
        Fields of the outermost dataclass that were kept elsewhere.

    Raises
    ------
    NotPlainError
        If a value is of another type, is none of the choices, or is missing.
    """
    value: ValueT = _read(kind, plain, where) if given is None else _dataclass(kind, plain, where, given)
    return value


def good_fields(kind: type[Any], plain: object, where: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of a dataclass that can be read, and what is wrong with the others.

    For classes all of whose fields have defaults: one bad value then costs no other.
    """
    good: dict[str, Any] = {}
    problems = []
    if not isinstance(plain, dict):
        return good, (f"{where} is {_named(plain)}",)
    whole: Any = kind
    for name, (_, hint) in _fields(whole).items():
        if name in plain:
            try:
                good[name] = _read(hint, plain[name], f"{where}.{name}")
            except NotPlainError as error:
                problems.append(str(error))
    return good, tuple(problems)


def _read(hint: Any, plain: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _optional(hint, plain, where)
    if origin is tuple:
        return _tuple(get_args(hint), plain, where)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(get_args(hint), plain, where)
    if is_dataclass(hint):
        return _dataclass(hint, plain, where, {})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, plain, where)
    return _simple(hint, plain, where)


def _optional(hint: Any, plain: Any, where: str) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    if plain is None and len(kinds) < len(get_args(hint)):
        return None
    if len(kinds) != 1:
        raise TypeError(f"{where}: of several types only one and None can be told apart")
    return _read(kinds[0], plain, where)


def _tuple(kinds: tuple[Any, ...], plain: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise NotPlainError(f"{where} is {_named(plain)}, not a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], part, f"{where}[{index}]") for index, part in enumerate(plain))
    if len(plain) != len(kinds):
        raise NotPlainError(f"{where} has {len(plain)} entries, not {len(kinds)}")
    return tuple(
        _read(kind, part, f"{where}[{index}]") for index, (kind, part) in enumerate(zip(kinds, plain, strict=True))
    )


def _mapping(kinds: tuple[Any, ...], plain: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(plain, dict):
        raise NotPlainError(f"{where} is {_named(plain)}, not an object")
    return MappingProxyType({str(key): _read(kinds[1], part, f"{where}.{key}") for key, part in plain.items()})


def _dataclass(kind: Any, plain: Any, where: str, given: Mapping[str, Any]) -> Any:
    if not isinstance(plain, dict):
        raise NotPlainError(f"{where} is {_named(plain)}, not an object")
    found = dict(given)
    for name, (field, hint) in _fields(kind).items():
        if name in given:
            continue
        if name in plain:
            found[name] = _read(hint, plain[name], f"{where}.{name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise NotPlainError(f"{where} has no {name}")
    try:
        return kind(**found)
    except ValueError as error:
        raise NotPlainError(f"{where}: {error}") from error


@cache
def _fields(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}


def _member(kind: type[Enum], plain: Any, where: str) -> Enum:
    if not isinstance(plain, bool):
        for member in kind:
            if member.value == plain and type(member.value) is type(plain):
                return member
    raise NotPlainError(f"{where} is {_named(plain)}, none of {', '.join(str(member.value) for member in kind)}")


def _simple(kind: Any, plain: Any, where: str) -> Any:
    read = _SIMPLE.get(kind)
    if read is None:
        raise TypeError(f"{where}: {kind} has no plain form")
    value = read(plain)
    if value is None:
        raise NotPlainError(f"{where} is {_named(plain)}, not {_WORDS[kind]}")
    return value


def _text(plain: Any) -> str | None:
    return plain if isinstance(plain, str) else None


def _truth(plain: Any) -> bool | None:
    return plain if isinstance(plain, bool) else None


def _whole(plain: Any) -> int | None:
    fits = isinstance(plain, int) and not isinstance(plain, bool) and abs(plain) < 1 << 63
    return plain if fits else None


def _number(plain: Any) -> float | None:
    if isinstance(plain, str):
        return float(plain) if plain in _SPECIAL else None
    if isinstance(plain, bool) or not isinstance(plain, int | float) or (isinstance(plain, int) and abs(plain) >> 1000):
        return None
    return float(plain)


_SIMPLE: Mapping[Any, Callable[[Any], Any]] = {str: _text, bool: _truth, int: _whole, float: _number}
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def _named(plain: object) -> str:
    text = repr(plain)
    return text if len(text) <= 40 else f"{text[:39]}…"
