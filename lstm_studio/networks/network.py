"""A network ready to be traced: the PyTorch module, and what is known about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from lstm_studio import arguments
from lstm_studio.errors import NetworkError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_kind, cell_of_module
from lstm_studio.networks.naming import layer_prefix
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec

READOUT_KINDS = ("classes", "values")
"""What the numbers of a read-out mean: scores of classes (shown as probabilities), or the predicted values."""


@dataclass(frozen=True, slots=True)
class NetworkLayer:
    """One layer and direction of a network.

    Parameters
    ----------
    prefix
        Canonical prefix of its signals, ``"lstm.0"``.
    kind, title
        Registered kind and its proper name.
    input_size, hidden_size, output_size
        Features that enter, units, and size of the hidden state (smaller than the units with a projection).
    reverse
        Whether this pass runs backwards in time.
    """

    prefix: str
    kind: str
    title: str
    input_size: int
    hidden_size: int
    output_size: int
    reverse: bool


class ReadoutNetwork(nn.Module):
    """A recurrent module and the linear read-out after it, applied at every step.

    Parameters
    ----------
    recurrent
        A module of a registered kind.
    path
        Attribute path under which it lives, ``"lstm"`` or ``"encoder.rnn"``.
    readout
        ``nn.Linear`` from its output to K values, or None: then the module returns the hidden states.
    readout_path
        Attribute path of the read-out; empty without one.

    Raises
    ------
    NetworkError
        If PyTorch does not allow a module under one of the paths.
    """

    def __init__(
        self, recurrent: nn.Module, path: str, readout: nn.Linear | None = None, readout_path: str = ""
    ) -> None:
        super().__init__()
        self._path = path
        self._readout_path = None if readout is None else readout_path
        _attach(self, path, recurrent)
        if readout is not None:
            _attach(self, readout_path, readout)

    def forward(self, x: Tensor) -> Tensor:
        """Return (…, T, K) outputs, or (…, T, H) hidden states without a read-out, for (…, T, F) inputs."""
        hidden: Tensor = self.get_submodule(self._path)(x)[0]
        if self._readout_path is None:
            return hidden
        output: Tensor = self.get_submodule(self._readout_path)(hidden)
        return output


@dataclass(frozen=True, eq=False)
class Network:
    """A PyTorch module with one stack of recurrent layers, and perhaps a linear read-out.

    Parameters
    ----------
    module
        The bare recurrent module, or a :class:`ReadoutNetwork` that contains it. Called with a (T, F) tensor.
    source
        ``"seed 3"`` or the checkpoint's path.
    readout_kind
        ``"classes"``, ``"values"``, or empty without a read-out.
    path, readout_path
        Attribute paths of the recurrent module and of the read-out in ``module``; empty for a bare module, and
        without a read-out.
    """

    module: nn.Module
    source: str = ""
    readout_kind: str = ""
    path: str = ""
    readout_path: str = ""

    def __post_init__(self) -> None:
        cure = "Give a torch.nn.Module, or open or build a network with ls.open_network or ls.new_network."
        arguments.instance("module", self.module, nn.Module, NetworkError, cure)
        arguments.one_of("readout_kind", self.readout_kind, ("", *READOUT_KINDS), NetworkError)
        for name in ("source", "path", "readout_path"):
            arguments.text(name, getattr(self, name), NetworkError)
        if bool(self.readout_path) != bool(self.readout_kind):
            raise NetworkError(
                f"readout_path is {arguments.shown(self.readout_path)}, and readout_kind {self.readout_kind!r}.",
                "Give both, or none of them.",
            )
        named = dict(self.module.named_modules(remove_duplicate=False))
        for name, own in (("path", self.path), ("readout_path", self.readout_path)):
            if own not in named:
                raise arguments.wrong(name, own, NetworkError, f"Choose one of {', '.join(map(repr, named))}.")

    @property
    def recurrent(self) -> nn.Module:
        """The recurrent module itself."""
        return self.module.get_submodule(self.path)

    @property
    def readout(self) -> nn.Linear | None:
        """The linear read-out after the recurrent layers, or None."""
        readout = self.module.get_submodule(self.readout_path) if self.readout_path else None
        return readout if isinstance(readout, nn.Linear) else None

    @cached_property
    def cell(self) -> Cell:
        """The kind of the recurrent layers."""
        cell = cell_of_module(self.recurrent)
        if cell is None:
            raise NetworkError(
                f"{type(self.recurrent).__name__} is not a kind of recurrent layer that LSTM Studio knows."
            )
        return cell

    @property
    def kind(self) -> str:
        """Registered kind, ``"lstm"``."""
        return self.cell.kind

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes of the recurrent stack."""
        return self.cell.sizes(self.recurrent)

    @property
    def input_size(self) -> int:
        """F, features at each step."""
        return self.sizes.input_size

    @cached_property
    def layers(self) -> tuple[NetworkLayer, ...]:
        """All layers and directions, from the input up, forward before reverse."""
        sizes, out = self.sizes, self.cell.output_size(self.recurrent)
        return tuple(
            NetworkLayer(
                layer_prefix(self.path, self.kind, layer, reverse),
                self.kind,
                self.cell.title,
                sizes.input_size if layer == 0 else sizes.directions * out,
                sizes.hidden_size,
                out,
                reverse,
            )
            for layer in range(sizes.layers)
            for reverse in (False, True)[: sizes.directions]
        )

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the weights and their names."""
        return fingerprint(self.module)

    def info(self) -> NetworkInfo:
        """Return everything a panel shows about the network, without tensors."""
        return NetworkInfo(
            kind=self.kind,
            title=self.cell.title,
            input_size=self.input_size,
            hidden_size=self.sizes.hidden_size,
            layers=self.sizes.layers,
            bidirectional=self.sizes.bidirectional,
            parameters=sum(parameter.numel() for parameter in self.module.parameters()),
            outputs=0 if self.readout is None else self.readout.out_features,
            source=self.source,
            fingerprint=self.fingerprint,
        )


def fingerprint(module: nn.Module) -> str:
    """Return sixteen hexadecimal digits that identify the weights, buffers and their names."""
    state = module.state_dict()
    # A module may keep there what it likes, and some of PyTorch's own keep names and pairs.
    usual = all(isinstance(value, Tensor) for value in state.values())
    tensors: Mapping[str, Tensor] = state if usual else dict(_tensors_in(state))
    named = [(name, tensor.shape, tensor.dtype) for name, tensor in tensors.items()]
    contents = [_contents(tensor) for tensor in tensors.values()]
    worth_keeping = sum(content.nbytes for content in contents) <= _WORTH_KEEPING
    copy = b"".join(contents) if worth_keeping else b""
    known = _FINGERPRINTS.get(module)
    if known is not None and known.copy == copy and known.named == named:
        return known.digits
    digest = hashlib.sha256()
    for (name, shape, dtype), content in zip(named, contents, strict=True):
        digest.update(f"{name} {tuple(shape)} {dtype}".encode())
        digest.update(content)
    digits = digest.hexdigest()[:16]
    if worth_keeping:
        _FINGERPRINTS[module] = _Known(named, copy, digits)
    return digits


@dataclass(frozen=True, slots=True)
class _Known:
    """A fingerprint and what it is of: names, shapes and types, and a copy of the contents, one after the other."""

    named: list[tuple[str, torch.Size, torch.dtype]]
    copy: bytes
    digits: str


_FINGERPRINTS: WeakKeyDictionary[nn.Module, _Known] = WeakKeyDictionary()
"""Copying weights and comparing the copies takes a tenth of the time of hashing them, and misses no change: PyTorch's
own counters of changes do not see those through ``.data`` and NumPy."""
_WORTH_KEEPING = 1 << 25
"""Bytes of weights of which a copy is kept."""
_MOST_WEIGHTS = 1 << 44
"""More than any computer has room for; of far more PyTorch cannot even say the size."""


def _tensors_in(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in a value, alone or in mappings and rows, with names that tell where."""
    if isinstance(value, Tensor):
        yield name, value.detach()
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors_in(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, tuple | list):
        for place, part in enumerate(value):
            yield from _tensors_in(part, f"{name}.{place}")


