"""What is on the screen before anything has been computed: a sample with its stored traces."""

from __future__ import annotations

from lstm_studio.session.samples import Sample
from lstm_studio.session.state import Result, Setup, Verdicts


def stored_result(sample: Sample) -> Result:
    """Return what computing a sample's setup would give, from the traces that are stored with it."""
    network, *companions = sample.networks
    setup = Setup(
        data=sample.sequences,
        item=sample.first,
        network=network.spec,
        companion=companions[0].spec if companions else None,
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
