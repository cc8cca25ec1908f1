"""The formats in which runs are exported; importing this loads nothing else."""

from __future__ import annotations

from enum import StrEnum


class RunFormat(StrEnum):
    """What a run is written as."""

    TENSORBOARD = "tensorboard"
    PARQUET = "parquet"
    NPZ = "npz"