def _contents(tensor: Tensor) -> memoryview:
    """Return what a tensor holds, in one stretch of memory."""
    if tensor.layout is not torch.strided:
        coordinates = (tensor if tensor.layout is torch.sparse_coo else tensor.to_sparse()).detach().coalesce()
        places, values = coordinates.indices(), coordinates.values()
        tensor = torch.cat([part.contiguous().reshape(-1).view(torch.uint8) for part in (places, values)])
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    if tensor.dtype is not torch.float32 or not tensor.is_contiguous() or not tensor.is_cpu:
        # NumPy has no word for some types, bfloat16 among them.
        tensor = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
    contents: memoryview = tensor.numpy().data
    return contents


def new_network(
    kind: str,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    seed: int = 0,
    *,
    bidirectional: bool = False,
    bias: bool = True,
    outputs: int = 0,
    readout: str = "classes",
    **options: Any,
) -> Network:
    """Build a network with weights that the seed decides; torch's own random state is left as it is.

    Parameters
    ----------
    kind
        A registered kind: ``"lstm"``, ``"rnn"``, ``"gru"``, ``"lstm-article"``, ``"lstm-1997"``, ``"tdnn"`` or
        ``"feedforward"``.
    input_size, hidden_size, layers
        F, H and the number of stacked layers, each at least 1.
    seed
        0 … 2**63 − 1.
    bidirectional
        Whether a second pass runs backwards in time.
    bias
        Whether the recurrent layers add bias vectors.
    outputs
        K, size of the linear read-out; with 0 the module is the bare recurrent module.
    readout
        What the outputs mean: ``"classes"`` or ``"values"``.
    options
        Options of the kind, as its file in ``cells/`` declares them: ``nonlinearity`` (``"tanh"`` or ``"relu"``) for
        ``"rnn"``, ``"tdnn"`` and ``"feedforward"``; ``initial="identity"`` for ``"rnn"``; ``proj_size`` and
        ``forget_bias`` (PyTorch's own initial bias unless given) for ``"lstm"``; ``block_size`` and
        ``gate_recurrence`` for ``"lstm-1997"``; ``window`` for ``"tdnn"``.

    Returns
    -------
    Network

    Raises
    ------
    NetworkError
        If an argument is out of range.
    """
    cell = cell_of_kind(kind)
    sizes = Sizes(input_size, hidden_size, layers, bidirectional, bias)
    arguments.one_of("readout", readout, READOUT_KINDS, NetworkError)
    cure = "Give a whole number from 0 to 2**63 − 1."
    seed = arguments.whole_number("seed", seed, NetworkError, most=(1 << 63) - 1, cure=cure)
    outputs = arguments.whole_number("outputs", outputs, NetworkError)
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the accelerators' generators too, which fork_rng does not keep here.
        torch.default_generator.manual_seed(seed)
        module = _built(cell, sizes, options, outputs)
    module.eval()
    if not outputs:
        return Network(module, f"seed {seed}")
    return Network(module, f"seed {seed}", readout, kind, "readout")


