"""Runs TensorFlow Lite files for another process.

Requests come on standard input, answers go to standard output: the length of a JSON header as four bytes, little-endian,
the header, and the bytes that it announces.

    {"do": "load", "bytes": N, "threads": N, "kernels": "default", "own" or "reference"}, the file -> {"model": number}
    {"do": "run", "model": number, "shape": [...], "bytes": N}, the images -> {"outputs": [{"name", "type", "bytes"}]}, the values
    {"do": "release", "model": number} -> {}

An answer to what cannot be done is {"error": text}. The first answer, to no request, is {"version": text}.
"""

import importlib.metadata
import json
import struct
import sys

import numpy
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {
    "default": OpResolverType.AUTO,
    "own": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}

models = {}


def read(size):
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        sys.exit(0)
    return data


def answer(header, values=()):
    text = json.dumps(header).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(text)) + text)
    for value in values:
        sys.stdout.buffer.write(value.tobytes())
    sys.stdout.buffer.flush()


def load(request, data):
    interpreter = Interpreter(
        model_content=data,
        num_threads=request["threads"],
        experimental_op_resolver_type=KERNELS[request["kernels"]],
    )
    model = len(models)
    models[model] = interpreter
    answer({"model": model})


def run(request, data):
    interpreter = models[request["model"]]
    image = interpreter.get_input_details()[0]
    shape = request["shape"]
    if list(image["shape"]) != shape:
        interpreter.resize_tensor_input(image["index"], shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(image["index"], numpy.frombuffer(data, image["dtype"]).reshape(shape))
    interpreter.invoke()
    details = interpreter.get_output_details()
    values = [interpreter.get_tensor(detail["index"]) for detail in details]
    outputs = [
        {"name": detail["name"], "type": value.dtype.name, "bytes": value.nbytes}
        for detail, value in zip(details, values)
    ]
    answer({"outputs": outputs}, values)


def release(request, _):
    models[request["model"]] = None
    answer({})


ACTIONS = {"load": load, "run": run, "release": release}

answer({"version": importlib.metadata.version("ai-edge-litert")})
while True:
    (size,) = struct.unpack("<I", read(4))
    request = json.loads(read(size))
    data = read(request.get("bytes", 0))
    try:
        ACTIONS[request["do"]](request, data)
    except Exception as error:
        answer({"error": f"{type(error).__name__}: {error}"})
