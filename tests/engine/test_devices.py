from __future__ import annotations

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
