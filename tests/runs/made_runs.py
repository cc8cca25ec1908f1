"""Runs made record by record, without a recorder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lstm_studio.runs.format import Line, chunk, introduction, segment_end, segment_start
from lstm_studio.runs.writer import json_bytes

Said = tuple[str, str, bytes]
"""Topic, schema, payload."""


def segment(folder: Path, rank: int = 0, number: int = 1) -> Path:
    return folder / f"rank{rank:05d}" / f"{number:06d}.mcap"


def segment_bytes(said: Iterable[Said], *, closed: bool = False) -> bytes:
    """Return a segment whose records are these."""
    parts = [segment_start("somebody")]
    for number, (topic, schema, payload) in enumerate(said, 1):
        line = number % 60_000 + 1
        parts.append(chunk(introduction(Line(topic, schema), line), line, number - 1, number, payload))
    return b"".join([*parts, segment_end() if closed else b""])


def made(folder: Path, *said: Said, about: object = None, closed: bool = False) -> Path:
    """Make a run whose records are these."""
    (folder / "rank00000").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(about or {"format": 1, "layers": []}))
    segment(folder).write_bytes(segment_bytes(said, closed=closed))
    return folder


def scalars(step: int, **values: float) -> Said:
    return "scalars", "scalars", json_bytes({"rows": [[step, 0.0, values]]})


def event(kind: str, **about: Any) -> Said:
    return "events", "events", json_bytes({"event": kind, "wall": 0.0, **about})


def lags(step: int, rows: dict[str, Any], path: str = "lstm", **more: Any) -> Said:
    return f"layer/{path}", "statistics", json_bytes({"step": step, "lags": rows, **more})
