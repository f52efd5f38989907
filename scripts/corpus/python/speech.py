"""Thirty seconds of two people talking (pyannote.audio's sample), and what networks of speech take of it."""
import wave
from pathlib import Path

import numpy as np

RATE = 16000


def recording(sources: Path):
    """The recording, float32 in -1 … 1 at 16 kHz."""
    with wave.open(str(sources / "pyannote.audio" / "sample.wav")) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise ValueError("sample.wav is not 16 kHz, one channel, 16 bits")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768


def windows(signal, count, length):
    """`count` parts of `length` samples, spread evenly (they overlap where they must): float32 [count, length]."""
    starts = np.linspace(0, len(signal) - length, count).astype(int)
    return np.stack([signal[start : start + length] for start in starts])


def spectrum(signal, size, hop):
    """Powers of a windowed Fourier transform, frames centred: float64 [frames, size // 2 + 1]."""
    padded = np.pad(signal, size // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2


def mel(powers, bands):
    """Bands of mel: float64 [frames, bands] of [frames, bins]."""
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    bins = np.linspace(0, RATE / 2, powers.shape[1])
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return powers @ np.clip(np.minimum(rising, falling), 0, None)


def decibels(powers):
    """Decibels below the loudest, as (dB + 40) / 40: what Microsoft's quality networks take."""
    level = 10 * np.log10(np.maximum(powers, 1e-10))
    return ((np.maximum(level - level.max(), -80) + 40) / 40).astype(np.float32)
