import t from "tap";
import { forward } from "../../../src/network/passes.ts";
import type { CalibrationImages } from "../../../src/training/layerwise/calibration-images.ts";
import type { Model } from "../../../src/training/model.ts";
import { type GateSamples, passOf, soleInput, testTimeGates, transparentGates } from "../../../src/training/pass.ts";
import { apart, quantize } from "../../fixtures/layerwise.ts";
import { narrowNetworks } from "../../fixtures/random-models.ts";

/** What a dense layer reads in this network on the calibration images, and what it makes of it, bias included. */
function seenBy(layer: string, model: Model, samples: GateSamples, images: CalibrationImages) {
  const { ops } = model;
  const seen = { inputs: new Float32Array(), outputs: new Float32Array() };
  ops.scope(
    () =>
      forward(
        model.network,
        passOf(model, samples, soleInput(model.network, images.batches(model)[0]!()), { training: false }),
        {
          keep: false,
          observe: (node, output, [read]) => {
            if (node.id === layer) seen.inputs = Float32Array.from(ops.read(read!));
            if (node.id === `${layer}.biased`) seen.outputs = Float32Array.from(ops.read(output));
          },
        },
      ),
    () => [],
  );
  return seen;
}

for (const mode of ["float", "quantized-weights", "quantized"] as const) {
  t.test(`layers are quantized from ${mode} inputs, and from no others`, async (t) => {
    const settings = {
      name: "nearest",
      bits: { weights: 2, activations: 4 },
      calibration: { images: 8, positions: 4, inputs: mode },
    };
    const { float, model, images, problems } = await quantize(narrowNetworks.lenet5!(), settings);
    for (const layer of ["fc1", "fc2"]) {
      const { rows } = problems.find(({ name }) => name === layer)!;
      // The layers before it stand as they did when its turn came; its own weights do not touch what it reads.
      const inputs = {
        float: seenBy(layer, float, new Map(), images).inputs,
        "quantized-weights": seenBy(layer, model, transparentGates(model), images).inputs,
        quantized: seenBy(layer, model, testTimeGates(model), images).inputs,
      };
      for (const [name, values] of Object.entries(inputs)) {
        t.equal(values.length, rows.inputs.length);
        const difference = apart(rows.inputs, values);
        if (name === mode) t.ok(difference < 1e-5, `${layer} sees ${name} inputs`);
        else t.ok(difference > 0.01, `${layer} sees no ${name} inputs`);
      }
      const { outputs } = seenBy(layer, float, new Map(), images);
      t.ok(apart(rows.targets, outputs) < 1e-5, `${layer} is to give the float32 network's outputs`);
    }
  });
}
