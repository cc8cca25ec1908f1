"""Sound files, and the log-mel spectra against an independent transform."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]  # it has no annotations

from lstm_studio.errors import SequenceError
from lstm_studio.sequences.opening import open_sequence
from lstm_studio.sequences.options import AudioFeatures, MemoryLimitError, ReadOptions
from lstm_studio.sequences.readers._mel import LogMel

RAW = ReadOptions(audio=AudioFeatures.RAW)


def tone(rate: int, hertz: float, seconds: float = 0.5) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize(("suffix", "tolerance"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.1)])
def test_samples_and_sample_rate_are_kept(tmp_path: Path, suffix: str, tolerance: float) -> None:
    samples = tone(16_000, 440)
    soundfile.write(tmp_path / f"a.{suffix}", samples, 16_000)
    sequences = open_sequence(tmp_path / f"a.{suffix}", options=RAW)
    sequence = sequences[0]
    assert sequence.names == ("amplitude",)
    np.testing.assert_allclose(sequence.values[:, 0], samples, atol=tolerance)
    assert sequence.time is not None
    np.testing.assert_allclose(sequence.time, np.arange(8_000) / 16_000)
    assert sequence.time_unit == "s"
    assert dict(sequences.facts)["sample rate"] == "16,000 Hz"


def test_channels_are_averaged_and_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(8000, 300), np.zeros(4000)], axis=1), 8000, subtype="FLOAT")
    sequences = open_sequence(tmp_path / "a.wav", options=RAW)
    np.testing.assert_allclose(sequences[0].values[:, 0], tone(8000, 300) / 2, atol=1e-7)
    assert dict(sequences.facts)["channels"] == "2, averaged"


def test_frames_are_10_ms_apart_and_the_loudest_band_is_the_tone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16_000, 1000), 16_000)
    sequence = open_sequence(tmp_path / "a.wav")[0]
    assert sequence.values.shape == (1 + (8000 - 400) // 160, 40)
    assert sequence.time is not None
    np.testing.assert_allclose(np.diff(sequence.time), 0.010)
    assert sequence.time[0] == pytest.approx(0.0125)
    assert sequence.time_unit == "s"
    centres = LogMel.at(16_000).centres
    assert set(sequence.values.argmax(axis=1)) == {int(np.abs(centres - 1000).argmin())}


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100])
def test_log_mel_against_a_discrete_fourier_sum(rate: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, rate // 10).astype(np.float32)
    mel = LogMel.at(rate)
    values = mel.transform(samples, lambda fraction: None)

    window, hop, size = round(0.025 * rate), round(0.010 * rate), 2 * (len(mel.filters) - 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    frequencies = np.arange(size // 2 + 1) * rate / size
    waves = np.exp(-2j * np.pi * np.outer(frequencies / rate, np.arange(window)))
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, 42) / 2595) - 1)
    for frame in range(len(values)):
        power = np.abs(waves @ (samples[frame * hop : frame * hop + window] * hann)) ** 2
        for band in range(40):
            weights = np.interp(frequencies, edges[band : band + 3], [0, 1, 0], left=0, right=0)
            assert values[frame, band] == pytest.approx(np.log(weights @ power), abs=2e-3)


@pytest.mark.parametrize("rate", [1_000, 4_000, 8_000, 16_000, 22_050, 48_000, 192_000])
def test_every_band_hears_something_at_every_rate(rate: int) -> None:
    assert (LogMel.at(rate).filters.sum(axis=0) > 0).all()


def test_a_click_shorter_than_a_frame_is_one_frame(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(20, 0.5), 8000)
    sequence = open_sequence(tmp_path / "a.wav")[0]
    assert sequence.values.shape == (1, 40)
    assert np.isfinite(sequence.values).all()


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_a_cut_sound_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 60_000)
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, noise, 16_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(30, int(len(whole) * share))])
    with pytest.raises(SequenceError) as caught:
        open_sequence(path)
    assert f"a.{suffix}" in caught.value.found


def test_a_recorder_that_never_filled_in_the_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(8000, 440), 8000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(content))
    assert len(open_sequence(path, options=RAW)[0]) == 4000


def test_an_empty_sound_and_one_too_long_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    with pytest.raises(SequenceError, match="no samples"):
        open_sequence(tmp_path / "empty.wav")
    soundfile.write(tmp_path / "long.wav", tone(8000, 440, 5), 8000)
    with pytest.raises(MemoryLimitError, match=r"5\.0 s of sound"):
        open_sequence(tmp_path / "long.wav", options=ReadOptions(memory_limit=1000))
