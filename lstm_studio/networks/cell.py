"""What a kind of recurrent layer must say and do to be traced: the contract that every file in ``cells/`` fulfils.

Importing this module does not import torch: the window lists the kinds before torch has loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.deferred import Deferred
from lstm_studio.networks.option import Option
from lstm_studio.networks.signals import Signal
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.told import Told
from lstm_studio.networks.wiring import Wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lstm_studio.networks.bounds import Bounds, Rounding
    from lstm_studio.networks.sums import WeightedSum

ArrayT = TypeVar("ArrayT")
OtherT = TypeVar("OtherT")


@dataclass(frozen=True, slots=True)
class Layer(Generic[ArrayT]):
    """One layer and direction: its module, and its weights as tensors or as arrays.

    ``R`` is the number of rows, usually units times :attr:`Cell.gates`, and ``P`` the size of the hidden state: H, or
    the size of the projection.

    Parameters
    ----------
    module
        The module of which this is a part.
    input
        (R, F), or (R, F, k) where k inputs are read at once.
    recurrent
        (R, P); (R, 0) where nothing of the step before is read, and wider where more than its hidden state is.
    input_bias, recurrent_bias
        (R,), or None without.
    projection
        (P, H), or None.
    more
        Weights that only one kind has, by its own names.
    """

    module: nn.Module
    input: ArrayT
    recurrent: ArrayT
    input_bias: ArrayT | None = None
    recurrent_bias: ArrayT | None = None
    projection: ArrayT | None = None
    more: Mapping[str, ArrayT] = field(default_factory=dict)

    def map(self, change: Callable[[ArrayT], OtherT]) -> Layer[OtherT]:
        """Return the same with ``change`` applied to each weight."""
        return Layer(
            self.module,
            change(self.input),
            change(self.recurrent),
            None if self.input_bias is None else change(self.input_bias),
            None if self.recurrent_bias is None else change(self.recurrent_bias),
            None if self.projection is None else change(self.projection),
            {name: change(weight) for name, weight in self.more.items()},
        )

    def rows(self: Layer[NDArray[Any]], rows: slice) -> Layer[NDArray[Any]]:
        """Return the same with some rows of the weights only, those of some gates."""
        return replace(
            self,
            input=self.input[rows],
            recurrent=self.recurrent[rows],
            input_bias=None if self.input_bias is None else self.input_bias[rows],
            recurrent_bias=None if self.recurrent_bias is None else self.recurrent_bias[rows],
        )

    @property
    def bias(self: Layer[NDArray[Any]]) -> NDArray[Any] | None:
        """The sum of the biases, (R,), or None without."""
        if self.input_bias is None or self.recurrent_bias is None:
            return self.input_bias
        total: NDArray[Any] = self.input_bias + self.recurrent_bias
        return total

    def flat(self) -> list[ArrayT]:
        """Return those that exist in the order of PyTorch's fused kernels."""
        every = (self.input, self.recurrent, self.input_bias, self.recurrent_bias, self.projection)
        return [weight for weight in every if weight is not None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one layer and direction did, in the order in which it processed the steps.

    Parameters
    ----------
    signals
        Declared name → (T, H) array, without ``hidden_state``, which is the module's own.
    hidden_state
        (T, P) array: the hidden state computed again from the other signals, to be compared with the module's own.
    finite
        Whether all signals are known to be finite.
    later
        The signals that are computed only when they are asked for.
    """

    signals: Mapping[str, NDArray[Any]]
    hidden_state: NDArray[Any]
    finite: bool = False
    later: Mapping[str, Deferred] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gradients:
    """Total derivatives dL/d· of one layer and direction, through time, in the order of processing; float64.

    Parameters
    ----------
    signals
        Declared name → (T, H) array: of each state the total derivative, and of every pre-activation.
    input
        (T, F).
    initial
        One array per state: the derivative with respect to the state before the first step.
    """

    signals: dict[str, NDArray[Any]]
    input: NDArray[Any]
    initial: tuple[NDArray[Any], ...]


class PulledBack(NamedTuple):
    """Derivatives of R quantities after one more step back; see :meth:`Cell.pull_back`.

    Parameters
    ----------
    totals
        One (R, P or H) array per state: with respect to the state at this step, through whatever follows from it.
    before
        One (R, P or H) array per state: with respect to the states before this step.
    input
        (R, F), or None where it was not asked for.
    """

    totals: tuple[NDArray[Any], ...]
    before: tuple[NDArray[Any], ...]
    input: NDArray[Any] | None = None


PullBack = Callable[[int, tuple[NDArray[Any], ...]], PulledBack]
"""``pull_back(step, rows)``: from the derivatives of R quantities with respect to the states after a step, one (R, P or
H) float64 array per state, to those before it: a product with the Jacobian of the step."""


Edit = Callable[[str, NDArray[Any]], None]
"""``edit(signal, values)``: called with each signal of a step as soon as it is computed, changes it in place."""
HeldSteps = Mapping[str, NDArray[np.bool_]]
"""Signal → (T, ·), where it was held."""
Held = Mapping[str, tuple[list[int], list[float]]]
"""Signal → units, and the values at which they are held."""


_STEMS = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"}


class Cell(ABC):
    """A kind of layer over time; its modules are called, and give their sizes, as a ``torch.nn.RNNBase`` does.

    One instance per kind, named ``CELL`` in its file. All steps are in the order of processing: for the reverse
    direction the engine flips time before and after.
    """

    kind: ClassVar[str]
    """Canonical name, ``"lstm"``; the attribute and signal prefix of a bare module."""
    title: ClassVar[str]
    """Proper name, ``"LSTM"``."""
    gates: ClassVar[int] = 0
    """Rows per unit in the weight matrices; 0 where their number is none."""
    states: ClassVar[tuple[str, ...]]
    """The signals that are carried from step to step, the hidden state first.

    A module takes and returns one tensor for each, and after these whatever else its recurrence reads.
    """
    options: ClassVar[tuple[Option, ...]] = ()
    can_step: ClassVar[bool] = False
    """Whether :meth:`by_hand` is there."""
    stops: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    """Signal that is no state → what others count as where it is held, for :meth:`stopped`."""
    gated_products: ClassVar[Mapping[str, str]] = {}
    """Pre-activation → the gate that multiplies its product with the hidden state before it is added."""

    @abstractmethod
    def accepts(self, module: nn.Module) -> bool:
        """Return whether ``module`` is of this kind."""

    @abstractmethod
    def build(self, sizes: Sizes, options: Mapping[str, Any]) -> nn.Module:
        """Return a new module with weights drawn from torch's current random state.

        Raises
        ------
        NetworkError
            If an option is unknown or out of range.
        """

    @abstractmethod
    def parameter_count(self, sizes: Sizes, options: Mapping[str, Any]) -> int:
        """Return the number of weights in closed form."""

    def module_options(self, module: nn.Module) -> dict[str, Any]:  # noqa: ARG002 - for kinds that have any
        """Return the options with which ``module`` was built, as far as they change what it computes."""
        return {}

    @abstractmethod
    def signals(self, module: nn.Module) -> tuple[Signal, ...]:
        """Return the signals of each layer and direction in the order to show them."""

    def wiring(self, options: Mapping[str, Any]) -> Wiring | None:  # noqa: ARG002 - for kinds that have a diagram
        """Return how a layer is drawn, or None for a kind that says nothing of it.

        Parameters
        ----------
        options
            Those of :meth:`module_options`; what is missing is at its default.
        """
        return None

    @abstractmethod
    def run(self, layers: Sequence[Layer[Tensor]], x: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
        """Run one layer of a stack, in one or two directions, through the fused kernel.

        Parameters
        ----------
        layers
            One entry per direction.
        x
            (T, F) tensor, in the order of time.
        initial
            One (D, P or H) tensor per state.

        Returns
        -------
        Tensor
            (T, D·P) hidden states, in the order of time.
        """

    @abstractmethod
    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        """Recover every declared signal from the input and the hidden states that the fused kernel returned.

        Parameters
        ----------
        layer
            The weights.
        x, h
            (T, F) and (T, P) tensors, T at least 1.
        initial
            One (P,) or (H,) tensor per state.
        """

    def keeps(self, module: nn.Module, x: Tensor) -> bool:  # noqa: ARG002 - for kinds whose kernel keeps anything
        """Return whether the fused kernel keeps what :meth:`recover_kept` reads, where autograd records a call."""
        return False

    def recover_kept(
        self,
        layer: Layer[Tensor],
        x: Tensor,
        h: Tensor,
        initial: tuple[Tensor, ...],
        block: Tensor,
    ) -> Recovered | None:
        """Recover every declared signal with the help of what the fused kernel kept, or return None.

        Parameters
        ----------
        layer, x, h, initial
            As for :meth:`recover`.
        block
            What it kept of this layer and direction.
        """
        del layer, x, h, initial, block
        return None

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds | None:
        """Return between which numbers the hidden states (T, P) lie, however the sums before them were rounded off.

        None for a kind that does not say.

        Parameters
        ----------
        layer
            The weights, in float64.
        x, h
            (T, F) and (T, P) float64: what entered, and the hidden states before each step.
        initial
            One (P,) or (H,) float64 array per state.
        rounding
            How sums were rounded off.
        """
        del layer, x, h, initial, rounding
        return None

    @abstractmethod
    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time.

        Parameters
        ----------
        layer
            The weights, in the precision of the module.
        signals
            All declared signals as recovered, (T, H).
        upstream
            (T, P) float64: dL/dh_t as far as it does not pass through later steps.
        final
            One float64 array per state: dL with respect to the last state, beyond ``upstream``.

        held
            Where signals were held while the steps went: those values are constants, which have no gradient and pass
            none on.

        Returns
        -------
        Gradients
            All in float64, whose range vanishing gradients need.
        """

    def stopped(self, signals: Mapping[str, NDArray[Any]], held: HeldSteps | None) -> Mapping[str, NDArray[Any]]:
        """Return the signals as :meth:`gradients` is to see them, so that nothing passes what was held."""
        changed = dict(signals)
        for name, where in (held or {}).items():
            for other, value in self.stops.get(name, {}).items():
                changed[other] = np.where(where, np.asarray(value, changed[other].dtype), changed[other])
        return changed

    def gradients_apart(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], arrived: tuple[NDArray[Any], ...]
    ) -> Gradients:
        """Back-propagate through every step by itself, where all that flows back to the states after it is known.

        This one takes the steps singly through :meth:`gradients`, which any kind has.

        Parameters
        ----------
        layer, signals
            As for :meth:`gradients`.
        arrived
            One (T, P) or (T, H) float64 array per state: dL with respect to it after each step, as far as it does not
            pass through another state of the same step.
        """
        nothing = np.zeros((1, arrived[0].shape[1]))
        found = []
        for step, final in enumerate(zip(*arrived, strict=True)):
            now = {name: signal[step : step + 1] for name, signal in signals.items()}
            found.append(self.gradients(layer, now, nothing, final))
        joined = {name: np.concatenate([one.signals[name] for one in found]) for name in found[0].signals}
        return Gradients(joined, np.concatenate([one.input for one in found]), found[0].initial)

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product of many rows at once with the Jacobian of one step, d(states_t)/d(states_{t−1}).

        This one takes the rows singly through :meth:`gradients`, which any kind has; a kind with a closed form is
        many times as fast.

        Parameters
        ----------
        layer, signals
            As for :meth:`gradients`.
        inputs
            Whether the derivatives with respect to the input are wanted too.
        """

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            now = {name: signal[step : step + 1] for name, signal in signals.items()}
            none = np.zeros((1, rows[0].shape[1]))
            taken = [self.gradients(layer, now, none, tuple(row)) for row in zip(*rows, strict=True)]
            return PulledBack(
                tuple(np.concatenate([found.signals[state] for found in taken]) for state in self.states),
                tuple(np.stack(parts) for parts in zip(*(found.initial for found in taken), strict=True)),
                np.concatenate([found.input for found in taken]) if inputs else None,
            )

        return pull_back

    def entering(self, layer: Layer[NDArray[Any]], x: NDArray[Any]) -> NDArray[Any]:
        """Return what the pre-activations are without the step before, (T, R), for (T, F) inputs."""
        entering: NDArray[Any] = x @ layer.input.T
        for bias in (layer.input_bias, layer.recurrent_bias):
            if bias is not None:
                entering += bias
        return entering

    def step(
        self,
        layer: Layer[NDArray[Any]],
        entering: NDArray[Any],
        states: tuple[NDArray[Any], ...],
        edit: Edit,
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand, so that any signal can be changed on the way; for :meth:`by_hand`.

        Parameters
        ----------
        layer
            The weights.
        entering
            (R,), what :meth:`entering` returned for the step.
        states
            Before the step, as :meth:`states_after` returns them.
        edit
            Called with every signal, in the order in which they follow from each other.

        Returns
        -------
        dict
            Every declared signal, (H,) or (P,), after its edit.

        Raises
        ------
        NetworkError
            If the kind has no single steps.
        """
        del layer, entering, states, edit
        raise NetworkError(f"{self.title} is not computed step by step.", "Change the events that it receives instead.")

    def by_hand(
        self,
        layer: Layer[NDArray[Any]],
        entering: NDArray[Any],
        states: tuple[NDArray[Any], ...],
        held: Held,
    ) -> dict[str, NDArray[Any]]:
        """Compute steps one after the other with some values held; where :attr:`can_step`.

        Parameters
        ----------
        layer, states
            As for :meth:`step`, before the first step.
        entering
            (T, R), what :meth:`entering` returned, T at least 1.
        held
            What is held at every step.

        Returns
        -------
        dict
            Every declared signal, (T, ·).
        """

        def edit(signal: str, computed: NDArray[Any]) -> None:
            if signal in held:
                units, wanted = held[signal]
                computed[units] = wanted

        found: dict[str, NDArray[Any]] = {}
        for step, row in enumerate(entering):
            now = self.step(layer, row, states, edit)
            states = self.states_after(layer.module, now)
            found = found or {name: np.empty((len(entering), len(value)), value.dtype) for name, value in now.items()}
            for name, value in now.items():
                found[name][step] = value
        return found

    def by_kernel(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...], held: Held
    ) -> Mapping[str, NDArray[Any] | Deferred] | None:
        """Return what :meth:`by_hand` does, from a call of the fused kernel; None where it cannot hold these values.

        ``layer`` and ``x``, (T, F), are on the CPU; ``initial`` has one (P,) or (H,) tensor per state.
        """
        del layer, x, initial, held
        return None

    def states_after(self, module: nn.Module, now: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """Return what goes on to the next step, one array per tensor that the module carries, from a step's signals."""
        del module
        return tuple(now[state] for state in self.states)

    def sums(self, layer: Layer[NDArray[Any]]) -> Mapping[str, WeightedSum]:
        """Return the weighted sum that each pre-activation is, by name; empty for a kind that does not say."""
        del layer
        return {}

    def direct_path(self, signals: Mapping[str, NDArray[Any]]) -> NDArray[np.float64] | None:
        """Return log10 of the factor by which each step keeps the long-term state of each unit, (T, H).

        That is the direct path from step to step, past all weights; None for a kind without one.
        """
        del signals
        return None

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        """Return what the weights of a first layer tell, or None where they are not of this kind.

        Parameters
        ----------
        shapes
            Stem of the name (``weight_ih``) → shape, of one direction.
        options
            What is known of the options.
        """
        del options
        if not self.gates or shapes.keys() - _STEMS or "weight_hh" not in shapes:
            return None
        rows, out = shapes["weight_hh"]
        projection = shapes.get("weight_hr")
        hidden = out if projection is None else projection[1]
        return Told(hidden, {} if projection is None else {"proj_size": out}) if rows == self.gates * hidden else None

    def unit_step(self, options: Mapping[str, Any]) -> int:  # noqa: ARG002 - for kinds with blocks of units
        """Return the number that the hidden size must be a multiple of."""
        return 1

    def checked_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options of this kind, ``options`` over the defaults.

        Raises
        ------
        NetworkError
            If an option is unknown, not one of its choices, or no number where any goes.
        """
        known = {option.name: option for option in self.options}
        for name in options:
            if name not in known:
                offered = ", ".join(known) or "none"
                raise NetworkError(f"{self.title} has no option {name!r}.", f"Its options: {offered}.")
        return {
            name: option.checked(options[name]) if name in options else option.default for name, option in known.items()
        }

    def sizes(self, module: nn.Module) -> Sizes:
        """Return the sizes of a module of this kind."""
        return _sizes(
            _size(module, "input_size"),
            _size(module, "hidden_size"),
            _size(module, "num_layers"),
            bool(module.bidirectional),
            bool(module.bias),
        )

    def output_size(self, module: nn.Module) -> int:
        """Return P, the size of the hidden state of one direction."""
        return _size(module, "proj_size") or _size(module, "hidden_size")

    def layer(self, module: nn.Module, index: int, reverse: bool) -> Layer[Tensor]:
        """Return one layer and direction of ``module``, detached from the autograd graph."""
        end = f"_l{index}{'_reverse' if reverse else ''}"

        def weight(name: str) -> Tensor | None:
            # Parameters are no attributes for Python, and take PyTorch long to find by their names.
            tensor = module._parameters.get(name + end)
            tensor = getattr(module, name + end, None) if tensor is None else tensor
            return None if tensor is None else tensor.detach()

        entering, recurrent = weight("weight_ih"), weight("weight_hh")
        if entering is None or recurrent is None:
            raise TypeError(f"{type(module).__name__} has no weight_ih{end} and weight_hh{end}")
        projection = weight("weight_hr") if getattr(module, "proj_size", 0) else None
        return Layer(module, entering, recurrent, weight("bias_ih"), weight("bias_hh"), projection)


_sizes = lru_cache(maxsize=256)(Sizes)
"""To check them takes longer than to find those that were checked before, and every trace asks several times."""


def _size(module: nn.Module, name: str) -> int:
    value = getattr(module, name)
    if not isinstance(value, int):
        raise TypeError(f"{type(module).__name__}.{name} is {value!r}, not a whole number")
    return value
