"""Finds ``resources/`` in a checkout, in an installed wheel and in a frozen bundle alike."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path


@cache
def resources_folder() -> Path:
    """Return the folder that holds the icons, samples, lessons and translations.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete: neither of the three places has it.
    """
    package = Path(__file__).resolve().parent
    bundle = getattr(sys, "_MEIPASS", None)
    candidates = [package / "_resources", package.parent / "resources"]
    if bundle is not None:
        candidates.insert(0, Path(bundle) / "resources")
    for candidate in candidates:
        if (candidate / "samples").is_dir():
            return candidate
    raise FileNotFoundError(f"resources/ is in none of {', '.join(map(str, candidates))}: reinstall LSTM Studio")


def sample_folder(name: str) -> Path:
    """Return the folder of one sample, for example ``"temporal-order"``."""
    return resources_folder() / "samples" / name
