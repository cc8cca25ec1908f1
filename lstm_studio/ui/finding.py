"""Which of many names fit what is being typed, the best first; free of Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


def best_matches(query: str, names: Sequence[str], hints: Sequence[str] = ()) -> list[int]:
    """Return the indices of the names that fit a query, the best first; all, in their order, for an empty one.

    Every word of the query has to be found. Best is a name that begins with it, then the beginning of a word, then
    letters within a word, then the letters in their order with others between them (``"opseq"`` for "Open sequence"),
    then the beginning of a word of the hint. Names that fit equally well stay in their order.

    Parameters
    ----------
    query
        Words in any order, in upper or lower case.
    names
        What is looked through.
    hints
        For each name a sentence about it, or nothing.
    """
    words = [word.casefold() for word in query.split()]
    ranked = []
    for index, name in enumerate(names):
        hint = hints[index].casefold() if hints else ""
        costs = [_cost(word, name.casefold(), hint) for word in words]
        if all(cost is not None for cost in costs):
            ranked.append((sum(cost for cost in costs if cost is not None), index))
    return [index for _, index in sorted(ranked)]


def _cost(word: str, name: str, hint: str) -> int | None:
    """Return how far a name is from a word of the query, 0 for the nearest; None where it does not fit."""
    if name.startswith(word):
        return 0
    if any(part.startswith(word) for part in _WORD.findall(name)):
        return 1
    if word in name:
        return 2
    if len(word) > 1 and _in_order(word, name):
        return 3
    if any(part.startswith(word) for part in _WORD.findall(hint)):
        return 4
    return None


def _in_order(letters: str, name: str) -> bool:
    """Return whether the letters stand in the name in their order, beginning at the beginning of one of its words."""
    for found in _WORD.finditer(name):
        rest = iter(name[found.start() :])
        if name[found.start()] == letters[0] and all(letter in rest for letter in letters):
            return True
    return False
