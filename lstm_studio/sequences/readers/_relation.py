"""A table in duckdb, whatever file it comes from, and its way into NumPy columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.sequences.assembling import assemble
from lstm_studio.sequences.columns import Column, ColumnKind, ColumnRole, named_for_a_role
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.readers import _csv
from lstm_studio.sequences.readers._duckdb import identifier, is_about_the_file, literal, run
from lstm_studio.sequences.reading import Head
from lstm_studio.sequences.sequence import SequenceSet

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_NUMBERS = (*_INTEGERS, "UBIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN")
_DATE_FORMATS = (
    "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%y", "%d/%m/%y", "%d-%b-%Y", "%d-%b-%y",
    "%d %b %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_LIKE_A_NUMBER = r"[-+$€£]?\s*\d[\d.,'  ]*\s*[%$€£]?"
# Columns turned into rows together, a cache line of the row-major matrix, and rows at once, what a cache holds.
_AT_ONCE, _BLOCK = 16, 8_192
_READ, _FETCHED = 0.8, 0.2  # shares of the progress


@dataclass(frozen=True, slots=True)
class Relation:
    """A table that duckdb can read.

    Parameters
    ----------
    database
        The connection.
    sources
        What to select from, in SQL: the first that can be read counts.
    columns
        (name, type in SQL).
    rows
        How many rows there are, estimated for text.
    place
        Row counted from 0 → where that is for the user, ``"line 7"``.
    explain
        Turns what duckdb raised while reading into what is wrong and where.
    wrong_cell
        (column name, row, cell) → the error for text in a column of numbers.
    facts
        How it was read.
    """

    database: duckdb.DuckDBPyConnection
    sources: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    rows: int
    explain: Callable[[duckdb.Error, Progress], SequenceError]
    wrong_cell: Callable[[str, int, str], SequenceError]
    facts: tuple[tuple[str, str], ...] = ()


def delimited(database: duckdb.DuckDBPyConnection, readable: Path, path: Path, head: Head) -> Relation:
    """Describe a CSV, TSV or other delimited text at ``readable``, which users know as ``path``."""
    dialect = _csv.sniff(database, readable, head)
    exact = {name for name, _ in dialect.columns if named_for_a_role(name)}
    columns = tuple(
        (name, "FLOAT" if _is_number(kind) and name not in exact and kind != "BOOLEAN" else kind)
        for name, kind in dialect.columns
    )
    dialect = replace(dialect, columns=columns)
    shown = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "space"}.get(dialect.delimiter, dialect.delimiter)

    sources: tuple[str, ...] = (dialect.source(readable),)
    if all(kind != "VARCHAR" for _, kind in columns):
        # Comparing every cell with every word for "missing" costs a fifth of the time: first with those that are seen.
        sources = (dialect.source(readable, nullstr=_csv.missing_words(head, dialect)), *sources)

    def explain(error: duckdb.Error, progress: Progress) -> SequenceError:
        return _csv.explain(database, dialect, (readable, path), error, progress)

    def wrong_cell(name: str, row: int, cell: str) -> SequenceError:
        # Only the parser knows the line: rows are not lines where cells hold line ends.
        typed = tuple((other, "FLOAT" if other == name else "VARCHAR") for other, _ in columns)
        error = duckdb.ConversionException(f"row {row + 1:,}, column {name!r}: {cell!r} is not a number")
        return _csv.explain(database, replace(dialect, columns=typed), (readable, path), error, ignore_progress)

    return Relation(
        database=database,
        sources=sources,
        columns=columns,
        rows=_estimated_rows(head),
        explain=explain,
        wrong_cell=wrong_cell,
        facts=(("delimiter", shown),) + ((("decimals", "comma"),) if dialect.decimal == "," else ()),
    )


def json_lines(database: duckdb.DuckDBPyConnection, readable: Path, path: Path, head: Head) -> Relation:
    """Describe JSON lines, or an array of JSON objects, at ``readable``, which users know as ``path``."""
    sql = f"read_json({_csv.file_pattern(readable)}, hive_partitioning = false, maximum_object_size = 67108864)"

    def explain(error: duckdb.Error, _: Progress) -> SequenceError:
        return _broken_json(readable, path) or SequenceError(
            f"{path} cannot be read as JSON lines: {_csv.first_line(error)}", "Write one object on each line."
        )

    columns = _describe(database, sql, explain)
    if [name for name, _ in columns] == ["json"]:
        raise SequenceError(
            f"{path} holds JSON, but not an object with named values on each line.",
            'Write one object on each line, like {"time": 1, "x": 0.5}.',
        )
    return Relation(
        database=database,
        sources=(sql,),
        columns=columns,
        rows=_estimated_rows(head),
        explain=explain,
        wrong_cell=lambda name, row, cell: _csv.not_a_number(f"{path}, line {row + 1:,}", name, cell),
    )


def parquet(database: duckdb.DuckDBPyConnection, path: Path) -> Relation:
    """Describe a Parquet file."""
    sql = f"read_parquet({_csv.file_pattern(path)}, hive_partitioning = false)"

    def explain(error: duckdb.Error, _: Progress) -> SequenceError:
        return SequenceError(
            f"{path} is not a whole Parquet file: {_csv.first_line(error)}", "Save or download it again."
        )

    columns = _describe(database, sql, explain)
    counted = database.execute(f"SELECT count(*) FROM {sql}").fetchone()
    return Relation(
        database=database,
        sources=(sql,),
        columns=columns,
        rows=0 if counted is None else int(counted[0]),
        explain=explain,
        wrong_cell=lambda name, row, cell: _csv.not_a_number(f"{path}, row {row + 1:,}", name, cell),
    )


def load(relation: Relation, path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    """Read a relation into columns and assemble them into sequences.

    Raises
    ------
    SequenceError
        Nothing is in it, a cell does not fit its column, or its columns cannot be followed as asked.
    """
    database = relation.database
    selected, kinds = _select(relation, path, options)
    bytes_a_row = sum(24 if kind is ColumnKind.TEXT else 8 for kind in kinds.values())
    contents = f"about {relation.rows:,} rows × {len(kinds)} columns"
    words = require_memory(path.name, relation.rows * bytes_a_row, contents, options)
    # Only text has to be looked at before it is known what it holds: numbers go straight to NumPy.
    with_texts = ColumnKind.TEXT in kinds.values()
    statement = f"{'CREATE OR REPLACE TEMP TABLE cells AS ' if with_texts else ''}SELECT {selected}"
    found = _execute(relation, statement, progress, words)
    if with_texts:
        for name, kind in kinds.items():
            if kind is ColumnKind.TEXT:
                kinds[name] = _settle_text(relation, name, options)
        listed = ", ".join(identifier(name) for name, kind in kinds.items() if kind is not ColumnKind.TEXT)
        found = database.execute(f"SELECT {listed or 'rowid'} FROM cells").fetchnumpy()
    rows = len(next(iter(found.values())))
    if not rows:
        raise SequenceError(f"{path} has a header, but no rows.", "Choose a file that holds at least one row.")
    columns, matrix = _columns(database, kinds, found, lambda done: progress(_READ + _FETCHED * done, words))
    return assemble(columns, options, source=str(path), name=path.stem, matrix=matrix, facts=relation.facts)


def _execute(relation: Relation, statement: str, progress: Progress, words: str) -> dict[str, NDArray[np.generic]]:
    """Run a statement without its FROM clause, with each source in turn until one can be read."""
    failed: duckdb.Error | None = None
    for source in relation.sources:
        try:
            return run(
                relation.database, f"{statement} FROM {source}", lambda done, said: progress(_READ * done, said), words
            )
        except duckdb.OutOfMemoryException as error:
            raise MemoryError(str(error)) from error
        except duckdb.Error as error:
            if not is_about_the_file(error):
                raise
            failed = error
    if failed is None:
        raise ValueError("a relation has at least one source")
    raise relation.explain(failed, progress) from failed


def _select(relation: Relation, path: Path, options: ReadOptions) -> tuple[str, dict[str, ColumnKind]]:
    """Return what to select of each column, in SQL, and what it will hold."""
    expressions: list[str] = []
    kinds: dict[str, ColumnKind] = {}
    for name, declared in relation.columns:
        column = identifier(name)
        exact = named_for_a_role(name) or options.columns.get(name, ColumnRole.FEATURE) is not ColumnRole.FEATURE
        if _is_number(declared):
            whole = declared in _INTEGERS
            expression = f"{column}::{('BIGINT' if whole else 'DOUBLE') if exact else 'FLOAT'}"
            kinds[name] = ColumnKind.NUMBER
        elif declared == "TIME":
            expression, kinds[name] = f"epoch({column})", ColumnKind.NUMBER
        elif declared == "DATE" or declared.startswith("TIMESTAMP"):
            zoned = declared == "TIMESTAMP WITH TIME ZONE"
            # No cast to TIMESTAMP: duckdb would move it into the CSV parser, which then overlooks the date format.
            expression = f"{column} AT TIME ZONE 'UTC'" if zoned else column
            kinds[name] = ColumnKind.DATE
        elif declared in {"VARCHAR", "UUID"} or declared.startswith("ENUM"):
            expression, kinds[name] = f"{column}::VARCHAR", ColumnKind.TEXT
        elif declared == "JSON":
            expression, kinds[name] = f"{column} ->> '$'", ColumnKind.TEXT
        elif options.columns.get(name) is ColumnRole.IGNORE:
            continue
        else:
            raise SequenceError(
                f"{path}, column {name!r} holds {declared}, neither numbers nor text nor dates.",
                "Write one value in each cell, or give the column the role 'ignore' (ReadOptions.columns).",
            )
        expressions.append(f"{expression} AS {column}")
    if not expressions:
        raise SequenceError(f"{path} has no column that can be read.", "Choose a file with columns of numbers or text.")
    return ", ".join(expressions), kinds


def _settle_text(relation: Relation, name: str, options: ReadOptions) -> ColumnKind:
    """Return what a column of text really holds, and turn it into that; refuse text among numbers."""
    database, column = relation.database, identifier(name)
    known, numbers, alike = database.execute(
        f"SELECT count({column}), count(TRY_CAST({column} AS DOUBLE)), "
        f"count(*) FILTER (regexp_full_match({column}, {literal(_LIKE_A_NUMBER)})) FROM cells"
    ).fetchall()[0]
    if numbers == known:
        return _turn(database, name, f"CAST({column} AS DOUBLE)", ColumnKind.NUMBER)
    chosen = options.columns.get(name)
    if chosen is not ColumnRole.IGNORE and (date_format := _date_format(database, column, known)):
        return _turn(database, name, f"strptime({column}, {literal(date_format)})", ColumnKind.DATE)
    symbolic = {ColumnRole.LABEL, ColumnRole.GROUP, ColumnRole.IGNORE}
    if max(numbers, alike) > 0.5 * known and chosen not in symbolic:
        row, cell = database.execute(
            f"SELECT rowid, {column} FROM cells WHERE {column} IS NOT NULL AND TRY_CAST({column} AS DOUBLE) IS NULL "
            "ORDER BY rowid LIMIT 1"
        ).fetchall()[0]
        raise relation.wrong_cell(name, row, cell)
    return ColumnKind.TEXT


def _turn(database: duckdb.DuckDBPyConnection, name: str, expression: str, kind: ColumnKind) -> ColumnKind:
    kept = "DOUBLE" if kind is ColumnKind.NUMBER else "TIMESTAMP"
    database.execute(f"ALTER TABLE cells ALTER {identifier(name)} TYPE {kept} USING {expression}")
    return kind


def _date_format(database: duckdb.DuckDBPyConnection, column: str, known: int) -> str | None:
    """Return the format in which every cell is a date, None where there is none."""
    for date_format in _DATE_FORMATS:
        parsed = f"try_strptime({column}, {literal(date_format)})"
        first = f"SELECT {parsed} IS NOT NULL FROM cells WHERE {column} IS NOT NULL LIMIT 1"
        if _one(database, first) and _one(database, f"SELECT count({parsed}) FROM cells") == known:
            return date_format
    return None


def _columns(
    database: duckdb.DuckDBPyConnection,
    kinds: dict[str, ColumnKind],
    found: dict[str, NDArray[np.generic]],
    report: Callable[[float], None],
) -> tuple[tuple[Column, ...], NDArray[np.float32]]:
    """Return the columns, and the matrix that float32 number columns are columns of."""
    plain = [name for name, kind in kinds.items() if kind is ColumnKind.NUMBER and found[name].dtype == np.float32]
    rows = len(next(iter(found.values())))
    matrix = np.empty((rows, len(plain)), np.float32)
    for start in range(0, len(plain), _AT_ONCE):
        report(start / len(kinds))
        names = plain[start : start + _AT_ONCE]
        parts = [_filled(found.pop(name)) for name in names]
        for row in range(0, rows, _BLOCK):
            block = np.array([part[row : row + _BLOCK] for part in parts])
            matrix[row : row + _BLOCK, start : start + len(names)] = block.T
    cells = {name: Column(name, ColumnKind.NUMBER, matrix[:, index]) for index, name in enumerate(plain)}
    for name, kind in kinds.items():
        if name in cells:
            continue
        report(len(cells) / len(kinds))
        if kind is ColumnKind.TEXT:
            cells[name] = _text_column(database, name)
        else:
            array = _filled(found[name])
            cells[name] = Column(name, kind, array.astype("datetime64[ns]") if kind is ColumnKind.DATE else array)
    return tuple(cells[name] for name in kinds), matrix


def _text_column(database: duckdb.DuckDBPyConnection, name: str) -> Column:
    """Return a column of codes: duckdb numbers the texts, so that no cell becomes a Python object."""
    column = identifier(name)
    database.execute(
        "CREATE OR REPLACE TEMP TABLE symbols AS "
        "SELECT text, (row_number() OVER (ORDER BY text) - 1)::INTEGER AS code "
        f"FROM (SELECT DISTINCT {column} AS text FROM cells WHERE {column} IS NOT NULL)"
    )
    texts = tuple(text for (text,) in database.execute("SELECT text FROM symbols ORDER BY code").fetchall())
    found = database.execute(
        "SELECT coalesce(code, -1)::INTEGER AS code "
        f"FROM cells LEFT JOIN symbols ON {column} = text ORDER BY cells.rowid"
    ).fetchnumpy()
    return Column(name, ColumnKind.TEXT, np.asarray(found["code"]), texts)


def _filled(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the array with NaN or NaT for what is missing."""
    if not isinstance(array, np.ma.MaskedArray):
        return array
    if array.dtype.kind == "M":
        return np.ma.filled(array, np.datetime64("NaT"))
    return np.ma.filled(array if array.dtype.kind == "f" else array.astype(np.float64), np.nan)


