"""Which names fit what is typed, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.ui.finding import best_matches

NAMES = ("File: Open sequence", "File: Open network", "Run: Next sequence", "View: Larger text", "Help: About")
HINTS = (
    "Open a table.",
    "Open a checkpoint.",
    "The next one of the set.",
    "Enlarge all text.",
    "Versions and licence.",
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("seq", [0, 2]),
        ("sequence open", [0]),
        ("OPEN", [0, 1]),
        ("run seq", [2]),
        ("opseq", [0]),
        ("equ", [0, 2]),
        ("checkpoint", [1]),
        ("vers", [4]),
        ("xyz", []),
        ("open xyz", []),
        ("(", []),
    ],
)
def test_names_that_fit(query: str, expected: list[int]) -> None:
    assert best_matches(query, NAMES, HINTS) == expected


def test_the_beginning_of_a_name_comes_before_that_of_a_word_and_both_before_the_middle() -> None:
    assert best_matches("ab", ("cab", "c ab", "abc", "a b")) == [2, 1, 0, 3]


@given(query=st.text(max_size=8), names=st.lists(st.text(max_size=20), max_size=6))
def test_any_text_gives_each_name_at_most_once_and_a_name_finds_itself(query: str, names: list[str]) -> None:
    found = best_matches(query, names)
    assert len(set(found)) == len(found)
    assert set(found) <= set(range(len(names)))
    for index, name in enumerate(names):
        assert index in best_matches(name.split()[0] if name.split() else "", names)
