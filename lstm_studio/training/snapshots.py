"""What a training keeps of itself: all weights at some updates, and at the last of these all it needs to go on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save

from lstm_studio.errors import RunError
from lstm_studio.networks.checkpoints import save_network
from lstm_studio.networks.network import Network
from lstm_studio.sequences.tensors import texts_of
from lstm_studio.training.trainer import Trainer

SNAPSHOTS = "snapshots"
STATE_FILE = "state.safetensors"
_VALUES = "values"
_DENSE = 40
"""So many evaluations are kept before every second one is; twice as many, before every fourth; and so on."""


def is_kept(update: int, every: int) -> bool:
    """Return whether the weights after an update are kept.

    Those after the first ones are, at 0, 1, 2, 4, 8, … up to ``every``; then those at each evaluation, and later ever
    fewer: a long training has some twenty snapshots more for each time that it is twice as long.

    Parameters
    ----------
    update
        From 0.
    every
        Updates between two evaluations.
    """
    if update < every:
        return update & (update - 1) == 0
    spacing = every
    while update > _DENSE * spacing:
        spacing *= 2
    return update % spacing == 0


def save_snapshot(networks: Mapping[str, Network], folder: Path, update: int) -> None:
    """Write the weights of all networks; a snapshot is there as a whole, or not at all.

    Parameters
    ----------
    networks
        By key.
    folder
        Of the run.
    update
        After which they are as they are.

    Raises
    ------
    RunError
        If they cannot be written.
    """
    place = folder / SNAPSHOTS / f"{update:08d}"
    part = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        part.mkdir(parents=True, exist_ok=True)
        for key, network in networks.items():
            save_network(network, part / f"{key}.safetensors")
        if place.exists():
            # A training that goes back to an earlier step comes by here again.
            for file in part.iterdir():
                file.replace(place / file.name)
            part.rmdir()
        else:
            part.rename(place)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise RunError(f"{place} cannot be written ({error.strerror or error}).", "Choose another folder.") from error


def save_state(trainer: Trainer, folder: Path, more: Mapping[str, Any]) -> None:
    """Write all that :func:`load_state` needs.

    Parameters
    ----------
    trainer
        In training.
    folder
        Of the run.
    more
        Further values, which JSON has.

    Raises
    ------
    RunError
        If it cannot be written.
    """
    tensors, values = trainer.state()
    path = folder / STATE_FILE
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(save(tensors, {_VALUES: json.dumps({**values, "more": dict(more)})}))
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written ({error.strerror or error}).", "Choose another folder.") from error


def load_state(trainer: Trainer, folder: Path) -> Mapping[str, Any]:
    """Bring a training to where it was when its state was written, and return the further values.

    Raises
    ------
    RunError
        If there is no state, or it is damaged or of other networks.
    """
    from safetensors.torch import load

    path = folder / STATE_FILE
    try:
        block = path.read_bytes()
        values = json.loads(texts_of(block)[_VALUES])
        trainer.restore(load(block), values)
        more: Mapping[str, Any] = dict(values["more"])
    except FileNotFoundError:
        raise RunError(
            f"{folder} holds nothing to go on from.", "Start the training anew, in another folder."
        ) from None
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error!s:.200}).", "Start the training anew, in another folder.") from error
    return more
