"""Inputs of the networks that hear speech and music, or read other signals."""
import os

# onnxruntime collects telemetry, and asks this when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from scipy.signal import spectrogram

import speech
from case import Inputs, whole

_SPEECH = "speech of pyannote.audio's sample"
_SILERO = 512  # Samples that Silero takes at a time, besides 64 of the last ones.


def _session(corpus, name):
    return onnxruntime.InferenceSession(str(corpus / "packages" / f"{name}.onnx"))


def _mel_frames(corpus):
    """openWakeWord's mel spectrogram of the recording: [frames, 32]."""
    pcm = speech.recording(corpus / "sources") * 32767
    (frames,) = _session(corpus, "wakeword-melspectrogram").run(None, {"input": pcm[None]})
    return frames.reshape(-1, 32) / 10 + 2


def _embeddings(corpus):
    """openWakeWord's embeddings of the recording, one each 80 ms: [steps, 96]."""
    cut = np.lib.stride_tricks.sliding_window_view(_mel_frames(corpus), 76, axis=0)[::8].transpose(0, 2, 1)
    (steps,) = _session(corpus, "wakeword-embedding").run(None, {"input_1": np.ascontiguousarray(cut[..., None])})
    return steps.reshape(-1, 96)


def _wake_word(name, steps, input_name="onnx::Flatten_0"):
    def case(corpus):
        cut = np.lib.stride_tricks.sliding_window_view(_embeddings(corpus), steps, axis=0).transpose(0, 2, 1)
        chosen = cut[np.linspace(0, len(cut) - 1, 64).astype(int)]
        return Inputs({input_name: np.ascontiguousarray(chosen)}, f"{_SPEECH}, embedded by openWakeWord", True)

    return {name: case}


def wakeword_embedding(corpus):
    cut = np.lib.stride_tricks.sliding_window_view(_mel_frames(corpus), 76, axis=0).transpose(0, 2, 1)
    chosen = cut[np.linspace(0, len(cut) - 1, 32).astype(int)]
    return Inputs({"input_1": np.ascontiguousarray(chosen[..., None])}, f"{_SPEECH}, as mel spectrogram", True)


def wakeword_melspectrogram(corpus):
    pcm = speech.recording(corpus / "sources") * 32767
    return Inputs({"input": speech.windows(pcm, 16, 12640)}, _SPEECH, True)


def _silero(name, state, *, context=64, rate=True, fields=("state", "stateN")):
    """Steps of one run over ten seconds of the recording, with the state that each began with."""

    def case(corpus):
        signal = speech.recording(corpus / "sources")
        session = _session(corpus, name)
        states = {held: np.zeros(state, np.float32) for held in fields[::2]}
        taken = {"input": [], **{held: [] for held in states}}
        for step in range(320):
            start = 5 * speech.RATE + step * _SILERO
            feed = {"input": signal[None, start - context : start + _SILERO], **states}
            if step % 20 == 19:
                for key, value in feed.items():
                    taken[key].append(value[0] if key == "input" else value)
            if rate:
                feed["sr"] = np.array(speech.RATE, np.int64)
            outputs = dict(zip((output.name for output in session.get_outputs()), session.run(None, feed)))
            states = {held: outputs[after] for held, after in zip(fields[::2], fields[1::2])}
        arrays = {key: np.stack(values) for key, values in taken.items()}
        if rate:
            arrays["sr"] = whole(np.array(speech.RATE, np.int64), 16)
        return Inputs(arrays, f"{_SPEECH}, with the states of a run over it", True)

    return {name: case}


def silero_sequence(corpus):
    signal = speech.recording(corpus / "sources")
    cut = np.lib.stride_tricks.sliding_window_view(signal, _SILERO + 64)[::_SILERO]
    sequences = np.stack([cut[start : start + 32] for start in np.linspace(0, len(cut) - 32, 16).astype(int)])
    zeros = whole(np.zeros((1, 1, 128), np.float32), 16)
    return Inputs({"input": sequences, "h": zeros, "c": zeros}, _SPEECH, True)


