"""Missing values, NaN and infinities: counted, named, and treated as the user chose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.options import Missing, MissingValuesError
from lstm_studio.sequences.sequence import Sequence, SequenceSet

_CURE = (
    "Choose what becomes of them: fill forward, interpolate, or drop those steps "
    "(ReadOptions.missing = Missing.FORWARD, INTERPOLATE or DROP)."
)
_DID = {
    Missing.FORWARD: "filled forward",
    Missing.INTERPOLATE: "interpolated",
}


def all_finite(values: NDArray[Any]) -> bool:
    """Return whether no value is NaN or infinite, without an array of truth values where a sum already tells."""
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return True
    return bool(np.isfinite(values).all())


def treat_missing(sequences: SequenceSet, how: Missing) -> SequenceSet:
    """Return a set without missing values.

    Parameters
    ----------
    sequences
        As read, before scaling; per-step targets are treated like features.
    how
        What the user chose.

    Returns
    -------
    SequenceSet
        The same object where nothing is missing; otherwise a set whose facts say what was done.

    Raises
    ------
    MissingValuesError
        With ``Missing.REFUSE``: the counts for each feature, and the first place.
    SequenceError
        A feature of a sequence has no known value to fill with, or no step is left.
    """
    bad = [sequence for sequence in sequences if not _is_complete(sequence)]
    if not bad:
        return sequences
    source = sequences.source or sequences.title
    if how is Missing.REFUSE:
        counts, first = _count(bad)
        raise MissingValuesError(f"{source}: {counts}; the first at {first}.", _CURE)
    incomplete = {id(sequence) for sequence in bad}

    def treat(sequence: Sequence) -> Sequence:
        if id(sequence) not in incomplete:
            return sequence
        return _drop(sequence) if how is Missing.DROP else _fill(sequence, how, source)

    treated = [treat(sequence) for sequence in sequences]
    kept = tuple(sequence for sequence in treated if sequence.steps)
    if not kept:
        raise SequenceError(
            f"{source}: every step has a missing value, so dropping leaves nothing.", "Fill forward or interpolate."
        )
    if how is Missing.DROP:
        dropped = sum(map(len, sequences)) - sum(map(len, kept))
        fact = f"{_steps(dropped)} with missing values dropped"
        if len(kept) < len(treated):
            fact += f", and with them {len(treated) - len(kept)} whole sequences"
    else:
        fact = f"{_count(bad)[0]}: {_DID[how]}"
    return replace(sequences, sequences=kept, facts=(*sequences.facts, ("missing", fact)))


def describe_missing(values: NDArray[Any], names: tuple[str, ...]) -> str:
    """Return the counts of missing and infinite values for each feature, in words.

    Parameters
    ----------
    values
        (T, F), with at least one value that is not finite.
    names
        F feature names.

    Returns
    -------
    str
        For example ``"2 missing values in 'x', 1 infinite value in 'y'"``.
    """
    missing = np.isnan(values).sum(axis=0)
    infinite = np.isinf(values).sum(axis=0)
    parts = [
        f"{count:,} {word} value{'s' if count > 1 else ''} in {name!r}"
        for counts, word in ((missing, "missing"), (infinite, "infinite"))
        for name, count in zip(names, counts.tolist(), strict=True)
        if count
    ]
    shown = parts[:6]
    return ", ".join(shown) + (f" and in {len(parts) - len(shown)} more" if len(parts) > len(shown) else "")


def _count(bad: list[Sequence]) -> tuple[str, str]:
    """Return the counts over all sequences, and the first place, in words."""
    columns = np.concatenate([_all_columns(sequence) for sequence in bad])
    names = _all_names(bad[0])
    step, feature = np.argwhere(~np.isfinite(_all_columns(bad[0])))[0]
    where = f"step {step + 1:,} of {bad[0].name!r}" if bad[0].name else f"step {step + 1:,}"
    return describe_missing(columns, names), f"{where} (feature {names[feature]!r})"


def _has_step_targets(sequence: Sequence) -> bool:
    return sequence.target is not None and sequence.target.ndim == 2


def _all_columns(sequence: Sequence) -> NDArray[Any]:
    """Return (T, F + K): the features and the per-step targets."""
    if sequence.target is not None and sequence.target.ndim == 2:
        return np.concatenate([sequence.values, sequence.target], axis=1)
    return sequence.values


def _all_names(sequence: Sequence) -> tuple[str, ...]:
    if sequence.target is not None and sequence.target.ndim == 2:
        outputs = sequence.target.shape[1]
        return (*sequence.names, *("target" if outputs == 1 else f"target {k + 1}" for k in range(outputs)))
    return sequence.names


def _is_complete(sequence: Sequence) -> bool:
    if not all_finite(sequence.values):
        return False
    return not _has_step_targets(sequence) or sequence.target is None or all_finite(sequence.target)


def _drop(sequence: Sequence) -> Sequence:
    keep = np.isfinite(_all_columns(sequence)).all(axis=1)
    return replace(
        sequence,
        values=sequence.values[keep],
        raw=None,
        time=None if sequence.time is None else sequence.time[keep],
        target=sequence.target[keep] if sequence.target is not None and sequence.target.ndim == 2 else sequence.target,
    )


def _fill(sequence: Sequence, how: Missing, source: str) -> Sequence:
    columns = _all_columns(sequence).copy()
    known = np.isfinite(columns)
    steps = np.arange(len(columns))
    for feature in np.flatnonzero(~known.all(axis=0)):
        at = steps[known[:, feature]]
        if not at.size:
            where = f" in {sequence.name!r}" if sequence.name else ""
            raise SequenceError(
                f"{source}: {_all_names(sequence)[feature]!r} has no known value{where}, so nothing can be filled in.",
                "Leave that column or that sequence out, or drop steps with missing values.",
            )
        if how is Missing.INTERPOLATE:
            filled = np.interp(steps, at, columns[at, feature].astype(np.float64))
            columns[:, feature] = filled
        else:
            latest = np.maximum(np.searchsorted(at, steps, side="right") - 1, 0)
            columns[:, feature] = columns[at[latest], feature]
    features = sequence.features
    target = columns[:, features:] if _has_step_targets(sequence) else sequence.target
    return replace(sequence, values=np.ascontiguousarray(columns[:, :features]), raw=None, target=target)


def _steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"
