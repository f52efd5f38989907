import t from "tap";
import { meanCorrection } from "../../src/quantization/mean-correction.ts";
import { near, random } from "../fixtures/engines.ts";
import { layerProblem, products } from "../fixtures/layer-problems.ts";

t.test("the corrected bias gives back the mean of each output", async (t) => {
  const { weight, bias, rows } = layerProblem({ seed: 2 });
  const { outputs, inputs } = weight;
  const count = rows.samples * rows.positions;
  const weights = weight.values.map((value, i) => value + random(1, "error", [36], 0.2)[i]!);
  const means = (values: Float32Array, width: number) =>
    Float64Array.from({ length: width }, (_, column) => {
      let sum = 0;
      for (let row = 0; row < count; row++) sum += values[row * width + column]!;
      return sum / count;
    });
  const targetMeans = means(rows.targets, outputs);
  const correction = meanCorrection({ weights, bias, inputMeans: means(rows.inputs, inputs), targetMeans });
  const produced = products(weights, rows.inputs, { groups: 1, outputs, inputs }).map(
    (value, i) => value + bias![i % outputs]! + correction[i % outputs]!,
  );
  near(means(produced, outputs), targetMeans);
  t.ok(
    correction.some((value) => Math.abs(value) > 1e-3),
    "there was something to correct",
  );
});
