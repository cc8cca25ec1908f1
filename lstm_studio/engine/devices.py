"""Which devices there are, which one to take, and how many threads small networks want."""

from __future__ import annotations

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
