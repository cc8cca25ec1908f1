"""What network is wanted, in words that need no torch: the session holds these, the worker builds from them."""

from __future__ import annotations

from dataclasses import dataclass

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
CHECKPOINT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors", ".onnx", *KERAS_SUFFIXES)
"""What the files end in that ``ls.open_network`` reads."""


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network to build with a seed, or to read from a checkpoint.

    Parameters
    ----------
    kind
        A registered cell, ``"lstm"``.
    hidden_size
        H, units per layer and direction, at least 1.
    layers
        Stacked layers, at least 1.
    bidirectional
        Whether a second pass runs backwards in time.
    seed
        Seed of the initial weights; 0 … 2**63 − 1.
    checkpoint
        Path of a checkpoint; when given, sizes and weights come from the file and the fields above are ignored.
    """

    kind: str = "lstm"
    hidden_size: int = 32
    layers: int = 1
    bidirectional: bool = False
    seed: int = 0
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """What a built network turned out to be: everything a panel shows about it, without tensors.

    Parameters
    ----------
    kind, title
        Registered kind (``"lstm"``) and its proper name (``"LSTM"``, ``"Vanilla RNN"``).
    input_size, hidden_size, layers, bidirectional
        Sizes of its (first) recurrent module.
    parameters
        Number of trainable weights, all modules together.
    outputs
        Size of the read-out, 0 where there is none.
    source
        ``"seed 3"`` or the checkpoint's path.
    fingerprint
        Sixteen hexadecimal digits that identify the weights.
    """

    kind: str
    title: str
    input_size: int
    hidden_size: int
    layers: int
    bidirectional: bool
    parameters: int
    outputs: int
    source: str
    fingerprint: str
