from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from lstm_studio.engine import devices
from lstm_studio.engine.devices import (
    INTERACTIVE_THREADS,
    available_devices,
    choose,
    one_blas_thread,
    use_interactive_threads,
)
from lstm_studio.errors import TraceError


def test_the_processor_is_always_there() -> None:
    assert available_devices()[0] == "cpu"
    assert choose("cpu") == torch.device("cpu")
    assert choose("auto").type == available_devices()[-1]


@pytest.mark.parametrize("device", ["tpu", "", "cpu:x", "cuda:99"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device: str) -> None:
    with pytest.raises(TraceError, match="on this machine") as raised:
        choose(device)
    assert "cpu" in raised.value.cure


def test_threads_are_set_when_asked() -> None:
    before = torch.get_num_threads()
    try:
        use_interactive_threads()
        assert torch.get_num_threads() == INTERACTIVE_THREADS
    finally:
        torch.set_num_threads(before)


def test_blas_threads_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = [4]

    def tell(wanted: int) -> None:
        threads.append(wanted)

    monkeypatch.setattr(devices, "_openblas", lambda: (lambda: threads[-1], tell))
    with one_blas_thread():
        assert threads[-1] == 1
    assert threads[-1] == 4
    monkeypatch.setattr(devices, "_openblas", lambda: None)
    with one_blas_thread():
        assert threads == [4, 1, 4]


def test_the_blas_of_this_numpy_is_asked_if_it_is_openblas() -> None:
    found = devices._openblas()
    if found is None:
        pytest.skip("NumPy was built with another BLAS, or hides its symbols")
    before = found[0]()
    with one_blas_thread():
        assert found[0]() == 1
    assert found[0]() == before >= 1


def test_everything_is_copied_from_another_device_before_it_is_an_array() -> None:
    """On a device that only pretends, since most computers that run the tests have no other than the CPU."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.engine.elsewhere"]
    told = subprocess.run(program, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr[-3000:]
    assert told.stdout.splitlines()[-1] == "everything"


_FAULTS = """
import resource, sys
import numpy as np
from lstm_studio.engine.devices import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 18) for _ in range(8)]
    del arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_memory_that_was_freed_is_used_again() -> None:
    def faults(how: str) -> int:
        told = subprocess.run([sys.executable, "-c", _FAULTS, how], check=True, capture_output=True, text=True)
        return int(told.stdout)

    # 16 MB are 4,000 pages, unless the system gives larger ones.
    assert 10 * faults("keep") < max(faults("not"), 1000)
