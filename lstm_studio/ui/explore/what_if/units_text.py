"""Units as they are typed: ``"14"``, ``"3, 5–8"`` or ``"all"``; free of Qt."""

from __future__ import annotations

import re

from lstm_studio.ui.numbers import format_count

ALL = "all"
_RANGE = re.compile(r"(\d+)\s*[-–−]\s*(\d+)")


class UnreadableUnitsError(ValueError):
    """What was typed names no units; the message says why and what to type."""


def parse_units(text: str, count: int) -> tuple[int, ...]:
    """Read units of a layer that has ``count`` of them, each once and in their order.

    Raises
    ------
    UnreadableUnitsError
        If any of them is not there, or nothing was typed.
    """
    text = text.strip().lower()
    if text == ALL:
        return tuple(range(count))
    found: set[int] = set()
    joined = _RANGE.sub(r"\1-\2", text)
    for word in re.split(r"[\s,;]+", joined) if joined else []:
        first, _, last = word.partition("-")
        if not word:
            continue
        if not first.isdecimal() or (last and not last.isdecimal()) or word.endswith("-"):
            raise UnreadableUnitsError(f"{word} is no unit. Type numbers such as 3, 5–8, or {ALL}")
        begin, end = int(first), int(last or first)
        if max(begin, end) >= count:
            largest = format_count(count - 1)
            raise UnreadableUnitsError(f"There is no unit {max(begin, end)}. Type units from 0 to {largest}, or {ALL}")
        found.update(range(min(begin, end), max(begin, end) + 1))
    if not found:
        raise UnreadableUnitsError(f"No unit is named. Type numbers such as 3, 5–8, or {ALL}")
    return tuple(sorted(found))
