"""From the sequences of a setup to what its networks receive: scaled, cut, and with the events that were added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_studio.sequences.pieces import split
from lstm_studio.sequences.scaling import offsets_and_factors, scale
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.state import Setup


def prepared(setup: Setup) -> SequenceSet:
    """Return all sequences of a setup, scaled and cut; the very set where there is nothing to do."""
    sequences = setup.data if setup.scaling is setup.data.scaling else scale(setup.data, setup.scaling)
    return sequences if setup.piece_length is None else split(sequences, setup.piece_length)


def with_events(setup: Setup, sequences: SequenceSet) -> Sequence:
    """Return the shown sequence with the events added by hand, scaled as the rest is.

    Parameters
    ----------
    setup
        Says which sequence, and which events.
    sequences
        What :func:`prepared` returns for it.
    """
    sequence = sequences[setup.item]
    if not setup.events:
        return sequence
    added = np.array(setup.events, dtype=np.float64)
    assert sequence.raw is not None  # noqa: S101 - __post_init__ fills it
    raw = np.concatenate([np.asarray(sequence.raw, np.float64), added])
    offsets, factors = offsets_and_factors(setup.data, setup.scaling)
    values = np.concatenate([sequence.values, ((added - offsets) / factors).astype(np.float32)])
    # Times, targets of each step and their extrapolation are the file's business: an added event has neither.
    target = sequence.target if sequence.target is not None and sequence.target.ndim == 0 else None
    return replace(sequence, values=values, raw=raw.astype(np.float32), time=None, target=target)
