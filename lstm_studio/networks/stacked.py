"""Kinds that PyTorch does not have: what their cells say, and the one module that runs them.

A cell in ``cells/`` says which weights a layer has and how it goes through a sequence; :class:`StackedModule` owns the
weights, stacks the layers, runs them in one or two directions and is called as ``torch.nn.RNNBase`` is. Importing this
module does not import torch.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lstm_studio.networks.cell import Cell, Layer
from lstm_studio.networks.sizes import Sizes

if TYPE_CHECKING:
    from torch import Tensor, nn

Shapes = dict[str, tuple[int, ...]]
"""Stem of a weight's name → its shape: ``weight_ih``, perhaps ``weight_hh`` and ``bias_ih``, and a kind's own."""

_IN_EVERY_LAYER = ("weight_ih", "weight_hh", "bias_ih")


class StackedCell(Cell):
    """A kind whose module is a :class:`~lstm_studio.networks.stacked_module.StackedModule`."""

    @abstractmethod
    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        """Return the weights of one layer and direction.

        Parameters
        ----------
        entering
            Features that enter the layer.
        hidden_size
            H.
        bias
            Whether there are bias vectors.
        options
            All options, checked.
        """

    @abstractmethod
    def state_sizes(self, hidden_size: int, options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the size of each tensor that goes from step to step, :attr:`Cell.states` first."""

    @abstractmethod
    def advance(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one layer in one direction, differentiably.

        Parameters
        ----------
        layer
            The weights; the options are those of its module.
        x
            (T, B, F), T at least 1, in the order of processing.
        initial
            One (B, ·) tensor per state, of :meth:`state_sizes`.

        Returns
        -------
        tuple
            The (T, B, H) hidden states, and the states after the last step.
        """

    def start(self, weights: Mapping[str, Tensor]) -> None:
        """Change the first weights of one layer and direction, by stem; all are drawn from ±1/√H before."""

    def checked(self, sizes: Sizes, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options.

        Raises
        ------
        NetworkError
            If one is unknown, or does not fit the sizes.
        """
        del sizes
        return self.checked_options(options)

    def accepts(self, module: nn.Module) -> bool:
        """Return whether ``module`` is of this kind."""
        from lstm_studio.networks.stacked_module import StackedModule

        return isinstance(module, StackedModule) and module.kind == self.kind

    def build(self, sizes: Sizes, options: Mapping[str, Any]) -> nn.Module:
        """Return a new module with weights drawn from torch's current random state."""
        from lstm_studio.networks.stacked_module import StackedModule

        return StackedModule(self.kind, sizes, options)

    def parameter_count(self, sizes: Sizes, options: Mapping[str, Any]) -> int:
        """Return the number of weights in closed form."""
        chosen = self.checked(sizes, options)
        every = [self.shapes(entering, sizes.hidden_size, sizes.bias, chosen) for entering in entering_sizes(sizes)]
        return sizes.directions * sum(math.prod(shape) for shapes in every for shape in shapes.values())

    def module_options(self, module: nn.Module) -> dict[str, Any]:
        """Return the options with which ``module`` was built."""
        return dict(options_of(module))

    def layer(self, module: nn.Module, index: int, reverse: bool) -> Layer[Tensor]:
        """Return one layer and direction of ``module``, detached from the autograd graph."""
        return stacked_layer(module, index, reverse).map(lambda weight: weight.detach())

    def run(self, layers: Sequence[Layer[Tensor]], x: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
        """Run one layer of a stack, in one or two directions."""
        import torch

        outputs = []
        for direction, layer in enumerate(layers):
            entering = (x.flip(0) if direction else x).unsqueeze(1)
            hidden = self.advance(layer, entering, tuple(state[direction : direction + 1] for state in initial))[0]
            outputs.append(hidden.squeeze(1).flip(0) if direction else hidden.squeeze(1))
        return torch.cat(outputs, dim=1)


def entering_sizes(sizes: Sizes) -> list[int]:
    """Return the number of features that enter each layer, from the input up."""
    return [sizes.input_size] + [sizes.directions * sizes.hidden_size] * (sizes.layers - 1)


def options_of(module: nn.Module) -> Mapping[str, Any]:
    """Return the options of a :class:`~lstm_studio.networks.stacked_module.StackedModule`."""
    from lstm_studio.networks.stacked_module import StackedModule

    if not isinstance(module, StackedModule):
        raise TypeError(f"{type(module).__name__} is no StackedModule")
    return module.options


def stacked_layer(module: nn.Module, index: int, reverse: bool) -> Layer[Tensor]:
    """Return one layer and direction, part of the autograd graph."""
    end = f"_l{index}{'_reverse' if reverse else ''}"
    own = {name.removesuffix(end): weight for name, weight in module.named_parameters() if name.endswith(end)}
    entering = own["weight_ih"]
    # A kind without recurrence reads nothing of the step before: a matrix without columns.
    recurrent = own["weight_hh"] if "weight_hh" in own else entering.new_empty((len(entering), 0))
    more = {name: weight for name, weight in own.items() if name not in _IN_EVERY_LAYER}
    return Layer(module, entering, recurrent, own.get("bias_ih"), more=more)
