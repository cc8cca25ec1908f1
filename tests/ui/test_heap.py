"""Threads share one heap, where glibc would give each its own."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from lstm_studio.ui import heap

# Each thread keeps what it got until all have got theirs, of a size that is not mapped apart from the heap.
_ELSEWHERE = """
import sys, threading
import numpy as np
from lstm_studio.ui.app import make_application

if sys.argv[1] == "window":
    make_application()
all_there, made = threading.Barrier(4), []

def work():
    all_there.wait()
    made.append(np.ones(8_000))
    all_there.wait()

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
try:
    with open("/proc/self/maps") as maps:
        ends = [line.split()[0].split("-") for line in maps if line.endswith("[heap]\\n")]
except FileNotFoundError:
    ends = []
spans = [(int(first, 16), int(last, 16)) for first, last in ends]
print(sum(not any(first <= array.ctypes.data < last for first, last in spans) for array in made))
"""


def test_all_threads_of_the_window_take_memory_from_one_heap() -> None:
    def elsewhere(how: str) -> int:
        line = [sys.executable, "-c", _ELSEWHERE, how]
        return int(subprocess.run(line, check=True, capture_output=True, text=True).stdout)

    asked, left = elsewhere("window"), elsewhere("nothing")
    # Of another C library nothing is asked.
    assert (asked, left) == ((0, 4) if platform.libc_ver()[0] == "glibc" else (left, left))


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def without(name: None) -> object:
        asked.append(name)
        return object()

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", without)
    heap.share_heap()
    assert asked == [None]


def test_nothing_is_asked_of_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", asked.append)
    heap.share_heap()
    assert asked == []
