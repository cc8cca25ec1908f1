"""A run as one table in a Parquet file: a row for each number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.progress import Progress
from lstm_studio.runs.export.contents import ABOUT, Contents, Group

if TYPE_CHECKING:
    import duckdb

SHARE = 0.6
"""Of the work, what comes before the file is written."""
_KINDS = {Group.SCALARS: "scalar", Group.STATISTICS: "statistic", Group.PARAMETERS: "parameter"}
_LAG, _TRACE = "lag", "trace"
_MOST_ROWS = 2**20
_USUAL_ROWS = 2**17
_MEMORY = "600MB"
_NOTHING = -1
"""What becomes NULL."""

# The database is thrown away: to tidy it up at the end would take as long again as to fill it.
_SETTINGS = """
SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0;
PRAGMA disable_checkpoint_on_shutdown
"""
_TABLES = """
CREATE TABLE numbers (
    code INTEGER, step BIGINT, wall DOUBLE, item BIGINT, time INTEGER, lag BIGINT, unit INTEGER, value DOUBLE
);
CREATE TABLE names (code INTEGER, kind VARCHAR, name VARCHAR)
"""
# duckdb takes what is not a number in NumPy's arrays for NULL, which is right of times only.
_INSERT = """
INSERT INTO numbers SELECT
    code, step, wall, nullif(item, -1), nullif(time, -1), nullif(lag, -1), nullif(unit, -1), coalesce(value, 'nan')
FROM block
"""
# Lists, and no join, which would mix the rows up.
_SELECT = """
SELECT (SELECT list(kind ORDER BY code) FROM names)[code + 1] AS kind,
    (SELECT list(name ORDER BY code) FROM names)[code + 1] AS name, step, wall, item, time, lag, unit, value
FROM numbers
"""
_TYPES = {"code": np.int32, "step": np.int64, "wall": np.float64, "item": np.int64}
_TYPES |= {"time": np.int32, "lag": np.int64, "unit": np.int32, "value": np.float64}

Block = dict[str, NDArray[Any]]


def write_parquet(contents: Contents, path: Path, progress: Progress) -> None:
    """Write the table: ``kind``, ``name``, ``step``, ``wall``, ``item``, ``time``, ``lag``, ``unit``, ``value``.

    It is gathered in a database beside the file first, so that a long run needs no more memory than a short one.

    Parameters
    ----------
    contents
        The run.
    path
        Of the file; the folder is this one's alone.
    progress
        Told how far the writing of the file is.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import duckdb

    from lstm_studio.sequences.readers._duckdb import is_about_the_file

    database: duckdb.DuckDBPyConnection | None = None
    try:
        database = duckdb.connect(
            path.with_name("numbers.duckdb"),
            config={
                "memory_limit": _MEMORY,
                "temp_directory": str(path.with_name("spill")),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        _write(database, contents, path, progress)
    except duckdb.Error as error:
        if not is_about_the_file(error) and not isinstance(error, duckdb.OutOfMemoryException):
            raise
        raise OSError(str(error).strip().splitlines()[0][:300]) from error
    finally:
        if database is not None:
            # It may fail once more on what failed before.
            with suppress(duckdb.Error):
                database.close()


def _write(database: duckdb.DuckDBPyConnection, contents: Contents, path: Path, progress: Progress) -> None:
    from lstm_studio.sequences.readers._duckdb import literal, run

    database.execute(_SETTINGS)
    database.execute(_TABLES)
    codes: dict[tuple[str, str], int] = {}
    waiting: list[Block] = []
    rows = 0
    for block in _blocks(contents, codes):
        waiting.append(block)
        rows += len(block["value"])
        if rows >= _USUAL_ROWS:
            _insert(database, waiting)
            rows = 0
            contents.tell()
    _insert(database, waiting)
    names = {
        "code": np.arange(len(codes), dtype=np.int32),
        "kind": np.array([kind for kind, _ in codes], object),
        "name": np.array([name for _, name in codes], object),
    }
    if codes:
        database.register("known", names)
        database.execute("INSERT INTO names SELECT code, kind, name FROM known")
        database.unregister("known")
    options = f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{ABOUT}: {literal(contents.about())}}}"
    run(database, f"COPY ({_SELECT}) TO {literal(str(path))} ({options})", _Rest(progress), "Writing the Parquet file")


class _Rest:
    """Tells of the work that is left when everything has been gathered."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, fraction: float, words: str) -> None:
        self._progress(SHARE + (1 - SHARE) * max(fraction, 0.0), words)


def _insert(database: duckdb.DuckDBPyConnection, blocks: list[Block]) -> None:
    if blocks:
        whole = {name: np.concatenate([block[name] for block in blocks]) for name in _TYPES}
        blocks.clear()
        database.register("block", whole)
        database.execute(_INSERT)
        database.unregister("block")


def _blocks(contents: Contents, codes: dict[tuple[str, str], int]) -> Iterator[Block]:
    """Yield the rows, a bounded number at a time; the names that come up are added to ``codes``."""
    for curve in contents.curves():
        code = codes.setdefault((_KINDS[curve.group], curve.name), len(codes))
        walls = contents.walls_at(curve.steps)
        for some in _parts(len(curve.steps), 1):
            yield _block(code=code, step=curve.steps[some], wall=walls[some], value=curve.values[some])
    for lags in contents.lags():
        code = codes.setdefault((_LAG, lags.name), len(codes))
        walls, width = contents.walls_at(lags.steps), len(lags.lags)
        for some in _parts(len(lags.steps), width):
            steps = lags.steps[some]
            yield _block(
                code=code,
                step=np.repeat(steps, width),
                wall=np.repeat(walls[some], width),
                lag=np.tile(lags.lags, len(steps)),
                value=lags.values[some].ravel(),
            )
    for trace in contents.traces():
        wall = contents.walls_at(np.array([trace.step]))[0]
        for name, array in trace.arrays.items():
            code = codes.setdefault((_TRACE, name), len(codes))
            rows = array.reshape(len(array), -1)
            width = rows.shape[1]
            for some in _parts(len(rows), width):
                times = np.arange(len(rows))[some]
                yield _block(
                    code=code,
                    step=trace.step,
                    wall=wall,
                    item=trace.item,
                    time=np.repeat(times, width),
                    unit=np.tile(np.arange(width), len(times)) if array.ndim > 1 else _NOTHING,
                    value=rows[some].ravel(),
                )


def _parts(rows: int, width: int) -> Iterator[slice]:
    """Yield parts of a table, each with not too many numbers."""
    step = max(1, _MOST_ROWS // max(1, width))
    for first in range(0, rows, step):
        yield slice(first, first + step)


def _block(**columns: Any) -> Block:
    """Return rows as columns; one that is a single number has it in every row, one that is missing has nothing."""
    count = len(columns["value"])
    missing = {"wall": np.nan}
    return {
        name: np.broadcast_to(np.asarray(columns.get(name, missing.get(name, _NOTHING))).astype(dtype), count)
        for name, dtype in _TYPES.items()
    }
