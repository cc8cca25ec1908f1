"""Which devices there are, which one to take, and how many threads small networks want."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib import import_module

import numpy as np
import torch

from lstm_studio.arguments import shown, text
from lstm_studio.errors import TraceError

INTERACTIVE_THREADS = 1
"""Threads for networks of interactive size: one beat two on 200 steps of back-propagation with 512 units (159 against
257 ms), because each step is too small to share."""

_LARGEST_KEPT = (1 << 25) - (1 << 16)
"""Bytes of the largest stretch of memory that counts for glibc, nearly."""


def available_devices() -> tuple[str, ...]:
    """Return the devices of this machine that PyTorch can use, ``"cpu"`` first, then ``"cuda"`` and ``"mps"``."""
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return tuple(devices)


def choose(device: str | torch.device = "auto") -> torch.device:
    """Return the device of that name; for ``"auto"`` the last of :func:`available_devices`, an accelerator if any.

    Raises
    ------
    TraceError
        If this machine has no such device.
    """
    available = available_devices()
    cure = f"Choose auto, {', '.join(available)}."
    device = str(device) if isinstance(device, torch.device) else text("device", device, TraceError, cure)
    if device == "auto":
        return torch.device(available[-1])
    kind, _, index = device.partition(":")
    beyond = kind == "cuda" and index.isdigit() and int(index) >= torch.cuda.device_count()
    if kind not in available or (index and not index.isdigit()) or beyond:
        raise TraceError(f"There is no device {shown(device)} on this machine.", cure)
    return torch.device(device)


def use_interactive_threads() -> None:
    """Make PyTorch use :data:`INTERACTIVE_THREADS` in this process, for whoever runs interactively; never on import."""
    torch.set_num_threads(INTERACTIVE_THREADS)


@cache
def keep_freed_memory() -> None:
    """Let this process use again what it freed, where the C library is glibc.

    glibc gives memory back to the system whenever much more of it is free than in the largest stretch that was freed
    so far, and then gets it anew page by page. That took a third of the time of every trace with gradients of 1000
    steps of 64 units. So the largest stretch that counts is freed once; nobody writes to it, so it takes no memory.
    """
    if sys.platform == "linux":
        np.empty(_LARGEST_KEPT, np.uint8)


def no_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Compute in the precision of the tensors inside, where autocast would take half precision."""
    return torch.autocast(device.type, enabled=False) if torch.is_autocast_enabled(device.type) else nullcontext()


def no_inference() -> AbstractContextManager[object]:
    """Let autograd record what is asked of it inside, where it is called in inference mode."""
    return torch.inference_mode(mode=False) if torch.is_inference_mode_enabled() else nullcontext()


def blas_threads(count: int) -> AbstractContextManager[object]:
    """Let NumPy's matrix products use so many threads inside, where the BLAS that it was built with is OpenBLAS."""
    found = _openblas()
    return nullcontext() if found is None or found[0]() == count else _set_inside(count, *found)


@contextmanager
def _set_inside(count: int, ask: Callable[[], int], tell: Callable[[int], object]) -> Iterator[None]:
    before = ask()
    tell(count)
    try:
        yield
    finally:
        tell(before)


def one_blas_thread() -> AbstractContextManager[object]:
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
