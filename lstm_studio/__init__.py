"""LSTM Studio, a microscope for recurrent networks.

Importing this package imports neither torch nor Qt: each name below loads its module when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_studio.engine.interventions import resume as resume
    from lstm_studio.engine.storage import load_trace as load_trace
    from lstm_studio.engine.trace import Trace as Trace
    from lstm_studio.engine.tracing import trace as trace
    from lstm_studio.errors import NetworkError as NetworkError
    from lstm_studio.errors import RunError as RunError
    from lstm_studio.errors import SequenceError as SequenceError
    from lstm_studio.errors import StudioError as StudioError
    from lstm_studio.errors import TraceError as TraceError
    from lstm_studio.networks.checkpoints import open_network as open_network
    from lstm_studio.networks.network import Network as Network
    from lstm_studio.networks.network import new_network as new_network
    from lstm_studio.runs.callbacks import hugging_face_callback as hugging_face_callback
    from lstm_studio.runs.callbacks import lightning_callback as lightning_callback
    from lstm_studio.runs.reader import open_run as open_run
    from lstm_studio.runs.recorder import watch as watch
    from lstm_studio.sequences.opening import open_sequence as open_sequence
    from lstm_studio.sequences.sequence import Sequence as Sequence
    from lstm_studio.sequences.sequence import SequenceSet as SequenceSet

__version__ = "0.1.0"

_HOMES = {
    "Network": "lstm_studio.networks.network",
    "NetworkError": "lstm_studio.errors",
    "RunError": "lstm_studio.errors",
    "Sequence": "lstm_studio.sequences.sequence",
    "SequenceError": "lstm_studio.errors",
    "SequenceSet": "lstm_studio.sequences.sequence",
    "StudioError": "lstm_studio.errors",
    "Trace": "lstm_studio.engine.trace",
    "TraceError": "lstm_studio.errors",
    "hugging_face_callback": "lstm_studio.runs.callbacks",
    "lightning_callback": "lstm_studio.runs.callbacks",
    "load_trace": "lstm_studio.engine.storage",
    "new_network": "lstm_studio.networks.network",
    "open_network": "lstm_studio.networks.checkpoints",
    "open_run": "lstm_studio.runs.reader",
    "open_sequence": "lstm_studio.sequences.opening",
    "resume": "lstm_studio.engine.interventions",
    "trace": "lstm_studio.engine.tracing",
    "watch": "lstm_studio.runs.recorder",
}

__all__ = ["__version__"]
__all__ += list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lstm_studio' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
