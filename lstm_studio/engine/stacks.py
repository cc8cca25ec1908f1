"""Stacks of one layer that compute with the weights of another module."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class _Unfilled(nn.RNNBase):
    """Draws no first weights: that would move the random state, and they are replaced at once.

    PyTorch's own way to a module without weights, the device "meta", loads symbolic mathematics first, which takes a
    third of a second.
    """

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class _LSTM(_Unfilled, nn.LSTM):
    pass


class _GRU(_Unfilled, nn.GRU):
    pass


class _RNN(_Unfilled, nn.RNN):
    pass


def layer_with(module: nn.Module, input_size: int, weight: Callable[[str], Tensor]) -> nn.RNNBase | None:
    """Return a stack of one layer that computes what ``module`` computes in one of its layers; time first.

    Parameters
    ----------
    module
        An ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``, or a cell of these; of anything else there is none.
    input_size
        Features that enter the layer.
    weight
        Called with the name that a weight has in a stack, ``"weight_ih_l0"``; returns it.
    """
    size = module.hidden_size
    shape = {"bias": module.bias, "bidirectional": getattr(module, "bidirectional", False)}
    stack: nn.RNNBase
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        stack = _LSTM(input_size, size, proj_size=getattr(module, "proj_size", 0), **shape)
    elif isinstance(module, nn.GRU | nn.GRUCell):
        stack = _GRU(input_size, size, **shape)
    elif isinstance(module, nn.RNN | nn.RNNCell):
        stack = _RNN(input_size, size, nonlinearity=module.nonlinearity, **shape)
    else:
        return None
    for name in [name for name, _ in stack.named_parameters()]:
        own = weight(name).detach()
        delattr(stack, name)
        setattr(stack, name, own)
    return stack


def with_weights_of_now(module: nn.Module) -> nn.Module | None:
    """Return a copy of a stack of PyTorch's with the weights of the call that has just ended.

    None where its weights are its parameters. Others are computed from something, perhaps anew each time that one asks
    for them: from a norm, from what dropout leaves of them, or from what stands in for the parameters during the call.
    """
    if not isinstance(module, nn.RNNBase):
        return None
    own = module._parameters
    weights = list(zip(module._flat_weights_names, module._flat_weights, strict=True))
    if all(own.get(name) is weight and type(weight) is nn.Parameter for name, weight in weights):
        return None
    kind = next(kind for kind in (nn.LSTM, nn.GRU, nn.RNN, nn.RNNBase) if isinstance(module, kind))
    holder = kind.__new__(kind)
    vars(holder).update(vars(module), _parameters={}, _modules={}, _buffers={})
    vars(holder).update((name, weight) for name, weight in weights if weight is not None)
    return holder
