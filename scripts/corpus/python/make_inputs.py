"""Makes the inputs of the networks out of packages: make_inputs.py CORPUS [NAME ...]

Those of CORPUS/packages/NAME.onnx become CORPUS/data/NAME.npz and NAME.json. What is there is kept.
"""
import sys
from pathlib import Path

import audio_inputs
import image_inputs
import text_inputs
from case import save

CASES = {**image_inputs.CASES, **audio_inputs.CASES, **text_inputs.CASES}


def main(corpus, names):
    for name in names or CASES:
        if not (corpus / "data" / f"{name}.json").exists():
            save(CASES[name](corpus), corpus, name)
            print(f"inputs of {name}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