def _describe(
    database: duckdb.DuckDBPyConnection, sql: str, explain: Callable[[duckdb.Error, Progress], SequenceError]
) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((name, kind) for name, kind, *_ in database.execute(f"DESCRIBE FROM {sql}").fetchall())
    except duckdb.Error as error:
        if not is_about_the_file(error):
            raise
        raise explain(error, ignore_progress) from error


def _broken_json(readable: Path, path: Path) -> SequenceError | None:
    """Return which line is not JSON, None where all are."""
    with readable.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            try:
                json.loads(line.rstrip() or "null")
            except json.JSONDecodeError as error:
                return SequenceError(
                    f"{path}, line {number:,}, column {error.colno} is not JSON: {error.msg}.",
                    "Write one whole object on each line.",
                )
            except RecursionError:
                return SequenceError(
                    f"{path}, line {number:,} nests lists or objects too deeply.",
                    "Write one whole object on each line.",
                )
    return None


def _estimated_rows(head: Head) -> int:
    """Return about how many rows a text has, from the length of its first lines."""
    lines = max(1, head.start.count(b"\n"))
    return max(1, lines * head.size // len(head.start))


def _is_number(declared: str) -> bool:
    return declared in _NUMBERS or declared.startswith("DECIMAL")


def _one(database: duckdb.DuckDBPyConnection, sql: str) -> int:
    found = database.execute(sql).fetchone()
    return 0 if found is None else int(found[0])
