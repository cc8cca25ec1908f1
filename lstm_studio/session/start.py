"""What a session begins with: a sample with its stored traces, or files that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Scaling
from lstm_studio.session.compute import Opened
from lstm_studio.session.samples import Sample
from lstm_studio.session.session import Session
from lstm_studio.session.state import Result, Setup, Verdicts


def stored_result(sample: Sample) -> Result:
    """Return what computing a sample's setup would give, from the traces that are stored with it."""
    network, *companions = sample.networks
    setup = Setup(
        data=sample.sequences,
        item=sample.first,
        network=network.spec,
        companion=companions[0].spec if companions else None,
        objective=sample.objective,
    )
    shown = sample.networks[:2]
    return Result(
        setup=setup,
        sequences=sample.sequences,
        sequence=sample.sequences[sample.first],
        infos=tuple(network.info for network in shown),
        traces=tuple(network.trace for network in shown),
    )


def stored_verdicts(sample: Sample) -> Verdicts | None:
    """Return how the sample's networks classify its sequences, or None where they answer with values or at every step.

    Verdicts are one class for each sequence.
    """
    shown = sample.networks[:2]
    if any(network.predictions.ndim != 1 for network in shown):
        return None
    return Verdicts(
        sequences=sample.sequences,
        networks=tuple(network.info.fingerprint for network in shown),
        predictions=tuple(tuple(network.predictions.tolist()) for network in shown),
    )


def open_together(session: Session, opened: Opened, checkpoints: Sequence[str]) -> None:
    """Show sequences, run through the networks of these checkpoints, as one change.

    Parameters
    ----------
    session
        Where they open.
    opened
        The sequences, and how they are best prepared.
    checkpoints
        The network under the microscope, then its companion; with none, as ``session.open_data``.
    """
    if not checkpoints:
        session.open_data(opened.data, opened.piece_length, opened.scaling)
        return
    specs: dict[str, Any] = {
        role: NetworkSpec(checkpoint=path) for role, path in zip(("network", "companion"), checkpoints, strict=False)
    }
    # The companion on the screen may be trained for other features, and would stop a network that fits.
    specs.setdefault("companion", NetworkSpec("rnn"))
    session.change(
        f"Open {opened.data.title} and {Path(checkpoints[0]).name}",
        data=opened.data,
        item=0,
        piece_length=opened.piece_length,
        scaling=Scaling.NONE,
        objective=None,
        **specs,
    )
