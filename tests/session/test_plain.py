"""Dataclasses as plain values: what JSON holds comes back equal, and a wrong value is named by its place."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.session.plain import NotPlainError, from_plain, good_fields, to_plain
from lstm_studio.session.state import (
    Branch,
    CompareMode,
    Comparison,
    Note,
    Remarks,
    Second,
    UnitFilter,
    UnitOrder,
    View,
)
from lstm_studio.session.wishes import LookingFor, Suggested, Wish

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
WHOLE = st.integers(-(2**62), 2**62)
NUMBERS = st.floats(allow_nan=False)
HELD = st.lists(st.tuples(WHOLE, NUMBERS), max_size=3).map(tuple)

BRANCHES = st.builds(
    Branch,
    name=TEXTS,
    at=WHOLE,
    until=st.none() | WHOLE,
    clamp=st.lists(st.tuples(TEXTS, HELD), max_size=2).map(tuple),
    ablate=st.lists(st.tuples(TEXTS, st.lists(WHOLE, max_size=2).map(tuple)), max_size=2).map(tuple),
    events=st.lists(st.tuples(WHOLE, HELD), max_size=2).map(tuple),
    network=WHOLE,
)
VIEWS = st.builds(
    View,
    cursor=WHOLE,
    reveal_all=st.booleans(),
    units=st.dictionaries(TEXTS, WHOLE, max_size=3).map(MappingProxyType),
    layer=st.none() | WHOLE,
    plot_views=st.dictionaries(TEXTS, TEXTS, max_size=3).map(MappingProxyType),
    labels=st.sampled_from(Labels),
    speed=NUMBERS,
    phase=st.sampled_from(Phase),
    order=st.sampled_from(UnitOrder),
    unit_filter=st.builds(UnitFilter, above=st.none() | NUMBERS, listed=st.lists(WHOLE, max_size=3).map(tuple)),
    stretch=st.none() | st.tuples(WHOLE, WHOLE),
    comparison=st.none() | st.builds(Comparison, other=TEXTS, base=TEXTS, mode=st.sampled_from(CompareMode)),
)
UNITS = st.lists(WHOLE, max_size=3).map(tuple)
WISHES = st.builds(
    Wish,
    threshold=st.none() | NUMBERS,
    margin=WHOLE,
    suggested=st.sampled_from(Suggested),
    on=UNITS,
    off=UNITS,
    any=UNITS,
)
REMARKS = st.builds(
    Remarks,
    notes=st.lists(st.builds(Note, item=WHOLE, step=WHOLE, text=TEXTS), max_size=3).map(tuple),
    pinned=st.dictionaries(TEXTS, st.lists(WHOLE, max_size=3).map(tuple), max_size=3).map(MappingProxyType),
    similar=st.builds(
        LookingFor,
        signal=TEXTS,
        everywhere=st.booleans(),
        wishes=st.dictionaries(TEXTS, WISHES, max_size=2).map(MappingProxyType),
    ),
)
SECONDS = st.builds(Second, item=st.none() | WHOLE, network=st.none() | st.builds(NetworkSpec, seed=WHOLE))


@given(BRANCHES | VIEWS | REMARKS | SECONDS)
def test_what_json_holds_comes_back_equal(value: Any) -> None:
    read = json.loads(json.dumps(to_plain(value), allow_nan=False))
    assert from_plain(type(value), read, "value") == value


@dataclass(frozen=True)
class Numbers:
    value: float
    others: tuple[float, ...] = ()
    named: tuple[int, str] = (1, "x")


@given(st.floats())
def test_every_number_comes_back_to_the_last_bit(number: float) -> None:
    read = from_plain(Numbers, json.loads(json.dumps(to_plain(Numbers(number)), allow_nan=False)), "numbers")
    assert math.isnan(read.value) if math.isnan(number) else math.copysign(1, read.value) == math.copysign(1, number)
    assert math.isnan(number) or read.value == number


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        (3, "numbers is 3, not an object"),
        ({}, "numbers has no value"),
        ({"value": True}, "numbers.value is True, not a number"),
        ({"value": "1"}, "numbers.value is '1', not a number"),
        ({"value": 1 << 2000}, "numbers.value is"),
        ({"value": 1, "others": 2}, "numbers.others is 2, not a list"),
        ({"value": 1, "others": [1, None]}, r"numbers.others\[1\] is None"),
        ({"value": 1, "named": [1]}, "numbers.named has 1 entries, not 2"),
        ({"value": 1, "named": [1.0, "x"]}, r"numbers.named\[0\] is 1.0, not a whole number"),
        ({"value": 1, "named": [1 << 70, "x"]}, "not a whole number"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(plain: object, message: str) -> None:
    with pytest.raises(NotPlainError, match=message):
        from_plain(Numbers, plain, "numbers")


def test_one_bad_field_costs_no_other() -> None:
    good, problems = good_fields(View, {"cursor": 3, "labels": "klingon", "phase": "1", "new": 1, "speed": 2}, "view")
    assert good == {"cursor": 3, "speed": 2.0}
    assert len(problems) == 2
    assert "view.labels is 'klingon', none of standard, classroom" in problems
    assert good_fields(View, [], "view") == ({}, ("view is []",))


def test_what_has_no_plain_form_is_a_mistake_of_the_program() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: Any = field(default_factory=object)

    with pytest.raises(TypeError, match="object has no plain form"):
        to_plain(Odd())
