#!/usr/bin/env bash
# Writes the ONNX files of test/fixtures/onnx anew with the frameworks that they are named after, each in a Python
# environment of its own under the cache. The files are committed: the tests need no Python.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/bayesian-bits/onnx-fixtures"
out="${1:-test/fixtures/onnx}"

environment() {
  local name=$1
  shift
  if [ ! -e "$cache/$name/.ready" ]; then
    rm -rf "${cache:?}/$name"
    python3 -m venv "$cache/$name"
    "$cache/$name/bin/pip" install --quiet "$@"
    touch "$cache/$name/.ready"
  fi
}

environment pytorch torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 numpy==2.4.6
"$cache/pytorch/bin/python" test/fixtures/onnx/write-pytorch.py "$out"
"$cache/pytorch/bin/python" test/fixtures/onnx/write-handwritten.py "$out"
environment keras tensorflow-cpu==2.21.0 tf2onnx==1.17.0
"$cache/keras/bin/python" test/fixtures/onnx/write-keras.py "$out"
