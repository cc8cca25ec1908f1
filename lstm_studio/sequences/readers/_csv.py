"""Delimited text: its dialect, its columns, and where in it something is wrong."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.readers._duckdb import is_about_the_file, literal, run
from lstm_studio.sequences.reading import Head

MISSING = ("", "NA", "N/A", "n/a", "NULL", "null", "None", "?", "-")
"""Cells that stand for a missing value, beside ``NaN``."""
_DELIMITERS = ",;\t| "
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|nan|[-+]?inf(inity)?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+([eE][-+]?\d+)?\s*")
_SNIFFED = "Delimiter, Quote, Escape, Comment, SkipRows, HasHeader, Columns, DateFormat, TimestampFormat"
_LOOKED_AT = 200  # lines
_WORDS = 4  # a line with more is a sentence, where nothing delimits cells
_REJECTS = 100_000
_CHUNK = 1 << 24  # bytes


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a delimited text is to be read; ``columns`` are (name, type in SQL)."""

    delimiter: str
    quote: str
    escape: str
    comment: str
    skip: int
    header: bool
    columns: tuple[tuple[str, str], ...]
    date_format: str = ""
    timestamp_format: str = ""
    decimal: str = "."

    def source(self, path: Path, **more: str) -> str:
        """Return the table function that reads ``path`` in this dialect, as SQL."""
        columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in self.columns)
        options = {
            "auto_detect": "false",
            "delim": literal(self.delimiter),
            "quote": literal(self.quote),
            "escape": literal(self.escape),
            "comment": literal(self.comment),
            "skip": str(self.skip),
            "header": "true" if self.header else "false",
            "columns": f"{{{columns}}}",
            "decimal_separator": literal(self.decimal),
            "nullstr": _listed(MISSING),
            "hive_partitioning": "false",
            "max_line_size": "16777216",
            **more,
        }
        if self.date_format:
            options["dateformat"] = literal(self.date_format)
        if self.timestamp_format:
            options["timestampformat"] = literal(self.timestamp_format)
        return f"read_csv({file_pattern(path)}, {', '.join(f'{key} = {value}' for key, value in options.items())})"


def looks_delimited(head: Head) -> bool:
    """Return whether the lines have the same number of cells, and numbers in at least one column."""
    lines = _data_lines(head)
    if not lines:
        return False
    delimiter = guess_delimiter(lines)
    rows = _rows(lines, delimiter or ",")
    if not rows:
        return False
    width = Counter(map(len, rows)).most_common(1)[0][0]
    body = [row for row in rows[1:] or rows if len(row) == width]
    if delimiter is None and len(body) < 2:
        return False
    return any(sum(_is_number(row[column]) for row in body) > 0.5 * len(body) for column in range(width))


def may_be_delimited(head: Head) -> bool:
    """Return whether the text could be a table, if a poor one: prose is not, whatever its suffix."""
    lines = _data_lines(head)
    wordy = sum(len(line.split()) > _WORDS for line in lines)
    return guess_delimiter(lines) is not None or 2 * wordy < len(lines)


def guess_delimiter(lines: list[str]) -> str | None:
    """Return the delimiter that cuts most lines into the same number of cells, None where no one cuts them."""
    best, best_score = None, 0.6
    if not lines:
        return None
    for delimiter in _DELIMITERS:
        widths = Counter(map(len, _rows(lines, delimiter)))
        width, count = widths.most_common(1)[0] if widths else (0, 0)
        if width > 1 and count / len(lines) > best_score:
            best, best_score = delimiter, count / len(lines)
    return best


def sniff(database: duckdb.DuckDBPyConnection, path: Path, head: Head) -> Dialect:
    """Find the dialect and the types of the columns from the beginning of a file.

    duckdb's sniffer does it, but takes a file with ragged rows for a single column: where the lines clearly have a
    delimiter, it is told so.
    """
    lines = _data_lines(head)
    guess = guess_delimiter(lines)
    dialect = _sniff(database, path, {})
    if guess is not None and (dialect is None or dialect.delimiter not in lines[0]):
        dialect = _sniff(database, path, {"delim": literal(guess)})
    if dialect is None or _skips_numbers(dialect, head):
        return _fallback(lines, guess or ",")
    if dialect.delimiter != "," and _has_decimal_commas(dialect, lines):
        commas = _sniff(database, path, {"delim": literal(dialect.delimiter), "decimal_separator": "','"})
        dialect = replace(commas or dialect, decimal=",")
    if not dialect.header:
        named = tuple((f"column {index + 1}", kind) for index, (_, kind) in enumerate(dialect.columns))
        dialect = replace(dialect, columns=named)
    return dialect