def _built(cell: Cell, sizes: Sizes, options: dict[str, Any], outputs: int) -> nn.Module:
    weights = cell.parameter_count(sizes, options) + outputs * sizes.directions * sizes.hidden_size
    wanted = {"input_size": sizes.input_size, "hidden_size": sizes.hidden_size, "layers": sizes.layers}
    words = ", ".join(f"{name}={value}" for name, value in {**wanted, "outputs": outputs, **options}.items())
    too_large = NetworkError(f"{words} do not fit into the memory.", "Choose fewer.")
    if weights > _MOST_WEIGHTS:
        raise too_large
    try:
        module = cell.build(sizes, options)
        if not outputs:
            return module
        linear = nn.Linear(sizes.directions * cell.output_size(module), outputs)
    except RuntimeError as error:
        if "allocate" not in str(error):
            raise
        raise too_large from error
    return ReadoutNetwork(module, cell.kind, linear, "readout")


def build(spec: NetworkSpec, input_size: int, classes: int = 0) -> Network:
    """Build, or read from its checkpoint, the network that ``spec`` asks for.

    Parameters
    ----------
    spec
        What is wanted.
    input_size
        F of the sequences it is to receive; a checkpoint brings its own.
    classes
        To which these belong, 0 for none: what the outputs of a checkpoint mean that does not say it.

    Raises
    ------
    NetworkError
        If it cannot be built or read.
    """
    if spec.checkpoint is not None:
        from lstm_studio.networks.checkpoints import open_for

        return open_for(spec.checkpoint, classes)
    return new_network(
        spec.kind, input_size, spec.hidden_size, spec.layers, spec.seed, bidirectional=spec.bidirectional
    )


def _attach(root: nn.Module, path: str, module: nn.Module) -> None:
    *parents, name = path.split(".")
    try:
        for parent in parents:
            if parent not in root._modules:
                root.add_module(parent, nn.Module())
            root = root.get_submodule(parent)
        root.add_module(name, module)
    except (AttributeError, KeyError) as error:
        raise NetworkError(
            f"PyTorch allows no module under the name {path!r}.", "Rename its tensors in the checkpoint."
        ) from error
