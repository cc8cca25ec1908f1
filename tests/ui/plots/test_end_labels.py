"""Where end labels stand, and how many lines they get."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lstm_studio.ui.plots.end_labels import EndLabel, lines_each, spread
from lstm_studio.ui.plots.legend import Entry, Swatch


def label(name: str, entries: int, end: float = 0.0) -> EndLabel:
    return EndLabel(name, "#000000", tuple(Entry(f"∂{i}", Swatch.LINE, "#000000") for i in range(entries)), end)


def test_labels_get_shorter_where_there_is_less_room() -> None:
    labels = [label("LSTM →", 2), label("RNN →", 1), label("LSTM ←", 2), label("RNN ←", 1)]
    assert lines_each(labels, 10) == [3, 2, 3, 2]
    assert lines_each(labels, 9) == [2, 2, 2, 2]
    assert lines_each(labels, 7) == [1, 1, 1, 1]
    assert lines_each(labels, 3) == [1, 1, 1, 0]
    assert lines_each(labels, 0) == [1, 0, 0, 0]


@given(
    blocks=st.lists(st.tuples(st.floats(-50, 300), st.integers(1, 4)), min_size=1, max_size=6),
    spare=st.floats(0, 200),
)
def test_labels_keep_their_order_and_never_overlap(blocks: list[tuple[float, int]], spare: float) -> None:
    wanted = sorted(top for top, _ in blocks)
    heights = [12.0 * lines for _, lines in blocks]
    room = sum(heights) + spare
    tops = spread(wanted, heights, room)
    placed = list(zip(tops, heights, strict=True))
    assert tops[0] >= 0
    assert tops[-1] + heights[-1] <= room + 1e-9
    for (top, height), (below, _) in pairwise(placed):
        assert below >= top + height - 1e-9


def test_labels_with_room_stand_where_they_want() -> None:
    assert spread([10, 60], [24, 24], 100) == [10, 60]
    assert spread([10, 20], [24, 24], 100) == [10, 34]
    assert spread([80, 90], [24, 24], 100) == [52, 76]
