"""The trace: the one currency between engine, session, runs and window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from lstm_studio.networks.deferred import Arrays, parts_of
from lstm_studio.networks.signals import Signal

OF_A_TRACE = "Give what ls.trace, ls.resume or ls.load_trace returned."
"""What to do where something else is given for a trace."""


@dataclass(frozen=True, slots=True)
class TraceLayer:
    """One layer and direction of a recurrent module, and the signals recorded for it.

    Parameters
    ----------
    prefix
        Canonical prefix, ``"lstm.0"`` or ``"encoder.rnn.1.reverse"``; the full name of a signal is
        ``f"{prefix}.{signal.name}"``.
    kind
        Registered cell kind, ``"lstm"``.
    title
        Proper name of the cell, ``"LSTM"``.
    units
        H.
    signals
        What the cell declares, in the order to show them.
    options
        Options of the kind, as far as they change what it computes; what is missing is at its default.
    changed
        Whether the model changed its states between the steps, in a loop over a cell.
    """

    prefix: str
    kind: str
    title: str
    units: int
    signals: tuple[Signal, ...]
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced a trace.

    Parameters
    ----------
    network, sequence
        Fingerprints (sixteen hexadecimal digits); empty where unknown.
    objective
        The scalar that was differentiated, as in ``ls.trace(objective=…)``; empty without gradients.
    device, dtype
        Where and in which precision the states were computed.
    gradient_dtype
        Precision of the gradients: float64 where float32 would have flushed small ones to zero.
    recovery_error
        max |recomputed hidden state − the module's own|, over finite entries; where sums are so large that rounding may
        explain more than is allowed, how far it is from what rounding explains.
    non_finite
        (name, step) of every array that is NaN or infinite somewhere, with the step where that began: the first in
        time for signals, the first met going back for gradients.
    vanished
        (name, step) of every gradient norm of a state that is zero although it was not zero before, going back, with
        the first step, going back, at which it is so: what was left there lay below 1e-290, where float64 fails, or
        the units pass nothing at all (relu).
    intervention
        What was changed from which step on, in words, in a trace that was resumed; else empty.
    dropout
        The share of what the layers of a stack passed to each other that was dropped out at random; 0 where none was.
    """

    network: str = ""
    sequence: str = ""
    objective: str = ""
    device: str = "cpu"
    dtype: str = "float32"
    gradient_dtype: str = ""
    recovery_error: float = 0.0
    non_finite: tuple[tuple[str, int], ...] = ()
    vanished: tuple[tuple[str, int], ...] = ()
    intervention: str = ""
    dropout: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Origin:
    """What a trace was made with, for whoever wants to go on from it; kept in memory only, not in files.

    Parameters
    ----------
    network, sequence
        As ``ls.trace`` was given them.
    arguments
        Its keyword arguments.
    target
        Of the sequence, or None.
    held
        Layer → signal → (T, ·), where it was held, in a branch.
    """

    network: Any
    sequence: Any
    arguments: Mapping[str, Any]
    target: NDArray[Any] | None = None
    held: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Trace:
    """Named per-step signals of one network on one sequence.

    ``trace[name]`` returns a read-only array: signals and ``grad.…`` (T, H), ``norm.grad.…`` (T,) float64, ``input``
    (T, F), ``output`` (T, K) where the network has a read-out.

    Parameters
    ----------
    arrays
        Canonical name → array, or what computes it when it is first looked up.
    layers
        The recorded layers with their signals.
    provenance
        What produced it.
    origin
        The network and the sequence themselves; None for a trace that was loaded. The trace keeps them alive, so that
        one of a network that nobody else holds can be resumed.
    """

    arrays: Mapping[str, NDArray[Any]]
    layers: tuple[TraceLayer, ...]
    provenance: Provenance = field(default_factory=Provenance)
    origin: Origin | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.arrays, Arrays):
            object.__setattr__(self, "arrays", Arrays(self.arrays))

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return self.arrays[name]
        except KeyError:
            known = ", ".join(list(self.arrays)[:12])
            raise KeyError(f"{name!r} is not in this trace, which has {known} …") from None

    def __contains__(self, name: object) -> bool:
        return name in self.arrays

    @property
    def names(self) -> list[str]:
        """Canonical names of all arrays."""
        return list(self.arrays)

    @property
    def nbytes(self) -> int:
        """The bytes of all arrays, those that are not computed yet among them."""
        return sum(part.nbytes for part in parts_of(self.arrays).values())

    @property
    def steps(self) -> int:
        """T, the number of time steps."""
        return int(self.arrays["input"].shape[0])

    def save(self, path: str | Path) -> None:
        """Write the trace to ``.npz`` or ``.safetensors``, to be loaded again, or to ``.csv``; see ``storage``.

        Raises
        ------
        TraceError
            If the suffix is another, or the file cannot be written.
        """
        from lstm_studio.engine.storage import save_trace

        save_trace(self, path)

    @property
    def recovery_error(self) -> float:
        """The maximum of |recomputed hidden state − the module's own|, over all layers, steps and units."""
        return self.provenance.recovery_error
