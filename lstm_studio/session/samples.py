"""The samples in resources/: sequences, trained networks and stored traces, read without torch for the first paint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.storage import load_trace
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import StudioError
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.resources import resources_folder, sample_folder
from lstm_studio.sequences.sequence import SequenceSet
from lstm_studio.sequences.storage import load_set

FIRST_SAMPLE = "temporal-order"
"""The sample that the window starts with."""

CARD = "card.json"

_CURE = "Install LSTM Studio again, or train the samples again with python -m lstm_studio.training.samples."

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, eq=False, slots=True)
class SampleNetwork:
    """A trained network of a sample, and what it makes of the sample's sequences.

    Parameters
    ----------
    spec
        How to build it: its checkpoint.
    info
        What a panel shows about it.
    trace
        Signals and gradients on the sequence shown first.
    loss
        On the stored sequences: cross-entropy in nats for classes, mean squared error for values.
    accuracy
        Share of right answers on the stored sequences, in 0…1; None where the answers are values.
    predictions
        For N sequences of T steps: (N,) int64, the class at the end; or (N, T) int64, the class at every step; or
        (N, T, K) float32, the values at every step, rounded to four decimals.
    right
        (N,) bool: which sequences are answered right; for values, better than the chance line.
    """

    spec: NetworkSpec
    info: NetworkInfo
    trace: Trace
    loss: float
    accuracy: float | None
    predictions: NDArray[Any]
    right: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """Everything that the window needs to open with trained networks on a sequence.

    Parameters
    ----------
    name
        Name of its folder, ``"temporal-order"``.
    title, description
        For the list of samples: a few words, and one or two sentences on what it shows and what was reached.
    sequences
        Held-out sequences with their targets.
    first
        Index of the sequence to show first, which the stored traces are of.
    objective
        What the gradients of the stored traces are of, as in ``ls.trace(objective=…)``.
    networks
        The network under the microscope, then its companion.
    card
        All of card.json: task, recipe, chance line, loss curves, other runs.
    """

    name: str
    title: str
    description: str
    sequences: SequenceSet
    first: int
    objective: str
    networks: tuple[SampleNetwork, ...]
    card: Mapping[str, Any]


def sample_names() -> tuple[str, ...]:
    """Return the names of all samples, the one that the window starts with first, the others sorted."""
    names = {card.parent.name for card in (resources_folder() / "samples").glob(f"*/{CARD}")}
    return tuple(sorted(names, key=lambda name: (name != FIRST_SAMPLE, name)))


def load_sample(name: str) -> Sample:
    """Read one sample.

    Parameters
    ----------
    name
        One of :func:`sample_names`.

    Raises
    ------
    StudioError
        If there is no such sample, or one of its files is missing or damaged; the message names the file.
    """
    folder = sample_folder(name)
    path = folder / CARD
    if not path.is_file():
        raise StudioError(f"There is no sample {name!r}.", f"Choose one of {', '.join(sample_names())}.")
    card = _read_card(path)
    title = _get(card, "title", str, path)
    # Samples that share sequences differ in their networks; the title of the window tells them apart.
    sequences = replace(load_set(folder / _get(card, "sequences", str, path)), title=title)
    first = _get(card, "first", int, path)
    if not 0 <= first < len(sequences):
        raise StudioError(f"{path}: first is {first}, but there are {len(sequences)} sequences.", _CURE)
    return Sample(
        name=name,
        title=title,
        description=_get(card, "description", str, path),
        sequences=sequences,
        first=first,
        objective=_get(card, "objective", str, path),
        networks=tuple(_network(entry, sequences, path) for entry in _get(card, "networks", list, path)),
        card=MappingProxyType(card),
    )


def _network(entry: object, sequences: SequenceSet, path: Path) -> SampleNetwork:
    """Return the network that one entry of ``networks`` in the card describes."""
    if not isinstance(entry, dict):
        raise StudioError(f"{path}: an entry of networks is {entry!r:.60}.", _CURE)
    checkpoint = path.parent / _get(entry, "weights", str, path)
    if not checkpoint.is_file():
        raise StudioError(f"{checkpoint} is missing.", _CURE)
    trace = load_trace(path.parent / _get(entry, "trace", str, path))
    info = NetworkInfo(
        kind=_get(entry, "kind", str, path),
        title=_get(entry, "title", str, path),
        input_size=_get(entry, "input_size", int, path),
        hidden_size=_get(entry, "hidden_size", int, path),
        layers=_get(entry, "layers", int, path),
        bidirectional=_get(entry, "bidirectional", bool, path),
        parameters=_get(entry, "parameters", int, path),
        outputs=_get(entry, "outputs", int, path),
        source=str(checkpoint),
        fingerprint=_get(entry, "fingerprint", str, path),
    )
    accuracy = None if entry.get("accuracy") is None else _get(entry, "accuracy", float, path)
    predictions = _array(entry, "predictions", len(sequences), path)
    return SampleNetwork(
        spec=NetworkSpec(kind=info.kind, hidden_size=info.hidden_size, layers=info.layers, checkpoint=str(checkpoint)),
        info=info,
        trace=trace,
        loss=_get(entry, "loss", float, path),
        accuracy=accuracy,
        predictions=predictions.astype(np.int64 if predictions.dtype.kind == "i" else np.float32),
        right=_array(entry, "right", len(sequences), path).astype(np.bool_),
    )


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError(f"{path} cannot be read: {error}.", _CURE) from error
    except json.JSONDecodeError as error:
        raise StudioError(f"{path}, line {error.lineno}, column {error.colno}: {error.msg}.", _CURE) from error
    if not isinstance(card, dict):
        raise StudioError(f"{path} holds {card!r:.60} where an object is expected.", _CURE)
    return card


def _get(card: Mapping[str, Any], key: str, kind: type[ValueT], path: Path) -> ValueT:
    value = card.get(key)
    if not isinstance(value, kind):
        found = "missing" if key not in card else f"{value!r:.60}"
        raise StudioError(f"{path}: {key!r} is {found}, a {kind.__name__} is expected.", _CURE)
    return value


def _array(card: Mapping[str, Any], key: str, count: int, path: Path) -> NDArray[Any]:
    """Return a nested list of numbers with one entry for each of ``count`` sequences."""
    rows = _get(card, key, list, path)
    try:
        array = np.array(rows)
    except ValueError as error:
        raise StudioError(f"{path}: {key!r} is ragged.", _CURE) from error
    if len(array) != count or array.dtype.kind not in "ibf":
        raise StudioError(f"{path}: {key!r} has {len(array)} entries for {count} sequences, or not numbers.", _CURE)
    array.flags.writeable = False
    return array
