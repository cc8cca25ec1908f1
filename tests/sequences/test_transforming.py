"""Missing values, scaling and pieces: what is done to a set after it has been read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.missing import treat_missing
from lstm_studio.sequences.options import Missing, MissingValuesError
from lstm_studio.sequences.pieces import split, suggest_piece_length
from lstm_studio.sequences.scaling import offsets_and_factors, scale, suggest_scaling
from lstm_studio.sequences.sequence import Encoding, Scaling, Sequence, SequenceSet

NAN, INF = np.nan, np.inf


def one(values: object, **more: Any) -> SequenceSet:
    array = np.array(values, np.float32)
    names = tuple(f"f{index}" for index in range(array.shape[1]))
    return SequenceSet((Sequence(array, names, name="s", **more),), title="a.csv")


def test_a_complete_set_is_left_alone() -> None:
    complete = one([[1], [2]])
    assert all(treat_missing(complete, how) is complete for how in Missing)
    huge = one([[3e38], [3e38], [-3e38]])
    assert treat_missing(huge, Missing.REFUSE) is huge


def test_refusing_counts_and_names_the_first_place() -> None:
    gaps = one([[1, 2], [NAN, INF], [3, -INF], [NAN, 1]])
    with pytest.raises(MissingValuesError) as caught:
        treat_missing(gaps, Missing.REFUSE)
    assert "2 missing values in 'f0', 2 infinite values in 'f1'" in caught.value.found
    assert "step 2 of 's' (feature 'f0')" in caught.value.found
    assert "interpolate" in caught.value.cure


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Missing.FORWARD, [2, 2, 2, 2, 8, 8]),
        (Missing.INTERPOLATE, [2, 2, 4, 6, 8, 8]),
        (Missing.DROP, [2, 8]),
    ],
)
def test_filling_and_dropping(how: Missing, expected: list[float]) -> None:
    gaps = one([[NAN], [2], [INF], [NAN], [8], [NAN]], time=np.arange(6.0), time_unit="s")
    treated = treat_missing(gaps, how)
    assert treated[0].time_unit == "s"
    assert treated[0].values[:, 0].tolist() == expected
    assert treated[0].time is not None
    assert treated[0].time.tolist() == ([1, 4] if how is Missing.DROP else list(range(6)))
    assert "missing" in dict(treated.facts)
    assert treat_missing(treated, Missing.REFUSE) is treated


def test_targets_are_treated_along() -> None:
    gaps = one([[1], [2], [3]], target=np.array([[1], [NAN], [3]], np.float32))
    with pytest.raises(MissingValuesError, match="1 missing value in 'target'"):
        treat_missing(gaps, Missing.REFUSE)
    filled = treat_missing(gaps, Missing.INTERPOLATE)[0]
    assert filled.target is not None
    assert filled.target.tolist() == [[1], [2], [3]]
    dropped = treat_missing(gaps, Missing.DROP)[0]
    assert dropped.values.tolist() == [[1], [3]]


def test_nothing_known_cannot_be_filled_and_nothing_left_is_refused() -> None:
    hopeless = one([[NAN, 1], [NAN, 2]])
    with pytest.raises(SequenceError, match="'f0' has no known value in 's'"):
        treat_missing(hopeless, Missing.FORWARD)
    with pytest.raises(SequenceError, match="dropping leaves nothing"):
        treat_missing(hopeless, Missing.DROP)


def test_standard_and_min_max_over_the_whole_set() -> None:
    parts = [np.array([[1, 5], [2, 5]]), np.array([[3, 5], [10, 5]])]
    pair = SequenceSet(tuple(Sequence(part.astype(np.float32), ("x", "constant")) for part in parts))
    together = np.concatenate(parts)[:, 0]
    standard = scale(pair, Scaling.STANDARD)
    values = np.concatenate([sequence.values for sequence in standard])
    np.testing.assert_allclose(values[:, 0], (together - together.mean()) / together.std(), rtol=1e-6)
    assert (values[:, 1] == 0).all()
    between = np.concatenate([sequence.values for sequence in scale(standard, Scaling.MIN_MAX)])
    np.testing.assert_allclose(between[:, 0], (together - 1) / 9, rtol=1e-6)
    assert standard.scaling is Scaling.STANDARD
    assert standard[1].raw is not None
    assert standard[1].raw.tolist() == [[3, 5], [10, 5]]


def test_codes_are_never_scaled() -> None:
    word = one([[1, 0], [0, 1], [1, 0]], encoding=Encoding.ONE_HOT)
    assert scale(word, Scaling.STANDARD)[0].values.tolist() == word[0].values.tolist()
    mixed = SequenceSet(
        (Sequence(np.array([[1, 1], [3, 0]], np.float32), ("v", "w=a")),), indicators=frozenset({"w=a"})
    )
    assert scale(mixed, Scaling.STANDARD)[0].values.tolist() == [[-1, 1], [1, 0]]
    offsets, factors = offsets_and_factors(mixed, Scaling.MIN_MAX)
    assert (offsets.tolist(), factors.tolist()) == ([1, 0], [2, 1])


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-1e6, 1e6, width=32)
    ),
    scaling=st.sampled_from([Scaling.STANDARD, Scaling.MIN_MAX]),
)
def test_scaling_can_be_undone(values: np.ndarray, scaling: Scaling) -> None:
    unscaled = one(values)
    scaled = scale(unscaled, scaling)
    assert np.isfinite(scaled[0].values).all()
    back = scale(scaled, Scaling.NONE)
    assert back[0].values.tobytes() == values.tobytes()
    assert back.scaling is Scaling.NONE
    offsets, factors = offsets_and_factors(scaled, scaling)
    widest = np.abs(values).max(axis=0) + factors
    assert (np.abs(scaled[0].values * factors + offsets - values) <= 1e-6 * widest).all()


def test_pieces_cover_the_sequence_and_take_time_and_targets_along() -> None:
    steps = 2_500
    long = one(
        np.arange(steps)[:, None],
        time=np.arange(steps) / 10,
        time_unit="s",
        target=np.arange(steps, dtype=np.float32)[:, None],
    )
    pieces = split(long, 1_000)
    assert [piece.name for piece in pieces] == ["s steps 1–1,000", "s steps 1,001–2,000", "s steps 2,001–2,500"]
    np.testing.assert_array_equal(np.concatenate([piece.values for piece in pieces]), long[0].values)
    for piece in pieces:
        assert piece.time is not None
        assert piece.time_unit == "s"
        assert piece.target is not None
        np.testing.assert_array_equal(piece.target, piece.values)
        np.testing.assert_allclose(piece.time * 10, piece.values[:, 0])
        assert np.shares_memory(piece.values, long[0].values)
    assert split(long, 2_500) is long
    with pytest.raises(ValueError, match="at least one step"):
        split(long, 0)


def test_pieces_keep_the_class_the_scaling_and_the_raw_values() -> None:
    labelled = SequenceSet(
        (
            Sequence(np.arange(5, dtype=np.float32)[:, None], ("x",), target=np.asarray(1, np.int64), name="a"),
            Sequence(np.arange(2, dtype=np.float32)[:, None], ("x",), target=np.array([0.5], np.float32), name="b"),
        ),
        classes=("no", "yes"),
    )
    pieces = split(scale(labelled, Scaling.MIN_MAX), 2)
    assert [piece.name for piece in pieces] == ["a steps 1–2", "a steps 3–4", "a steps 5–5", "b"]
    assert [None if piece.target is None else piece.target.tolist() for piece in pieces] == [1, 1, 1, [0.5]]
    assert pieces.scaling is Scaling.MIN_MAX
    assert [None if piece.raw is None else piece.raw.ravel().tolist() for piece in pieces][:3] == [[0, 1], [2, 3], [4]]
    only_last = split(SequenceSet((labelled[1],)), 1)
    assert [piece.target is None for piece in only_last] == [True, False]


@pytest.mark.parametrize(
    ("steps", "text", "length"),
    [(10_000, False, None), (10_001, False, 10_000), (2_000, True, None), (2_001, True, 1_000)],
)
def test_suggested_pieces(steps: int, text: bool, length: int | None) -> None:
    encoding = Encoding.ONE_HOT if text else Encoding.NUMERIC
    assert suggest_piece_length(one(np.ones((steps, 1)), encoding=encoding)) == length


@pytest.mark.parametrize(
    ("values", "encoding", "expected"),
    [
        (np.linspace(100, 622, 50), Encoding.NUMERIC, Scaling.STANDARD),
        (np.linspace(-2, 2, 50), Encoding.NUMERIC, Scaling.NONE),
        (np.full(50, 40.0), Encoding.NUMERIC, Scaling.STANDARD),
        (np.ones(50), Encoding.ONE_HOT, Scaling.NONE),
    ],
)
def test_scaling_is_suggested_where_raw_values_would_saturate(
    values: NDArray[np.float64], encoding: Encoding, expected: Scaling
) -> None:
    data = SequenceSet((Sequence(values[:, None].astype(np.float32), ("x",), encoding=encoding),))
    assert suggest_scaling(data) is expected
