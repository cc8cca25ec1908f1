"""The worker: newest wins per kind, nothing stale arrives, errors go where they belong, and the thread ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.options import ReadOptions
from lstm_studio.session.compute import Compute, Judge, OpenFile, Request, Warm, WarmUp
from lstm_studio.ui.worker import Worker
from tests.ui.explore.fakes import answer, small_setup
from tests.ui.slow_computer import FakeComputer


class Recorder:
    """A worker with a fake computer, and everything it sends."""

    def __init__(self, computer: FakeComputer) -> None:
        self.computer = computer
        self.worker = Worker(computer)
        self.answers: list[tuple[Request, Any]] = []
        self.refusals: list[tuple[Request, Any]] = []
        self.bugs: list[tuple[Request, Any]] = []
        self.words: list[str] = []
        self.threads: set[int] = set()
        self.worker.answered.connect(self.on_answered)
        self.worker.refused.connect(self.on_refused)
        self.worker.failed.connect(self.on_failed)
        self.worker.progressed.connect(self.on_progressed)

    def on_answered(self, request: Request, found: object) -> None:
        self.threads.add(threading.get_ident())
        self.answers.append((request, found))

    def on_refused(self, request: Request, error: object) -> None:
        self.refusals.append((request, error))

    def on_failed(self, request: Request, error: object) -> None:
        self.bugs.append((request, error))

    def on_progressed(self, request: Request, fraction: float, words: str) -> None:
        assert fraction in (0.5, 0.9)
        self.words.append(words)


@pytest.fixture
def closed(qapp: QApplication) -> Iterator[Recorder]:
    """A worker whose answers wait to be released."""
    recorder = Recorder(FakeComputer(open_gate=False))
    yield recorder
    recorder.worker.stop()


@pytest.fixture
def ready(qapp: QApplication) -> Iterator[Recorder]:
    """A worker that answers at once."""
    recorder = Recorder(FakeComputer())
    yield recorder
    recorder.worker.stop()


def numbered(count: int) -> list[Compute]:
    return [Compute(small_setup(item=index)) for index in range(count)]


def test_an_answer_arrives_on_the_windows_thread(ready: Recorder, qtbot: QtBot) -> None:
    ready.worker.submit(WarmUp())
    qtbot.waitUntil(lambda: len(ready.answers) == 1)
    assert isinstance(ready.answers[0][1], Warm)
    assert ready.threads == {threading.get_ident()}


def test_a_newer_compute_replaces_the_running_and_the_waiting_one(closed: Recorder, qtbot: QtBot) -> None:
    first, *between, last = numbered(5)
    closed.worker.submit(first)
    qtbot.waitUntil(lambda: closed.computer.begun == [first])
    for request in (*between, last):
        closed.worker.submit(request)
    # The gate is still shut: only a running request that gives up lets the next one begin.
    qtbot.waitUntil(lambda: closed.computer.begun == [first, last])
    closed.computer.release()
    qtbot.waitUntil(lambda: closed.worker.idle)
    qtbot.wait(20)
    assert [request for request, _ in closed.answers] == [last]
    assert closed.answers[0][1].setup is last.setup
    assert closed.computer.finished == [last]


def test_a_file_that_is_being_read_is_not_thrown_away_by_a_compute(closed: Recorder, qtbot: QtBot) -> None:
    reading, (compute,) = OpenFile("a.csv", ReadOptions()), numbered(1)
    closed.worker.submit(reading)
    qtbot.waitUntil(lambda: closed.computer.begun == [reading])
    closed.worker.submit(compute)
    closed.computer.release()
    qtbot.waitUntil(lambda: len(closed.answers) == 2)
    assert [request for request, _ in closed.answers] == [reading, compute]


def test_a_newer_file_replaces_an_older_one_and_a_compute_stays(closed: Recorder, qtbot: QtBot) -> None:
    older, newer, (compute,) = OpenFile("a.csv", ReadOptions()), OpenFile("b.csv", ReadOptions()), numbered(1)
    closed.worker.submit(older)
    closed.worker.submit(compute)
    closed.worker.submit(newer)
    closed.computer.release()
    qtbot.waitUntil(lambda: len(closed.answers) == 2)
    assert [request for request, _ in closed.answers] == [newer, compute]


def test_judging_gives_way_to_a_compute(closed: Recorder, qtbot: QtBot) -> None:
    judge, (compute,) = Judge(answer(small_setup())), numbered(1)
    closed.worker.submit(judge)
    qtbot.waitUntil(lambda: closed.computer.begun == [judge])
    closed.worker.submit(compute)
    qtbot.waitUntil(lambda: closed.computer.begun == [judge, compute])
    closed.computer.release()
    qtbot.waitUntil(lambda: len(closed.answers) == 1)
    assert closed.answers[0][0] is compute


def test_requests_wait_for_torch(closed: Recorder, qtbot: QtBot) -> None:
    (compute,) = numbered(1)
    closed.worker.submit(compute)
    qtbot.waitUntil(lambda: closed.computer.begun == [compute])
    newer = Compute(replace(compute.setup, item=1))
    closed.worker.submit(WarmUp())
    closed.worker.submit(newer)
    closed.computer.release()
    qtbot.waitUntil(lambda: len(closed.answers) == 2)
    assert [type(request) for request, _ in closed.answers] == [WarmUp, Compute]


def test_cancelled_work_sends_nothing(closed: Recorder, qtbot: QtBot) -> None:
    reading, (compute,) = OpenFile("a.csv", ReadOptions()), numbered(1)
    closed.worker.submit(reading)
    qtbot.waitUntil(lambda: closed.computer.begun == [reading])
    closed.worker.submit(compute)
    with qtbot.waitSignal(closed.worker.emptied):
        closed.worker.cancel(OpenFile, Compute)
    assert (closed.answers, closed.refusals, closed.bugs) == ([], [], [])
    assert closed.computer.begun == [reading]


def test_a_users_error_and_a_bug_travel_apart(ready: Recorder, qtbot: QtBot) -> None:
    def stumble(request: Request) -> None:
        if isinstance(request, WarmUp):
            raise ZeroDivisionError("a bug")

    ready.computer.rule = stumble
    ready.worker.submit(OpenFile("bad.csv", ReadOptions()))
    qtbot.waitUntil(lambda: len(ready.refusals) == 1)
    assert isinstance(ready.refusals[0][1], SequenceError)
    ready.worker.submit(WarmUp())
    qtbot.waitUntil(lambda: len(ready.bugs) == 1)
    error = ready.bugs[0][1]
    assert isinstance(error, ZeroDivisionError)
    trace = error.__traceback__
    names = []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    assert names[-1] == "stumble"
    # The thread has survived both.
    ready.worker.submit(*numbered(1))
    qtbot.waitUntil(lambda: len(ready.answers) == 1)


def test_progress_is_reported_but_does_not_flood(closed: Recorder, qtbot: QtBot) -> None:
    closed.worker.submit(*numbered(1))
    qtbot.waitUntil(lambda: len(closed.words) >= 2)
    qtbot.wait(100)
    assert set(closed.words) == {"Working"}
    # Working for 100 ms at 2 ms each would be 50 reports.
    assert len(closed.words) < 20


def test_stopping_ends_the_thread_in_the_middle_of_work(qapp: QApplication, qtbot: QtBot) -> None:
    recorder = Recorder(FakeComputer(open_gate=False))
    first, second = numbered(2)
    recorder.worker.submit(first)
    qtbot.waitUntil(lambda: recorder.computer.begun == [first])
    recorder.worker.submit(second)
    recorder.worker.stop()
    thread = recorder.worker.findChild(QThread, "worker")
    assert thread is not None
    assert thread.isFinished()
    qapp.processEvents()
    assert recorder.answers == []