def explain(
    database: duckdb.DuckDBPyConnection,
    dialect: Dialect,
    paths: tuple[Path, Path],
    error: duckdb.Error,
    progress: Progress,
) -> SequenceError:
    """Return what is wrong with a file that could not be read, and where: read it once more, noting what is rejected.

    Parameters
    ----------
    database
        Any connection.
    dialect
        As the file was read.
    paths
        The file to read, and what the message should call it.
    error
        What duckdb said, for what leaves no trace among the rejects.
    progress
        May cancel.
    """
    readable, path = paths
    source = dialect.source(readable, store_rejects="true", rejects_limit=str(_REJECTS))
    try:
        run(database, f"CREATE OR REPLACE TEMP TABLE rejected AS FROM {source}", progress, "looking for the error")
        rejects = database.execute(
            "SELECT line_byte_position, column_idx, column_name, error_type, error_message FROM reject_errors "
            "ORDER BY line, column_idx"
        ).fetchall()
    except duckdb.Error:
        rejects = []
    if not rejects and not readable.exists():
        return SequenceError(f"{path} went away while it was read.", "Put it back, or open another file.")
    if not rejects:
        return SequenceError(f"{path} cannot be read as a table: {first_line(error)}", "Correct it, or save it again.")
    position, index, column, kind, message = rejects[0]
    line = _line_at(readable, position)
    others = len({position for position, *_ in rejects}) - 1
    more = f" (and {others:,} more such line{'s' if others > 1 else ''})" if others else ""
    if kind == "CAST":
        cell = re.search(r'string "(.*)" to', message, re.DOTALL)
        wanted = "date" if "DATE" in message or "TIMESTAMP" in message else "number"
        return not_a_number(f"{path}, line {line:,}", column, cell.group(1) if cell else "the cell", wanted, more)
    if kind in {"MISSING COLUMNS", "TOO MANY COLUMNS"}:
        found = re.search(r"Found: (\d+)", message)
        cells = found.group(1) if found else str(index)
        return SequenceError(
            f"{path}, line {line:,} has {cells} cells, but there are {len(dialect.columns)} columns{more}.",
            "Give every row the same number of cells; put quotes around text that holds the delimiter "
            f"{dialect.delimiter!r}.",
        )
    return SequenceError(f"{path}, line {line:,}: {str(message).splitlines()[0].rstrip('.')}{more}.", _cure(kind))


def not_a_number(where: str, column: str, cell: str, wanted: str = "number", more: str = "") -> SequenceError:
    """Return the error for a cell that does not fit its column."""
    return SequenceError(
        f"{where}, column {column!r}: {cell[:40]!r} is not a {wanted}{more}.",
        "Correct it: leave the cell empty or write NaN where a value is missing, write numbers plainly (1234.5), dates "
        "like 2024-01-31.",
    )


def file_pattern(path: Path) -> str:
    """Return the path as duckdb wants it in SQL: without a character that would make it match other files."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path.absolute())))


def first_line(error: duckdb.Error) -> str:
    """Return the first line of what duckdb said, without its kind, as a sentence."""
    return str(error).splitlines()[0].split("Error: ", 1)[-1].rstrip(". ") + "."


def _line_at(path: Path, position: int) -> int:
    """Return the line at a byte, counted from 1; duckdb itself counts rows, which differ where cells hold line ends."""
    line = 1
    with path.open("rb") as file:
        while position > 0 and (chunk := file.read(min(position, _CHUNK))):
            line += chunk.count(b"\n")
            position -= len(chunk)
    return line


def missing_words(head: Head, dialect: Dialect) -> str:
    """Return the words for a missing value that the first lines use, and the empty cell, as a list in SQL."""
    cells = {cell for row in _rows(_data_lines(head), dialect.delimiter) for cell in row}
    return _listed([word for word in MISSING if not word or word in cells])


def _listed(words: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, words))}]"


def _sniff(database: duckdb.DuckDBPyConnection, path: Path, more: dict[str, str]) -> Dialect | None:
    options = "".join(f", {key} = {value}" for key, value in {"nullstr": _listed(MISSING), **more}.items())
    try:
        found = database.execute(f"SELECT {_SNIFFED} FROM sniff_csv({file_pattern(path)}{options})").fetchone()
    except duckdb.Error as error:
        if is_about_the_file(error):
            return None
        raise
    if found is None:
        return None
    texts = ["" if part is None or part == "(empty)" else str(part) for part in found]
    delimiter, quote, escape, comment = texts[:4]
    columns = tuple((column["name"], column["type"]) for column in found[6])
    return Dialect(delimiter or ",", quote, escape, comment, int(found[4]), bool(found[5]), columns, *texts[7:9])


def _skips_numbers(dialect: Dialect, head: Head) -> bool:
    """Return whether rows of numbers are among what the sniffer takes for words before the table.

    It does so where rows are ragged, and they would be lost without a word.
    """
    skipped = [line for line in head.lines[: dialect.skip] if not line.startswith("#")]
    rows = _rows(skipped, dialect.delimiter)
    return any(len(row) > 1 and all(map(_is_number, row)) for row in rows)


def _fallback(lines: list[str], delimiter: str) -> Dialect:
    """Return a plain dialect for a file that the sniffer cannot make sense of, so that reading it names the place."""
    first = next(iter(_rows(lines[:1], delimiter)), [""])
    header = not any(map(_is_number, first))
    names = [cell.strip() or f"column {index + 1}" for index, cell in enumerate(first)] if header else []
    if len(set(names)) < len(first):
        names = [f"column {index + 1}" for index in range(len(first))]
    return Dialect(delimiter, '"', '"', "", 0, header, tuple((name, "VARCHAR") for name in names))


def _data_lines(head: Head) -> list[str]:
    return [line for line in head.lines if not line.startswith("#")][:_LOOKED_AT]


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    """Return the cells of each line; none where a cell is longer than any cell of a table."""
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []


def _has_decimal_commas(dialect: Dialect, lines: list[str]) -> bool:
    rows = _rows(lines, dialect.delimiter)[dialect.skip + dialect.header :]
    for index, (_, kind) in enumerate(dialect.columns):
        cells = [row[index] for row in rows if index < len(row) and row[index].strip() not in MISSING]
        commas = sum(_DECIMAL_COMMA.fullmatch(cell) is not None for cell in cells)
        plain = sum(_is_number(cell) for cell in cells)
        if kind == "VARCHAR" and commas and commas + plain > 0.5 * len(cells):
            return True
    return False


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None or _DECIMAL_COMMA.fullmatch(cell) is not None


def _cure(kind: str) -> str:
    cures = {
        "UNQUOTED VALUE": "Close the quotes, or leave them out.",
        "INVALID ENCODING": "Save the file as UTF-8.",
        "INVALID UNICODE": "Save the file as UTF-8.",
    }
    return cures.get(kind, "Correct that line.")
