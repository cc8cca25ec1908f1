"""Libraries keep little of what they used: threads share one heap, and few kernels wait for their length again."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from lstm_studio.ui import heap

_TUNABLES = {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}
"""By which whoever starts a program can have what the window asks for."""

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
        untold = {name: value for name, value in os.environ.items() if name not in _TUNABLES}
        return int(subprocess.run(line, check=True, capture_output=True, text=True, env=untold).stdout)

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


_CAPACITY = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
_LENGTHS = """
import sys

if sys.argv[1] == "window":
    import lstm_studio.ui.app
import torch

print(torch.backends.mkldnn.is_available())
network = torch.nn.LSTM(2, 3)
for few in (20, 20, 40, 40, 100, 100):
    print("round")
    for length in range(1, few + 1):
        with torch.no_grad():
            network(torch.zeros(length, 1, 2))
"""


def test_few_kernels_are_kept_for_lengths_that_may_come_again() -> None:
    def made_again(how: str) -> tuple[str, list[int]]:
        line = [sys.executable, "-c", _LENGTHS, how]
        spoken = os.environ | {"ONEDNN_VERBOSE": "profile_create"}
        # Of this process, where a window may have been imported.
        spoken.pop(_CAPACITY, None)
        told = subprocess.run(line, check=True, capture_output=True, text=True, env=spoken).stdout
        start, *rounds = told.split("round\n")
        return start.split()[-1], [text.count("create:cache_miss,cpu,rnn") for text in rounds]

    (known, window), (_, bare) = made_again("window"), made_again("nothing")
    # Where PyTorch comes without oneDNN, no kernels are made.
    if known == "True":
        assert (window, bare) == ([20, 0, 20, 40, 100, 100], [20, 0, 20, 0, 60, 0])
    else:
        assert (window, bare) == ([0] * 6, [0] * 6)
