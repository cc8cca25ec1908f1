"""The share of one process in a training that several do together, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor

from lstm_studio.engine import devices
from lstm_studio.errors import StudioError
from lstm_studio.tasks.task import Batch

_PATIENCE = timedelta(days=30)
"""A paused training lets the other processes wait."""


@dataclass(frozen=True, slots=True)
class Share:
    """Every process draws the same batches, takes its rows, and all add up their gradients.

    Parameters
    ----------
    rank, world
        Which process it is, and how many there are.
    device
        Where it computes; None leaves that to the recipe.
    """

    rank: int = 0
    world: int = 1
    device: torch.device | None = None

    @property
    def is_first(self) -> bool:
        """Whether it is the one that records and reports."""
        return self.rank == 0

    def of(self, batch: Batch) -> Batch:
        """Return the part of a batch that is this process's."""
        if self.world == 1:
            return batch
        rows = slice(self.rank, None, self.world)
        return Batch(batch.inputs[:, rows], batch.targets[:, rows], batch.scored[:, rows], batch.lengths[rows])

    def add_up(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its sum over all processes; one message for all of them."""
        if self.world == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def wait(self) -> None:
        """Wait until all processes have come here."""
        self.told(True)

    def told(self, decision: bool) -> bool:
        """Return what the first process has decided."""
        if self.world == 1:
            return decision
        said = torch.tensor([float(decision)], device=self.device)
        dist.broadcast(said, 0)
        return bool(said.item())


ALONE = Share()


@contextmanager
def joined(device: str, batch: int) -> Iterator[Share]:
    """Join the other processes that ``torchrun`` has started, for as long as the training takes; alone without it.

    Parameters
    ----------
    device
        As in ``ls.trace``; on a machine with several CUDA devices each process takes its own.
    batch
        Sequences in each update.

    Raises
    ------
    StudioError
        If there is no such device, or there are more processes than sequences in a batch.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if "LOCAL_RANK" not in os.environ or world == 1:
        yield ALONE
        return
    rank = int(os.environ["RANK"])
    if batch < world:
        raise StudioError(
            f"{world} processes share a batch of {batch}.", f"Give --batch {world} or more, or start fewer processes."
        )
    where = devices.choose(device)
    way = "gloo"
    if where.type == "cuda":
        here, devices_here = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        where = torch.device("cuda", here % devices_here)
        torch.cuda.set_device(where)
        # NCCL wants a device for every process.
        way = "nccl" if int(os.environ.get("LOCAL_WORLD_SIZE", world)) <= devices_here else "gloo"
    dist.init_process_group(way, timeout=_PATIENCE)
    try:
        yield Share(rank, world, where)
    finally:
        dist.destroy_process_group()
