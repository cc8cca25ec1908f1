"""Opening a CSV of 1,000,000 rows × 32 columns, beside duckdb alone reading it into NumPy.

The target is at most 1.5 times duckdb's time. Run with ``python benchmarks/sequences_csv.py``.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from lstm_studio.sequences.opening import open_sequence

ROWS, COLUMNS, REPEATS, TARGET = 1_000_000, 32, 7, 1.5


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "numbers.csv"
        write(path)
        alone, opened = [], []
        time_duckdb(path)
        time_opening(path)
        for _ in range(REPEATS):
            alone.append(time_duckdb(path))
            opened.append(time_opening(path))
        size = path.stat().st_size / 1e6
    ratio = statistics.median(opened) / statistics.median(alone)
    print(f"CSV of {ROWS:,} rows × {COLUMNS} columns, {size:.0f} MB, median (fastest) of {REPEATS}, interleaved:")
    print(f"  duckdb fetchnumpy  {statistics.median(alone):.2f} s ({min(alone):.2f} s)")
    print(f"  open_sequence      {statistics.median(opened):.2f} s ({min(opened):.2f} s)")
    print(f"  ratio              {ratio:.2f} (target: at most {TARGET})")
    return 0 if ratio <= TARGET else 1


def write(path: Path) -> None:
    """Write numbers with six decimals in three columns of four, and whole numbers in the fourth."""
    columns = ", ".join(
        f"round(random() * 2 - 1, 6) AS x{index}" if index % 4 else f"(random() * 1000)::INTEGER AS x{index}"
        for index in range(COLUMNS)
    )
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT {columns} FROM range({ROWS})) TO '{path}' (HEADER)")  # noqa: S608 - our own


def time_duckdb(path: Path) -> float:
    start = time.perf_counter()
    with duckdb.connect() as database:
        columns = database.execute("SELECT * FROM read_csv(?)", [str(path)]).fetchnumpy()
    elapsed = time.perf_counter() - start
    assert len(columns) == COLUMNS
    return elapsed


def time_opening(path: Path) -> float:
    start = time.perf_counter()
    sequence = open_sequence(path)[0]
    elapsed = time.perf_counter() - start
    assert sequence.values.shape == (ROWS, COLUMNS)
    return elapsed


if __name__ == "__main__":
    sys.exit(main())
