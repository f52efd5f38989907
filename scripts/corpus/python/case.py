"""What an input set is: its arrays by input name, and words on where they come from."""
import json
import os
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Inputs:
    """
    arrays: by input name; the first axis is the samples. An array of the input's own rank is cut along it into runs of
        one sample; one of a rank more holds each sample's whole input (states, numbers without axes).
    origin: what the values are, in a phrase.
    real: measured, photographed, spoken or written, rather than made up.
    labels: the right classes, where they are known.
    """

    arrays: dict[str, np.ndarray]
    origin: str
    real: bool
    labels: np.ndarray | None = None


def whole(array, count):
    """The same whole input for each of `count` samples."""
    return np.repeat(np.asarray(array)[None], count, axis=0)


def save(inputs, corpus, name):
    """Writes data/NAME.npz, and data/NAME.json: {"samples", "origin", "real"}. The latter comes last."""
    counts = {array.shape[0] for array in inputs.arrays.values()}
    if len(counts) != 1:
        raise ValueError(f"{name}: inputs of {sorted(counts)} samples, expected as many of each")
    labels = {} if inputs.labels is None else {"labels": inputs.labels}
    folder = corpus / "data"
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.npz"
    np.savez(part, **{key: np.ascontiguousarray(array) for key, array in {**inputs.arrays, **labels}.items()})
    os.replace(part, folder / f"{name}.npz")
    write_json(folder / f"{name}.json", {"samples": counts.pop(), "origin": inputs.origin, "real": inputs.real})


def write_json(path, value):
    part = path.with_name(f".{path.name}")
    part.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
