"""Quantizes a file with onnxruntime's own tools: a line of JSON with its words, where it refuses.

usage: onnxruntime_tools.py MODEL MODE ARRAYS ORDER OUT
MODE is static (W8A8 in QDQ form), dynamic, static4 (weights int4) or nbits (MatMulNBits of 4 bits); ARRAYS a .npz file with
an array for each input; ORDER the samples to calibrate on, with commas.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

# Before the package is loaded: it would keep a database of what it runs, and look up its collector.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnx
from onnxruntime import quantization
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process

model, mode, arrays, order, out = sys.argv[1:]


class Reader(quantization.CalibrationDataReader):
    """The samples, one by one."""

    def __init__(self):
        given = np.load(arrays)
        graph = onnx.load(model).graph
        constants = {value.name for value in graph.initializer}
        inputs = [value for value in graph.input if value.name not in constants]
        sole = len(inputs) == 1 and len(given.files) == 1
        self.samples = iter(
            {
                value.name: self.sample(given[given.files[0] if sole else value.name], value, int(index))
                for value in inputs
            }
            for index in order.split(",")
        )

    @staticmethod
    def sample(array, value, index):
        batched = array.ndim == len(value.type.tensor_type.shape.dim)
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        return (array[index : index + 1] if batched else array[index]).astype(kind)

    def get_next(self):
        return next(self.samples, None)


def static(path, weights):
    quantization.quantize_static(
        path, out, Reader(), per_channel=True, weight_type=weights, activation_type=quantization.QuantType.QUInt8
    )


def nbits(path):
    quantizer = MatMulNBitsQuantizer(onnx.load(path), bits=4, block_size=128, is_symmetric=True)
    quantizer.process()
    quantizer.model.save_model_to_file(out)


is_prepared = True
try:
    with tempfile.TemporaryDirectory() as folder:
        prepared = str(Path(folder) / "prepared.onnx")
        try:
            quant_pre_process(model, prepared, auto_merge=True)
        except Exception:
            # Its shape inference does not know every operator; the documentation calls this step optional.
            prepared = model
            is_prepared = False
        if mode == "dynamic":
            quantization.quantize_dynamic(prepared, out, per_channel=True)
        elif mode == "nbits":
            nbits(prepared)
        else:
            weights = quantization.QuantType.QInt4 if mode == "static4" else quantization.QuantType.QInt8
            static(prepared, weights)
    print(json.dumps({"prepared": is_prepared, "error": None}))
except Exception as error:
    print(json.dumps({"prepared": is_prepared, "error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}))
