from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from lstm_studio.runs.format import Line
from lstm_studio.runs.like import Status
from lstm_studio.runs.writer import Writer, json_bytes
from lstm_studio.session.watchlist import Watchlist
from lstm_studio.ui.follower import Follower

_SCALARS = Line("scalars", "scalars")


@pytest.fixture
def watchlist(qtbot: QtBot) -> Iterator[Watchlist]:
    watchlist = Watchlist()
    follower = Follower(watchlist)
    yield watchlist
    follower.stop()


def begun(folder: Path) -> Writer:
    folder.mkdir()
    (folder / "run.json").write_text('{"format": 1, "layers": []}')
    return Writer(folder / "rank00000")


def _say(writer: Writer, step: int, loss: float) -> None:
    writer.put(_SCALARS, json_bytes({"rows": [[step, 0.0, {"loss": loss}]]}))


def test_a_training_is_pictured_as_it_grows_and_ends(qtbot: QtBot, watchlist: Watchlist, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    writer = begun(folder)
    _say(writer, 0, 2.5)
    watchlist.add([str(folder)])
    qtbot.waitUntil(lambda: _losses(watchlist, folder) == [2.5])
    first = watchlist.followed[str(folder)].picture
    assert first is not None
    assert first.status is Status.RUNNING
    _say(writer, 7, 0.5)
    qtbot.waitUntil(lambda: _losses(watchlist, folder) == [2.5, 0.5])
    assert first.last_step == 0, "a picture never changes"
    writer.close()
    qtbot.waitUntil(lambda: _status(watchlist, folder) is Status.FINISHED)
    picture = watchlist.followed[str(folder)].picture
    assert picture is not None
    assert picture.last_step == 7
    assert picture.silent < 30.0


def test_a_training_that_has_not_begun_is_tried_again(qtbot: QtBot, watchlist: Watchlist, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    watchlist.add([str(folder)])
    qtbot.waitUntil(lambda: watchlist.followed[str(folder)].error is not None)
    assert "later does not exist" in str(watchlist.followed[str(folder)].error)
    writer = begun(folder)
    _say(writer, 3, 1.0)
    qtbot.waitUntil(lambda: _losses(watchlist, folder) == [1.0])
    assert watchlist.followed[str(folder)].error is None
    writer.close()


def test_only_what_has_changed_is_told(qtbot: QtBot, watchlist: Watchlist, tmp_path: Path) -> None:
    writers = [begun(tmp_path / name) for name in ("a", "b")]
    told: list[frozenset[str]] = []
    folders = [str(tmp_path / name) for name in ("a", "b")]
    for writer in writers:
        _say(writer, 0, 1.0)
        writer.close()
    watchlist.add(folders)
    qtbot.waitUntil(lambda: all(_status(watchlist, Path(folder)) is Status.FINISHED for folder in folders))
    watchlist.pictured.connect(told.append)
    qtbot.wait(600)
    assert told == []


def _losses(watchlist: Watchlist, folder: Path) -> list[float]:
    picture = watchlist.followed[str(folder)].picture
    return [] if picture is None or "loss" not in picture.scalars else picture.scalars["loss"][1].tolist()


def _status(watchlist: Watchlist, folder: Path) -> Status | None:
    picture = watchlist.followed[str(folder)].picture
    return None if picture is None else picture.status
