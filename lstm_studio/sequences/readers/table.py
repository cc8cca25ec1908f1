"""Tables: CSV, TSV, JSON lines and Parquet, read by duckdb and never cell by cell in Python."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lstm_studio.errors import SequenceError
from lstm_studio.progress import Progress
from lstm_studio.sequences.options import ReadOptions, require_memory
from lstm_studio.sequences.reading import Head, Match, Reader, detect_encoding
from lstm_studio.sequences.sequence import SequenceSet

if TYPE_CHECKING:
    from lstm_studio.sequences.readers._relation import Relation

_SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")
_CHECKED_WHOLE = 1 << 26  # bytes up to which the encoding of the whole file is looked at
_CHUNK = 1 << 20


def _recognise(head: Head) -> Match:
    if head.start.startswith(b"PAR1"):
        return Match.CERTAIN
    if head.text is None:
        return Match.NO
    if _is_json(head):
        return Match.LIKELY
    from lstm_studio.sequences.readers._csv import looks_delimited, may_be_delimited

    if looks_delimited(head):
        return Match.LIKELY
    return Match.POSSIBLE if head.suffix in _SUFFIXES and may_be_delimited(head) else Match.NO


def _is_json(head: Head) -> bool:
    if not head.lines or head.lines[0].lstrip()[:1] not in {"{", "["}:
        return False
    if head.suffix in {".jsonl", ".ndjson", ".json"}:
        return True
    try:
        return isinstance(json.loads(head.lines[0]), dict)
    except (ValueError, RecursionError):
        return False


def _read(path: Path, options: ReadOptions, progress: Progress) -> SequenceSet:
    from lstm_studio.sequences.readers import _relation
    from lstm_studio.sequences.readers._duckdb import connection

    head = Head.of(path)
    with connection() as database:
        if head.start.startswith(b"PAR1"):
            return _relation.load(_relation.parquet(database, path), path, options, progress)
        with _as_utf8(path, head, options, progress) as readable:
            relation: Relation
            if _is_json(head):
                relation = _relation.json_lines(database, readable, path, head)
            else:
                relation = _relation.delimited(database, readable, path, head)
            return _relation.load(relation, path, options, progress)


@contextmanager
def _as_utf8(path: Path, head: Head, options: ReadOptions, progress: Progress) -> Iterator[Path]:
    """Give the file itself, or where it is encoded otherwise, a copy in UTF-8 that is removed afterwards."""
    encoding = head.encoding
    if not head.whole and head.size <= _CHECKED_WHOLE:
        encoding = detect_encoding(path.read_bytes(), whole=True)
    if encoding is None:
        raise SequenceError(f"{path} begins like a text, but does not go on as one.", "Save it as UTF-8.")
    if encoding in {"utf-8", "utf-8-sig", "ascii"}:
        yield path
        return
    require_memory(path.name, head.size, "text in another encoding than UTF-8", options)
    decoder = codecs.getincrementaldecoder(encoding)()
    with TemporaryDirectory(prefix="lstm-studio-") as folder:
        copy = Path(folder) / "table"
        with path.open("rb") as source, copy.open("w", encoding="utf-8", newline="") as target:
            while chunk := source.read(_CHUNK):
                target.write(decoder.decode(chunk))
                progress(0.0, f"decoding {encoding}")
            target.write(decoder.decode(b"", final=True))
        yield copy


READER = Reader("table (.csv, .tsv, .jsonl, .parquet)", _SUFFIXES, _recognise, _read)
