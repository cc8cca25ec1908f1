"""Tells networks, sessions and sequences apart, without torch and without reading files whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lstm_studio.networks.spec import CHECKPOINT_SUFFIXES

NETWORK_SUFFIXES = CHECKPOINT_SUFFIXES
SESSION_SUFFIX = ".lstmstudio"

_HEADER_LIMIT = 100_000_000
"""Bytes that the safetensors format allows for its header."""


@dataclass(frozen=True, slots=True)
class SortedFiles:
    """Paths by what they hold, in the order in which they were named."""

    sequences: tuple[str, ...]
    networks: tuple[str, ...]
    sessions: tuple[str, ...] = ()


def sort_files(paths: Iterable[str]) -> SortedFiles:
    """Sort paths by what they hold; what cannot be told apart is left to the readers of sequences."""
    paths = tuple(paths)
    sessions = tuple(path for path in paths if Path(path).suffix.lower() == SESSION_SUFFIX)
    networks = tuple(path for path in paths if path not in sessions and holds_network(path))
    return SortedFiles(tuple(path for path in paths if path not in {*networks, *sessions}), networks, sessions)


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
