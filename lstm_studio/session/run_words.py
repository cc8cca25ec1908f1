"""How a training is told in a few words: which of its curves is its loss, its kind and units, numbers in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lstm_studio.runs.like import Curve
from lstm_studio.session.pictures import RunPicture

_MINUS = "−"
_LOSSES = ("loss", "train_loss", "train/loss", "training_loss", "Loss/train", "loss/train")


def main_loss(picture: RunPicture) -> tuple[str, Curve] | None:
    """Return name and curve of the loss that stands for a training; None where it told none.

    That which is called so; of several networks that of the first; else whatever has the word in its name.
    """
    names = loss_names(picture.scalars)
    for name in names:
        curve = picture.scalars[name]
        if len(curve[0]):
            return name, curve
    return None


def loss_names(names: Iterable[str]) -> list[str]:
    """Return the names of losses, the one that stands for the training first."""
    known = list(names)
    exact = [name for name in _LOSSES if name in known]
    held_out = [name for name in known if name.endswith(".loss")]
    others = [name for name in known if "loss" in name.lower()]
    return list(dict.fromkeys((*exact, *held_out, *others)))


def chance_of(picture: RunPicture, name: str) -> float | None:
    """Return what guessing comes to on a curve, where the training says so."""
    chance = picture.training.get("chance")
    kind = name.rpartition(".")[2]
    found = chance.get(kind) if isinstance(chance, dict) else None
    usable = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
    return float(found) if usable and found is not None else None


def planned_steps(picture: RunPicture) -> int:
    """Return how many steps a training is to have; 0 where it does not say."""
    recipe = picture.training.get("recipe")
    updates = recipe.get("updates") if isinstance(recipe, dict) else None
    return updates if isinstance(updates, int) and not isinstance(updates, bool) and updates > 0 else 0


def network_words(picture: RunPicture) -> str:
    """Return kind and units of the recurrent layers, ``LSTM 16 · RNN 16``; empty where that is not known."""
    found = picture.info.get("layers")
    words: dict[str, None] = {}
    for layer in found if isinstance(found, list) else []:
        if not isinstance(layer, dict):
            continue
        title, units = layer.get("title") or layer.get("kind"), layer.get("hidden_size")
        if isinstance(title, str) and title:
            stacked = layer.get("layers")
            times = f" × {stacked}" if isinstance(stacked, int) and stacked > 1 else ""
            words[f"{title[:40]} {units}{times}" if isinstance(units, int) else title[:40]] = None
    return " · ".join(words)


def is_held_out(picture: RunPicture, name: str) -> bool:
    """Return whether gradients by lag are a training's on held-out sequences, and those of its batches lie beside them.

    The held-out ones are called after the network, ``rnn.0``; those of the batches after the module, ``rnn.rnn.0``. To
    tell of both as if they were two would be to tell of one network twice.
    """
    if not isinstance(picture.info.get("training"), dict):
        return False
    layers, _, signal = name.rpartition(".")
    key, _, layer = layers.rpartition(".")
    ending = f".{layer}.{signal}"
    return any(other != name and other.startswith(f"{key}.") and other.endswith(ending) for other in picture.lags)


def age_words(seconds: float) -> str:
    """Return for how long nothing has been heard: ``1 s``, ``3 min``, ``2 h``, ``5 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    for unit, length, most in (("min", 60.0, 90), ("h", 3600.0, 48)):
        if seconds / length < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def number_words(number: int) -> str:
    """Write a whole number, ``2,350``."""
    return f"{number:,}".replace("-", _MINUS)


def format_size(value: float) -> str:
    """Write how large something is in two digits: ``0.27``, ``1.4``, ``3.5e−20``."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite" if value > 0 else f"{_MINUS} infinite"
    if value == 0:
        return "0"
    if 0.01 <= abs(value) < 1000:
        text = f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
    else:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", _MINUS)
