"""Has hls4ml read a QONNX file, compile it with g++ and predict. Arguments: the file, images as raw float32 values
[batch, channels, height, width], the number of images, a folder for what it writes. Prints one line of JSON: the outputs,
image by image.

Its numbers are fixed-point: 28 bits before the point, where sums of products of 8-bit codes fit, and 28 behind it, where the
file does not say otherwise.
"""

import contextlib
import json
import os
import sys

# onnxruntime collects telemetry, and asks this when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import hls4ml
import numpy
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.util.cleanup import cleanup_model

file, raw, count, folder = sys.argv[1:]

# What it says on the way is no result.
with contextlib.redirect_stdout(sys.stderr):
    model = ModelWrapper(file)
    shape = [1, *model.get_tensor_shape("input")[1:]]
    model.set_tensor_shape("input", shape)
    # The order of steps in hls4ml's documentation of QONNX.
    model = cleanup_model(model)
    model = model.transform(ConvertToChannelsLastAndClean())
    model = model.transform(GemmToMatMul())
    model = cleanup_model(model)
    settings = hls4ml.utils.config.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision="fixed<56,28>"
    )
    compiled = hls4ml.converters.convert_from_onnx_model(
        model, output_dir=folder, backend="Vitis", io_type="io_stream", hls_config=settings
    )
    # A scale that hls4ml 1.3 moves behind a convolution keeps the number of channels before it, so that the others get the
    # biases of the first. It has a number for each element, which -1 says; its configuration is written already.
    for layer in compiled.get_layers():
        if layer.class_name == "ApplyAlpha":
            written = layer.get_attr("config_cpp")
            layer.set_attr("config_cpp", written.replace(f"n_filt = {layer.get_attr('n_filt')};", "n_filt = -1;"))
    compiled.compile()
    images = numpy.fromfile(raw, numpy.float32).reshape(int(count), *shape[1:])
    outputs = compiled.predict(numpy.ascontiguousarray(images.transpose(0, 2, 3, 1)))

print(json.dumps([float(value) for value in numpy.asarray(outputs).reshape(-1)]))
