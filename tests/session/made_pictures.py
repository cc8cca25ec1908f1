"""Pictures of trainings whose every number is known."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.pictures import Followed, RunPicture

SAMPLED = np.arange(0, 2000, 50)


def curve(values: Any, steps: Any = SAMPLED) -> Curve:
    found = np.broadcast_to(np.asarray(values, np.float64), (len(steps),))
    return np.asarray(steps, np.int64), np.array(found)


def healthy_lags(records: int = len(SAMPLED), lags: int = 50) -> NDArray[np.float64]:
    """Return norms that fall by a factor of ten every ten lags."""
    return np.tile(10.0 ** (-np.arange(lags) / 10), (records, 1))


def made(address: str = "run", **changes: Any) -> RunPicture:
    """Return a healthy training of one LSTM layer, with what is named instead."""
    noise = np.random.default_rng(0)
    steps = np.arange(2000)
    loss = 1.4 * np.exp(-steps / 400) + 1e-3 * (1 + noise.random(2000))
    gates = {
        f"lstm.0.{gate}.{kind}": curve(value)
        for gate in ("input_gate", "forget_gate", "output_gate")
        for kind, value in (("mean", 0.6), ("deviation", 0.2), ("below_0.1", 0.05), ("above_0.9", 0.2))
    }
    norms = np.exp(-SAMPLED / 500) * np.exp(0.7 * noise.standard_normal(len(SAMPLED)))
    parameters: Mapping[str, Curve] = {
        "all.norm": curve(20.0),
        "all.gradient_norm": curve(norms),
        "all.update_norm": curve(1e-2 * norms),
        "lstm.l0.forget_bias": curve(1.0),
    }
    found: dict[str, Any] = {
        "address": address,
        "title": address,
        "status": Status.RUNNING,
        "heard_at": time.monotonic(),
        "info": {"every": 50, "layers": [{"title": "LSTM", "hidden_size": 16}]},
        "layers": ("lstm",),
        "times": (steps, 1e9 + steps * 0.1),
        "scalars": {"loss": (steps, loss)},
        "statistics": {**gates, "lstm.0.hidden_state.deviation": curve(0.3)},
        "parameters": parameters,
        "lags": {"lstm.0.hidden_state": (SAMPLED, healthy_lags())},
        "lag_spacing": {"lstm.0.hidden_state": 1},
        "steps": tuple(SAMPLED.tolist()),
        "snapshots": (),
        "events": ({"event": "start", "wall": time.time() - 60},),
        "problems": (),
        "lacks": (),
    }
    for key, value in changes.items():
        before = found[key]
        found[key] = {**before, **value} if isinstance(before, dict) and key != "info" else value
    return RunPicture(**found)


def followed(picture: RunPicture) -> Followed:
    return Followed(picture.address, picture)
