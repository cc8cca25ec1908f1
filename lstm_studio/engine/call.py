"""One call of a recurrent module: what went in and came out, and where one item of the batch lies in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.networks.cell import Cell
from lstm_studio.networks.kernel_gates import Kept


@dataclass(frozen=True, slots=True)
class Layout:
    """How the steps and the items of a batch lie in the tensors of one call.

    Parameters
    ----------
    items
        B, 1 without a batch.
    batch_axis
        The axis of the batch in inputs and outputs; None without one, and where they are packed.
    single_step
        Whether the call is of one step without an axis of time, as of ``nn.LSTMCell``.
    packed
        What the steps were packed in, or None.
    """

    items: int
    batch_axis: int | None
    single_step: bool = False
    packed: PackedSequence | None = None

    def rows(self, item: int) -> Any:
        """Return the index under which the (T, ·) part of one item lies in an input or output."""
        if self.packed is not None:
            return self._packed_rows(self.packed, item)
        if self.single_step:
            return None if self.batch_axis is None else slice(item, item + 1)
        return ... if self.batch_axis is None else (slice(None),) * self.batch_axis + (item,)

    def states(self, item: int) -> Any:
        """Return the index under which the (L·D, ·) part of one item lies in a state."""
        if self.single_step:
            return self.rows(item)
        return ... if self.batch_axis is None and self.packed is None else (slice(None), item)

    @staticmethod
    def _packed_rows(packed: PackedSequence, item: int) -> Tensor:
        place = item if packed.unsorted_indices is None else int(packed.unsorted_indices[item])
        sizes = packed.batch_sizes
        starts = sizes.cumsum(0) - sizes
        return (starts[sizes > place] + place).to(packed.data.device)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a recurrent module.

    Parameters
    ----------
    path
        Attribute path of the module in the model; empty for the model itself.
    module, cell
        The module and its kind; for ``nn.LSTMCell`` and its kin a stack of one layer with the same weights.
    layout
        Where the items of the batch lie.
    x
        What entered, laid out so: (T, F), (T, B, F), (B, T, F), packed (ΣT, F), or for a single step ([B,] F). Still
        attached to the graph of whatever computed it.
    given, initial
        The initial states as the module was given them, and in its precision, likewise attached, each (L·D, [B,] P or
        H), or ([B,] H) for a single step; empty where it started at zero.
    output
        The hidden states it returned, laid out as ``x``; a leaf of the graph of whatever follows.
    final
        The final states it returned, likewise leaves, laid out as ``initial``; for a single step the first is
        ``output``.
    handed
        The copies of ``final`` that the model went on with.
    random
        The state of the random numbers before it, where it drew dropout between its layers from them; else None.
    kept
        What the fused kernel kept of each layer and direction, by the address of its first matrix of weights.
    recorded
        Whether autograd recorded what it could of the call: of one sequence, another kernel computes it then.
    copied
        A copy of the module with the weights of this call, where they are computed anew for each.
    """

    path: str
    module: nn.Module
    cell: Cell
    layout: Layout
    x: Tensor
    given: tuple[Tensor, ...]
    initial: tuple[Tensor, ...]
    output: Tensor
    final: tuple[Tensor, ...]
    handed: tuple[Tensor, ...]
    random: Tensor | None = None
    kept: dict[int, Kept] = field(default_factory=dict)
    recorded: bool = False
    copied: nn.Module | None = None

    @property
    def holder(self) -> nn.Module:
        """What holds the weights of this call: the module, or the copy that has them."""
        return self.module if self.copied is None else self.copied

    @property
    def leaves(self) -> tuple[Tensor, ...]:
        """The output and the final states, each once."""
        return self.final if self.layout.single_step else (self.output, *self.final)

    @property
    def is_one_step(self) -> bool:
        """Whether the call went one step on in one direction, so that a loop must be around it."""
        if self.layout.single_step:
            return True
        if self.layout.packed is not None or self.cell.sizes(self.module).bidirectional:
            return False
        return self.x.shape[1 if self.layout.batch_axis == 0 else 0] == 1

    def input(self, item: int) -> Tensor:
        """Return what one item of the batch gave the module, (T, F)."""
        return self.x[self.layout.rows(item)]

    def hidden(self, item: int) -> Tensor:
        """Return the hidden states that the module returned for one item, (T, D·P)."""
        return self.output[self.layout.rows(item)]

    def state(self, state: Tensor, item: int) -> Tensor:
        """Return the (L·D, ·) part of one item of a tensor laid out as the states."""
        return state[self.layout.states(item)]

    def last_hidden(self, item: int) -> Tensor:
        """Return the top layer's last hidden state of one item, (D, P)."""
        directions = self.cell.sizes(self.module).directions
        return self.state(self.final[0], item)[-directions:]

    def continues(self, earlier: Call) -> bool:
        """Return whether the call starts with the states that an earlier one of the same module ended with.

        The very ones, or equal ones: those that were detached, so that gradients end there, follow each other all the
        same.
        """
        return (
            bool(self.given)
            and self.layout.items == earlier.layout.items
            and len(self.given) == len(earlier.handed)
            and all(
                state is handed or torch.equal(state, handed)
                for state, handed in zip(self.given, earlier.handed, strict=True)
            )
        )

    def starts_anew(self) -> bool:
        """Return whether all initial states are zero."""
        return not any(bool(state.any()) for state in self.initial)

    def starts_as(self, earlier: Call) -> bool:
        """Return whether the initial states are equal to those of an earlier call."""
        return len(self.initial) == len(earlier.initial) and all(map(torch.equal, self.initial, earlier.initial))


@dataclass(slots=True)
class Chain:
    """Calls of one module that follow each other in time, as one sequence of steps.

    Parameters
    ----------
    path
        Attribute path of the module; of its second and later chains in one forward pass with ``#2``, … after it.
    calls
        In order, at least one.
    """

    path: str
    calls: list[Call]

    def takes(self, call: Call) -> bool:
        """Return whether ``call`` continues the states of the last call of this chain."""
        last = self.calls[-1]
        one_way = not call.cell.sizes(call.module).bidirectional
        return call.module is last.module and one_way and call.continues(last)


def chains(calls: list[Call]) -> list[Chain]:
    """Put calls that follow each other in time together.

    A call follows another of the same module if it starts with the states which that one returned. Single steps whose
    states were changed in between follow the last one all the same, unless they start at zero again, or with the states
    that an earlier chain started with: a loop that is run once more.
    """
    found: list[Chain] = []
    counts: dict[int, int] = {}
    for call in calls:
        same = [chain for chain in reversed(found) if chain.calls[-1].module is call.module]
        chain = next((chain for chain in same if chain.takes(call)), None)
        if chain is None and same and call.is_one_step and same[0].calls[-1].is_one_step:
            again = call.starts_anew() or any(call.starts_as(chain.calls[0]) for chain in same)
            chain = None if again else same[0]
        if chain is not None:
            chain.calls.append(call)
            continue
        counts[id(call.module)] = count = counts.get(id(call.module), 0) + 1
        found.append(Chain(call.path if count == 1 else f"{call.path or call.cell.kind}#{count}", [call]))
    return found
