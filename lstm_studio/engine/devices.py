"""Which devices there are, which one to take, and how many threads small networks want."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib import import_module

import torch

from lstm_studio.errors import TraceError

INTERACTIVE_THREADS = 1
"""Threads for networks of interactive size: one beat two on 200 steps of back-propagation with 512 units (159 against
257 ms), because each step is too small to share."""


def available_devices() -> tuple[str, ...]:
    """Return the devices of this machine that PyTorch can use, ``"cpu"`` first, then ``"cuda"`` and ``"mps"``."""
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return tuple(devices)


def choose(device: str = "auto") -> torch.device:
    """Return the device of that name; for ``"auto"`` the last of :func:`available_devices`, an accelerator if any.

    Raises
    ------
    TraceError
        If this machine has no such device.
    """
    available = available_devices()
    if device == "auto":
        return torch.device(available[-1])
    kind, _, index = device.partition(":")
    beyond = kind == "cuda" and index.isdigit() and int(index) >= torch.cuda.device_count()
    if kind not in available or (index and not index.isdigit()) or beyond:
        raise TraceError(f"There is no device {device!r} on this machine.", f"Choose auto, {', '.join(available)}.")
    return torch.device(device)


def use_interactive_threads() -> None:
    """Make PyTorch use :data:`INTERACTIVE_THREADS` in this process, for whoever runs interactively; never on import."""
    torch.set_num_threads(INTERACTIVE_THREADS)


@contextmanager
def no_autocast(device: torch.device) -> Iterator[None]:
    """Compute in the precision of the tensors inside, where autocast would take half precision."""
    if not torch.is_autocast_enabled(device.type):
        yield
        return
    with torch.autocast(device.type, enabled=False):
        yield


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let NumPy's matrix products use so many threads inside, where the BLAS that it was built with is OpenBLAS."""
    found = _openblas()
    if found is None:
        yield
        return
    threads, set_threads = found[0](), found[1]
    set_threads(count)
    try:
        yield
    finally:
        set_threads(threads)


def one_blas_thread() -> AbstractContextManager[None]:
    """Let NumPy's matrix products use one thread inside.

    A loop over the steps multiplies a matrix with a vector at each. OpenBLAS shares even small products out among its
    threads, which then wait for each other at every step: on a busy machine of two cores a trace with gradients of 1000
    steps of 64 units took 103 ms so, and 21 ms with one thread.
    """
    return blas_threads(1)


@cache
def _openblas() -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """Return how NumPy's OpenBLAS is asked for its number of threads, and told."""
    try:
        library = ctypes.CDLL(str(import_module("numpy._core._multiarray_umath").__file__))
    except (ImportError, OSError):
        return None
    for pattern in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_", "openblas_{}_num_threads"):
        ask, tell = (getattr(library, pattern.format(verb), None) for verb in ("get", "set"))
        if ask is not None and tell is not None:
            return ask, tell
    return None
