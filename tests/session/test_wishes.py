"""What is looked for: stances by hand against those that a stretch suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.session.wishes import LookingFor, Stance, Suggested, Wish

UNITS = 6
STANCES = st.lists(st.tuples(st.integers(0, UNITS + 2), st.none() | st.sampled_from(Stance)), max_size=12)


@given(STANCES, st.sampled_from(Suggested), st.lists(st.sampled_from(["on", "off", "mixed"]), min_size=6, max_size=6))
def test_each_unit_has_the_last_stance_it_was_given_or_what_the_stretch_suggests(
    given_: list[tuple[int, Stance | None]], suggested: Suggested, doing: list[str]
) -> None:
    wish, last = Wish(suggested=suggested), dict[int, Stance]()
    for unit, stance in given_:
        wish = wish.with_stance(unit, stance)
        if stance is None:
            last.pop(unit, None)
        else:
            last[unit] = stance
    throughout = [tuple(unit for unit in range(UNITS) if doing[unit] == what) for what in ("on", "off")]
    on, off = wish.chosen(throughout[0], throughout[1], UNITS)
    usual = {
        Suggested.ON: {"on": Stance.ON},
        Suggested.BOTH: {"on": Stance.ON, "off": Stance.OFF},
        Suggested.NONE: dict[str, Stance](),
    }[suggested]
    expected = [last.get(unit, usual.get(doing[unit], Stance.ANY)) for unit in range(UNITS)]
    assert on == tuple(unit for unit in range(UNITS) if expected[unit] is Stance.ON)
    assert off == tuple(unit for unit in range(UNITS) if expected[unit] is Stance.OFF)
    assert wish.by_hand == last.keys()
    assert len(wish.on) + len(wish.off) + len(wish.any) == len(last)


@pytest.mark.parametrize("signal", ["a", "b"])
def test_a_wish_that_is_the_usual_one_is_not_kept(signal: str) -> None:
    looking = LookingFor(signal).with_wish("a", Wish(0.5)).with_wish("b", Wish(margin=2))
    assert looking.wishes == {"a": Wish(0.5), "b": Wish(margin=2)}
    assert looking.with_wish("a", Wish()).wishes == {"b": Wish(margin=2)}
    assert looking.signal == signal


def test_other_sequences_keep_thresholds_and_forget_units() -> None:
    looking = LookingFor(
        "a",
        True,
        {"a": Wish(0.5, 2, Suggested.NONE, (1,), (2,)), "b": Wish(None, 0, Suggested.BOTH, any=(3,)), "c": Wish(0.1)},
    )
    elsewhere = looking.elsewhere()
    assert (elsewhere.signal, elsewhere.everywhere) == ("a", True)
    assert elsewhere.wishes == {"a": Wish(0.5, 2), "b": Wish(suggested=Suggested.BOTH), "c": Wish(0.1)}