def speech_quality(corpus):
    return Inputs({"input_1": speech.windows(speech.recording(corpus / "sources"), 16, 144160)}, _SPEECH, True)


def speech_quality_background(corpus):
    parts = speech.windows(speech.recording(corpus / "sources"), 16, 144000)
    logs = [np.log10(np.maximum(speech.spectrum(part, 320, 160), 1e-12)) for part in parts]
    return Inputs({"input_1": np.stack(logs).astype(np.float32)}, f"{_SPEECH}, as spectrogram", True)


def speech_quality_mel(corpus):
    parts = speech.windows(speech.recording(corpus / "sources"), 16, 143840)
    mels = [speech.decibels(speech.mel(speech.spectrum(part, 320, 160), 120)) for part in parts]
    return Inputs({"input_1": np.stack(mels)}, f"{_SPEECH}, as mel spectrogram", True)


def _echo(name, hidden, marked):
    def case(corpus):
        signal = speech.recording(corpus / "sources")
        near, far = speech.windows(signal, 8, 64000), speech.windows(signal[::-1][: len(signal) // 2], 8, 64000)[:, ::-1]
        samples = []
        for voice, echo in zip(near, far):
            heard = (echo, voice + 0.4 * np.roll(echo, 800), voice + 0.05 * np.roll(echo, 800))
            mels = [speech.decibels(speech.mel(speech.spectrum(part, 512, 256), 160)) for part in heard]
            if marked:
                mels = [np.concatenate([m, np.ones((20, 160)), np.zeros((20, 160))]) for m in mels]
            samples.append(np.stack(mels))
        arrays = {"input": np.stack(samples).astype(np.float32), "h0": whole(np.zeros(hidden, np.float32), 8)}
        return Inputs(arrays, f"{_SPEECH} with echoes of itself, as mel spectrogram", True)

    return {name: case}


def packet_loss_quality(corpus):
    random = np.random.default_rng(17)
    parts = speech.windows(speech.recording(corpus / "sources"), 8, 64000).copy()
    for part in parts:
        for start in random.integers(0, 64000 - 320, 6):
            part[start : start + 320] = 0
    logs = [np.log(np.maximum(speech.spectrum(part, 512, 256), 1e-10)) for part in parts]
    raters = random.normal(0, 1, (8, 64)).astype(np.float32)
    arrays = {"degraded_audio": np.stack(logs)[:, None].astype(np.float32), "rater_embed": raters}
    return Inputs(arrays, f"{_SPEECH} with packets lost; raters made up", True)


def speaker_embedding(corpus):
    parts = speech.windows(speech.recording(corpus / "sources"), 32, 12640)
    mels = [np.log(speech.mel(speech.spectrum(part, 512, 160), 40) + 1e-6) for part in parts]
    return Inputs({"mel_window": np.stack(mels)[:, :80].astype(np.float32)}, f"{_SPEECH}, as mel spectrogram", True)


def voice_filter(corpus):
    parts = speech.windows(speech.recording(corpus / "sources"), 8, 32000)
    mels = [np.log(speech.mel(speech.spectrum(part, 400, 160), 128) + 1e-6) for part in parts]
    stacked = np.stack(mels)[:, :200].reshape(8, 50, 512).astype(np.float32)
    session = _session(corpus, "speaker-embedding-int8")
    voices = speaker_embedding(corpus).arrays["mel_window"][::4]
    zeros = whole(np.zeros((3, 1, 512), np.float32), 8)
    arrays = {"stacked_logmel": stacked, "dvec": session.run(None, {"mel_window": voices})[0], "h0": zeros, "c0": zeros}
    return Inputs(arrays, f"{_SPEECH}, as mel spectrogram, and its speakers' embeddings", True)


def note_transcription(_):
    random = np.random.default_rng(19)
    time = np.arange(43844) / 22050
    samples = []
    for _ in range(16):
        sound = np.zeros_like(time)
        for start in np.sort(random.uniform(0, 1.6, 5)):
            pitch = 440 * 2 ** ((random.integers(45, 80) - 69) / 12)
            since = np.clip(time - start, 0, None)
            tone = sum(np.sin(2 * np.pi * pitch * k * since) / k**1.5 for k in range(1, 8))
            sound += (time > start) * np.exp(-3 * since) * tone
        samples.append(0.2 * sound + random.normal(0, 1e-3, time.shape))
    arrays = {"serving_default_input_2:0": np.stack(samples)[..., None].astype(np.float32)}
    return Inputs(arrays, "plucked notes, made up of harmonics", False)


def _brain(count, length, rate):
    """Noise whose power falls with frequency, and bursts of 13 Hz: what an electroencephalogram looks like."""
    random = np.random.default_rng(23)
    frequencies = np.fft.rfftfreq(length, 1 / rate)
    falling = np.fft.irfft(np.fft.rfft(random.normal(0, 1, (count, length))) / np.sqrt(frequencies + 1), length)
    time = np.arange(length) / rate
    for signal in falling:
        for start in random.uniform(1, time[-1] - 2, 4):
            signal += np.sin(2 * np.pi * 13 * time) * np.exp(-(((time - start) / 0.4) ** 2)) * signal.std() * 1.5
    return falling


def _standard(values, axis):
    return ((values - values.mean(axis, keepdims=True)) / (values.std(axis, keepdims=True) + 1e-9)).astype(np.float32)


def eeg_seizure(_):
    _, _, powers = spectrogram(_brain(8, 200 * 120, 200), 200, nperseg=200, noverlap=100)
    arrays = {"x": _standard(np.log10(powers[:, :100] + 1e-12), 2)}
    return Inputs(arrays, "spectrograms of noise made up after an electroencephalogram", False)


def eeg_spindles(_):
    raw = _brain(8, 7500, 250)
    bands = []
    for centre in np.linspace(4, 32, 15):
        kernel = np.exp(2j * np.pi * centre * np.arange(-125, 126) / 250) * np.hanning(251)
        bands.append(np.abs(np.stack([np.convolve(signal, kernel, "same") for signal in raw])))
    arrays = {"raw_signal": _standard(raw[:, None], 2), "spectrogram": _standard(np.stack(bands, 1), 2)}
    return Inputs(arrays, "noise made up after an electroencephalogram, with bursts of 13 Hz", False)


CASES = {
    **_wake_word("wakeword-alexa", 16),
    **_wake_word("wakeword-jarvis", 16, "x.1"),
    **_wake_word("wakeword-mycroft", 16),
    **_wake_word("wakeword-rhasspy", 16),
    **_wake_word("wakeword-timer", 34),
    **_wake_word("wakeword-weather", 22),
    **_wake_word("wakeword-deepa", 25),
    "wakeword-embedding": wakeword_embedding,
    "wakeword-melspectrogram": wakeword_melspectrogram,
    **_silero("silero-v4", (2, 1, 64), context=0, fields=("h", "hn", "c", "cn")),
    **_silero("silero-v5", (2, 1, 128)),
    **_silero("silero-v6", (2, 1, 128)),
    **_silero("silero-v6-opset15", (2, 1, 128)),
    **_silero("silero-v6-ifless", (2, 1, 128)),
    **_silero("silero-v6-unrolled", (2, 1, 128), rate=False),
    "silero-v6-sequence": silero_sequence,
    "speech-quality": speech_quality,
    "speech-quality-background": speech_quality_background,
    "speech-quality-mel": speech_quality_mel,
    **_echo("echo-quality", (4, 1, 64), False),
    **_echo("echo-quality-large", (4, 1, 96), True),
    "packet-loss-quality": packet_loss_quality,
    "speaker-embedding-int8": speaker_embedding,
    "voice-filter-int8": voice_filter,
    "note-transcription": note_transcription,
    "eeg-seizure": eeg_seizure,
    "eeg-spindles": eeg_spindles,
}
