"""A run as an archive of NumPy, which ``numpy.load`` opens without running anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.export.contents import ABOUT, Contents

_NO_DATE = (1980, 1, 1, 0, 0, 0)


def write_npz(contents: Contents, path: Path) -> None:
    """Write the arrays one after the other, so that a long run needs no more memory than one trace.

    ``scalars/{name}/steps`` (N,) and ``scalars/{name}/values`` (N,), the same of ``statistics`` and ``parameters``;
    ``times/steps`` and ``times/values``, in seconds since 1970; ``lags/{name}/steps`` (N,), ``…/lags`` (L,) and
    ``…/values`` (N, L); ``traces/{step}/{item}/{name}``, as recorded; ``lstm_studio``, JSON as bytes.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, ABOUT, np.frombuffer(contents.about().encode(), np.uint8))
        steps, walls = contents.times
        _put(archive, "times/steps", steps)
        _put(archive, "times/values", walls)
        for curve in contents.curves():
            _put(archive, f"{curve.group}/{curve.name}/steps", curve.steps)
            _put(archive, f"{curve.group}/{curve.name}/values", curve.values)
        for lags in contents.lags():
            _put(archive, f"lags/{lags.name}/steps", lags.steps)
            _put(archive, f"lags/{lags.name}/lags", lags.lags)
            _put(archive, f"lags/{lags.name}/values", lags.values)
        for trace in contents.traces():
            for name, array in trace.arrays.items():
                _put(archive, f"traces/{trace.step}/{trace.item}/{name}", array)


def _put(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _NO_DATE), "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
