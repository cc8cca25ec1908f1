"""Tones like spoken vowels: a label for every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lstm_studio.sequences.sequence import Encoding
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Batch, Readout, Task, at_least

# First and second formant in hertz, men's averages of Peterson & Barney, J. Acoust. Soc. Am. 24 (1952).
FORMANTS = {"i": (270.0, 2290.0), "ɛ": (530.0, 1840.0), "ɑ": (730.0, 1090.0), "ɔ": (570.0, 840.0), "u": (300.0, 870.0)}
_BANDS = 16
_CENTRES = np.geomspace(200.0, 3200.0, _BANDS)
_WIDTH = 0.18
"""Of a formant, in natural logarithms of the frequency."""
_SHORTEST, _LONGEST = 4, 12


@dataclass(frozen=True)
class Tones(Task):
    """Say which vowel each frame is. Segments of 4 to 12 frames, one vowel each, glide into one another.

    A frame holds the energy in 16 bands between 200 and 3,200 Hz: a bump at each of the vowel's two formants, with
    noise. Each speaker is a factor of 0.85…1.15 on all formants. The formants move from one vowel's to the next one's
    over the first two frames of a segment, which already bear the new label: at a boundary the frame alone says too
    little.

    Parameters
    ----------
    length
        Frames, at least 12.
    noise
        Standard deviation of the noise in each band, at least 0.
    """

    length: int = 60
    noise: float = 0.3

    name: ClassVar[str] = "tones"
    title: ClassVar[str] = "Vowel-like tones"
    shows: ClassVar[str] = "Speech as a sequence: a label for every frame, with neighbours that help to decide."
    readout: ClassVar[Readout] = "classes"
    encoding: ClassVar[Encoding] = Encoding.NUMERIC
    features: ClassVar[tuple[str, ...]] = tuple(f"{centre:.0f} Hz" for centre in _CENTRES)
    answers: ClassVar[tuple[str, ...]] = tuple(FORMANTS)
    chance_words: ClassVar[str] = "all five vowels equally likely: loss ln 5 = 1.609, accuracy 0.2"
    solved_words: ClassVar[str] = "95 % of the frames right"

    def __post_init__(self) -> None:
        at_least(self.name, "length", self.length, _LONGEST)
        at_least(self.name, "noise", self.noise, 0)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Return ``count`` sequences of frames; every frame is scored."""
        formants = np.log(np.array(list(FORMANTS.values())))
        vowels = np.empty((self.length, count), np.int64)
        positions = np.empty((self.length, count, 2))
        for index in range(count):
            begin, before = 0, -1
            while begin < self.length:
                vowel = int(rng.choice([v for v in range(len(FORMANTS)) if v != before]))
                end = min(self.length, begin + int(rng.integers(_SHORTEST, _LONGEST, endpoint=True)))
                vowels[begin:end, index] = vowel
                positions[begin:end, index] = formants[vowel]
                if before >= 0:
                    for step, share in zip(range(begin, min(begin + 2, end)), (1 / 3, 2 / 3), strict=False):
                        positions[step, index] = (1 - share) * formants[before] + share * formants[vowel]
                begin, before = end, vowel
        positions += np.log(rng.uniform(0.85, 1.15, size=(1, count, 1)))
        distance = np.log(_CENTRES) - positions[..., None]
        energy = np.exp(-0.5 * np.square(distance / _WIDTH)).sum(axis=2)
        frames = energy + rng.normal(0.0, self.noise, size=energy.shape)
        return Batch(
            inputs=frames.astype(np.float32),
            targets=np.eye(len(FORMANTS), dtype=np.float32)[vowels],
            scored=np.ones((self.length, count), np.bool_),
            lengths=np.full(count, self.length, np.int64),
        )

    def baseline(self, batch: Batch) -> NDArray[np.float64]:
        """Return the same probability for every vowel."""
        return np.full(batch.targets.shape, 1.0 / len(self.answers))

    def solved(self, reached: Score, chance: Score) -> bool:  # noqa: ARG002 - a share of right frames
        """Return whether nearly all frames are right."""
        return reached.accuracy is not None and reached.accuracy >= 0.95
