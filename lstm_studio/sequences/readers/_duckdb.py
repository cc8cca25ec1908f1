"""Running duckdb so that it reports progress, can be cancelled, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
from numpy.typing import NDArray

from lstm_studio.progress import Progress

_POLL = 0.05  # seconds between two reports

_MISTAKES = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException)


def is_about_the_file(error: duckdb.Error) -> bool:
    """Return whether the file is at fault, not the statement: damage to a file has no exception of its own."""
    return not isinstance(error, (*_MISTAKES, duckdb.InterruptException, duckdb.OutOfMemoryException))


@contextmanager
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database in memory of its own; what it spills to disk is removed when it closes."""
    with TemporaryDirectory(prefix="lstm-studio-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": spill,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        database = duckdb.connect(":memory:", config=config)
        try:
            database.execute("SET enable_progress_bar = true")
            database.execute("SET enable_progress_bar_print = false")
            database.execute("SET progress_bar_time = 0")
            yield database
        finally:
            database.close()


def run(
    database: duckdb.DuckDBPyConnection, sql: str, progress: Progress, words: str
) -> dict[str, NDArray[np.generic]]:
    """Execute a statement while ``progress`` is told how far it is; what that raises interrupts the statement.

    Returns
    -------
    dict
        Column name → array of the result, masked where values are missing.
    """
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_fetch, database, sql)
        try:
            while not wait([running], _POLL).done:
                progress(max(database.query_progress(), 0.0) / 100, words)
        except BaseException:
            database.interrupt()
            wait([running])
            raise
        return running.result()


def _fetch(database: duckdb.DuckDBPyConnection, sql: str) -> dict[str, NDArray[np.generic]]:
    found: dict[str, NDArray[np.generic]] = database.execute(sql).fetchnumpy()
    return found


def identifier(name: str) -> str:
    """Quote a column name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"
