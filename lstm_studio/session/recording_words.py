"""How a run is recorded, in a few facts."""

from __future__ import annotations

from typing import Any

from lstm_studio.runs.like import Status
from lstm_studio.session.pictures import RunPicture
from lstm_studio.session.run_words import age_words, format_size, network_words, number_words

_ERROR = ".recovery_error"
_EXACT = 1e-4
"""What hidden states in float32 differ by at most from those that are recomputed, after many steps."""


def recorder_facts(picture: RunPicture) -> tuple[tuple[str, str], ...]:
    """Return what there is to say of how a run is recorded: name and value, in order."""
    info = picture.info
    facts: list[tuple[str, str]] = []
    every, sequences = _whole(info.get("every")), _whole(info.get("sequences"))
    if every:
        of = f", {number_words(sequences)} sequences" if sequences > 1 else ""
        facts.append(("Sampled", f"{'every step' if every == 1 else f'every {number_words(every)} steps'}{of}"))
    dropped = sum(_whole(event.get("records")) for event in picture.events if event.get("event") == "dropped")
    if picture.steps or dropped:
        facts.append(("Traces", f"{number_words(len(picture.steps))}, {number_words(dropped) or 'none'} dropped"))
        if not dropped:
            facts[-1] = ("Traces", f"{number_words(len(picture.steps))}, none dropped")
    if picture.snapshots:
        facts.append(("Snapshots", number_words(len(picture.snapshots))))
    heard = f"{age_words(picture.silent)} ago"
    facts.append(("Last data" if picture.status is Status.RUNNING else "Ended", heard))
    facts += _gradient(picture)
    dtype = info.get("dtype")
    if isinstance(dtype, str):
        facts.append(("Signals", f"{dtype[:20]}, gradients {str(info.get('gradient_dtype', ''))[:20]}"))
    world = _whole(info.get("world_size"))
    if world > 1:
        facts.append(("Processes", f"{number_words(world)}, recorded {str(info.get('ranks', ''))[:20]}"))
    networks = network_words(picture)
    if networks:
        facts.append(("Layers", networks))
    program = info.get("program")
    if isinstance(program, str):
        facts.append(("Written by", program[:60]))
    if picture.problems:
        facts.append(("Unreadable", number_words(len(picture.problems))))
    facts.append(("Address", picture.address))
    return tuple(facts)


def _gradient(picture: RunPicture) -> list[tuple[str, str]]:
    """Return whether gradients are recorded, and how they were found."""
    if picture.lacks:
        return [("Gradient", "not in this log")]
    if not picture.lags:
        return [("Gradient", "none so far")] if picture.steps else []
    return [("Gradient", f"replayed through time{_how_exact(picture)}"), *_whose_share(picture)]


def _how_exact(picture: RunPicture) -> str:
    """Return how well the last sampled step was recovered; empty where the run does not say, as those of before."""
    ends = {name: curve[1][-1] for name, curve in picture.statistics.items() if name.endswith(_ERROR) and len(curve[1])}
    rough = {name.removesuffix(_ERROR): float(error) for name, error in ends.items() if error > _EXACT}
    if not rough:
        return ", exact to rounding" if ends else ""
    of = "" if len(rough) == len(ends) else f" in {', '.join(rough)}"
    return f"; approximate{of}: states are {format_size(max(rough.values()))} off, as in half precision"


def _whose_share(picture: RunPicture) -> list[tuple[str, str]]:
    """Return of which part of the batch the gradients are, where processes share it."""
    world = _whole(picture.info.get("world_size"))
    return [("Of the batch", f"the share of one process of {number_words(world)}")] if world > 1 else []


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
