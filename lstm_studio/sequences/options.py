"""What the user may choose about how a file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.columns import ColumnRole

GIBIBYTE = 2**30


class Missing(StrEnum):
    """What becomes of missing values, NaN and infinities."""

    REFUSE = "refuse"
    """Count them, name the first place, and let the user choose."""
    FORWARD = "forward"
    """Repeat the last known value of the feature; before the first one, the first."""
    INTERPOLATE = "interpolate"
    """A straight line between the known neighbours; beyond the ends, the nearest."""
    DROP = "drop"
    """Leave out the steps at which any feature is missing."""


class AudioFeatures(StrEnum):
    """What the features of a sound are."""

    LOG_MEL = "log-mel"
    """Frames of 25 ms every 10 ms, 40 mel bands, natural logarithm of the power."""
    RAW = "raw"
    """One step for every sample."""


class TextCode(StrEnum):
    """How a character becomes features."""

    ONE_HOT = "one-hot"
    """One feature for each symbol of the text."""
    CODE = "code"
    """One feature for each bit of the character's Unicode code point: any alphabet in at most 21 features."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Corrections and choices for one file, or one folder of files.

    Parameters
    ----------
    columns
        Column of a table (or key of an NPZ file) → the role that the user gives it; the rest are recognised.
    missing
        What becomes of missing values, NaN and infinities.
    audio
        Features of a sound.
    text
        Features of a character.
    symbol_limit
        The most symbols that a one-hot code may have, at least 2.
    memory_limit
        The most memory in bytes that the values of one opening may need; more is refused before anything is loaded.
    files
        Of a folder, the names of the files to read; empty for all of them.
    """

    columns: Mapping[str, ColumnRole] = field(default_factory=dict)
    missing: Missing = Missing.REFUSE
    audio: AudioFeatures = AudioFeatures.LOG_MEL
    text: TextCode = TextCode.ONE_HOT
    symbol_limit: int = 256
    memory_limit: int = 2 * GIBIBYTE
    files: tuple[str, ...] = ()


class ChoiceNeededError(SequenceError):
    """The file can be read once the user has chosen: how to fill what is missing, or to spend more memory."""


class MissingValuesError(ChoiceNeededError):
    """The choice is ``ReadOptions.missing``."""


class MemoryLimitError(ChoiceNeededError):
    """The choice is ``ReadOptions.memory_limit``.

    Parameters
    ----------
    found, cure
        As in every error.
    needed
        Bytes, the limit with which it would have gone on.
    """

    def __init__(self, found: str, cure: str, needed: int) -> None:
        super().__init__(found, cure)
        self.needed = needed

    def __reduce__(self) -> tuple[type[MemoryLimitError], tuple[object, ...]]:
        return type(self), (self.found, self.cure, self.needed)


def require_memory(name: str, needed: int, contents: str, options: ReadOptions) -> str:
    """Say how much memory a file will need, before it is loaded.

    Parameters
    ----------
    name
        The file, as the message should call it.
    needed
        Bytes.
    contents
        What takes them, for example ``"1,000,000 rows × 32 columns"``.
    options
        Hold the limit.

    Returns
    -------
    str
        Words for a progress report.

    Raises
    ------
    MemoryLimitError
        Above ``options.memory_limit``.
    """
    words = f"{contents}, about {in_bytes(needed)} of memory"
    if needed > options.memory_limit:
        raise MemoryLimitError(
            f"{name} holds {words}; the limit is {in_bytes(options.memory_limit)}.",
            "Open a shorter part of the file, or raise the memory limit (ReadOptions.memory_limit, in bytes).",
            needed,
        )
    return words


def in_bytes(count: int) -> str:
    """Return ``count`` bytes in the largest fitting decimal unit, for example ``"1.3 GB"``."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
