"""Checks exported ONNX files with the packages of PyPI. Reads a job as JSON from standard input:

    {"files": [{"file": ..., "form": ..., "input": "uint8" or "float", "shape": [...], "images": raw file}]}

and prints one line of JSON per file: what the checker says and what each runtime makes of the images.
"""

import json
import os
import sys

# onnxruntime collects telemetry, and asks this when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy
import onnx
from onnx.reference import ReferenceEvaluator


def attempt(run):
    try:
        return {"logits": [float(value) for value in numpy.asarray(run()).reshape(-1)]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error)[:300]}"}


def reference(model, images):
    # The evaluator has QuantizeLinear and DequantizeLinear from operator set 19 on; what they do with 8 bits is older.
    if model.opset_import[0].version < 19:
        model.opset_import[0].version = 21
    return ReferenceEvaluator(model).run(None, {"input": images})[0]


def onnxruntime(file, images):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]).run(None, {"input": images})[0]


def qonnx(file, images):
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    model = ModelWrapper(file)
    model.set_tensor_shape("input", list(images.shape))
    model = model.transform(InferShapes())
    return execute_onnx(model, {"input": images})["logits"]


for job in json.load(sys.stdin)["files"]:
    element = numpy.uint8 if job["input"] == "uint8" else numpy.float32
    images = numpy.fromfile(job["images"], dtype=element).reshape(job["shape"])
    model = onnx.load(job["file"])
    try:
        onnx.checker.check_model(model, full_check=True)
        checker = "accepted"
    except Exception as error:
        checker = str(error)[:300]
    result = {"file": job["file"], "checker": checker, "opset": model.opset_import[0].version}
    if job["form"] == "qonnx":
        result["qonnx"] = attempt(lambda: qonnx(job["file"], images))
    else:
        # The evaluator has none of onnxruntime's own operators.
        if job["form"] != "nbits":
            result["reference"] = attempt(lambda: reference(model, images))
        result["onnxruntime"] = attempt(lambda: onnxruntime(job["file"], images))
    print(json.dumps(result), flush=True)
