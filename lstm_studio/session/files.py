"""Tells networks, sessions, runs and sequences apart, without torch and without reading files whole."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lstm_studio.networks.spec import CHECKPOINT_SUFFIXES

NETWORK_SUFFIXES = CHECKPOINT_SUFFIXES
SESSION_SUFFIX = ".lstmstudio"

_MOST_FOLDERS, _MOST_NAMES = 200, 2_000
"""So much is looked at to tell a folder of runs from one of sequences."""

_HEADER_LIMIT = 100_000_000
"""Bytes that the safetensors format allows for its header."""


@dataclass(frozen=True, slots=True)
class SortedFiles:
    """Paths by what they hold, in the order in which they were named."""

    sequences: tuple[str, ...]
    networks: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


def sort_files(paths: Iterable[str]) -> SortedFiles:
    """Sort paths by what they hold; what cannot be told apart is left to the readers of sequences."""
    paths = tuple(paths)
    sessions = tuple(path for path in paths if Path(path).suffix.lower() == SESSION_SUFFIX)
    runs = tuple(path for path in paths if holds_run(path))
    networks = tuple(path for path in paths if path not in {*sessions, *runs} and holds_network(path))
    others = {*networks, *sessions, *runs}
    return SortedFiles(tuple(path for path in paths if path not in others), networks, sessions, runs)


def holds_run(path: str) -> bool:
    """Return whether a path is a recorded training, what TensorBoard or Lightning logged, or a folder of such.

    An address of another computer always is: nothing else is opened from there. A folder with other files in it is a
    folder of sequences.
    """
    if "://" in path:
        return True
    found = Path(path)
    if not is_folder(found):
        return _is_log(found.name)
    names = _names(found)
    if any(_is_log(name) for name in names):
        return True
    folders = [found / name for name in names if is_folder(found / name)]
    # Runs lie in a folder of theirs, or one deeper; files of sequences lie beside each other.
    if len(folders) < len([name for name in names if not name.startswith(".")]):
        return False
    below = [*folders, *(folder / name for folder in folders[:_MOST_FOLDERS] for name in _names(folder))]
    return any(_is_log(name) for folder in below[:_MOST_FOLDERS] if is_folder(folder) for name in _names(folder))


def _is_log(name: str) -> bool:
    return name in {"run.json", "metrics.csv"} or "tfevents" in name


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in itertools.islice(entries, _MOST_NAMES)]
    except OSError:
        return []


def is_seen(path: Path) -> bool:
    """Return whether something is there that this user may look at."""
    try:
        return path.exists()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Return whether a folder is there that this user may look at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Return whether a file is there that this user may look at."""
    return is_seen(path) and path.is_file()


def holds_network(path: str) -> bool:
    """Return whether a file is a checkpoint, by its suffix and, for safetensors, by the names in its header."""
    suffix = Path(path).suffix.lower()
    if suffix == ".safetensors":
        return any(name.rpartition(".")[2].startswith(("weight", "bias")) for name in _tensor_names(Path(path)))
    return suffix in NETWORK_SUFFIXES


def _tensor_names(path: Path) -> tuple[str, ...]:
    """Return the names in the header of a safetensors file; none if it is no such file."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(_HEADER_LIMIT, path.stat().st_size):
                return ()
            header = json.loads(file.read(length))
    except (OSError, ValueError, RecursionError):
        return ()
    return tuple(header) if isinstance(header, dict) else ()
