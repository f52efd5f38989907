"""Exports every architecture by both of PyTorch's exporters: export_architectures.py CORPUS [NAME ...]

Writes CORPUS/architectures/NAME-EXPORTER.onnx with its inputs as CORPUS/data/NAME-EXPORTER.npz and .json, and last
CORPUS/architectures/NAME-EXPORTER.json: {"exporter", "error", "batch"}, which tells of one that PyTorch cannot export. What is there
is kept.
"""
import logging
import os
import sys
import warnings
from pathlib import Path

import torch

import architectures
from case import save, write_json

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def build(name):
    """The network of a case in evaluation mode; its batch normalizations know its inputs' statistics."""
    torch.manual_seed(0)
    network, inputs = architectures.CASES[name]()
    tensors = tuple(torch.from_numpy(array) for array in inputs.arrays.values())
    normalizations = [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    if normalizations:
        network.eval()
        for normalization in normalizations:
            normalization.momentum = None  # The average over all batches.
            normalization.reset_running_stats()
            normalization.train()
        with torch.no_grad():
            network(*tensors)
    return network.eval(), inputs, tensors


def by_dynamo(network, tensors, names, path):
    """torch.export's graph; the first axis free where the network allows it, else of one sample."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    settings = dict(dynamo=True, external_data=False, verbose=False, input_names=names, optimize=True)
    try:
        torch.onnx.export(network, tensors, path, dynamic_shapes=tuple({0: batch} for _ in tensors), **settings)
        return "free"
    except Exception:  # Any of torch.export's; the second try tells of what has another cause.
        torch.onnx.export(network, tuple(tensor[:1] for tensor in tensors), path, **settings)
        return "one"


def by_tracing(network, tensors, names, path):
    """TorchScript's trace, operator set 17."""
    axes = {name: {0: "batch"} for name in names}
    torch.onnx.export(network, tensors, path, dynamo=False, input_names=names, dynamic_axes=axes, opset_version=17)
    return "free"


EXPORTERS = {"dynamo": by_dynamo, "legacy": by_tracing}


def run(corpus, names):
    folder = corpus / "architectures"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or architectures.CASES:
        missing = [exporter for exporter in EXPORTERS if not (folder / f"{name}-{exporter}.json").exists()]
        if not missing:
            continue
        network, inputs, tensors = build(name)
        for exporter in missing:
            whole = f"{name}-{exporter}"
            part, told = folder / f".{whole}.onnx", folder / f"{whole}.json"
            try:
                batch = EXPORTERS[exporter](network, tensors, list(inputs.arrays), str(part))
            except Exception as error:  # PyTorch's exporters raise anything; what they cannot do is told of.
                part.unlink(missing_ok=True)
                first = (str(error).strip() or repr(error)).splitlines()[0]
                write_json(told, {"exporter": exporter, "error": first[:300], "batch": None})
                print(f"{whole} cannot be exported: {first[:300]}", flush=True)
                continue
            save(inputs, corpus, whole)
            os.replace(part, folder / f"{whole}.onnx")
            write_json(told, {"exporter": exporter, "error": None, "batch": batch})
            print(whole, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), sys.argv[2:])
