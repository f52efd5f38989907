import t from "tap";
import { productQuantization as settings } from "../../src/config/sections/methods/product-quantization-settings.ts";
import { floatToHalf, halfToFloat } from "../../src/core/half-precision.ts";
import { planCodebooks } from "../../src/methods/layerwise/codebook-plan.ts";
import { productQuantization } from "../../src/methods/layerwise/create-product.ts";
import { layersOf } from "../../src/network/layers.ts";
import { matrixOf } from "../../src/network/weight-matrix.ts";
import { CodebookQuantizer } from "../../src/quantizers/codebook-quantizer.ts";
import { HostOptimizer } from "../../src/training/optimizer.ts";
import { random } from "../fixtures/engines.ts";
import { narrowNetworks } from "../fixtures/random-models.ts";

const config = settings.parse({ name: "product-quantization", centroids: 4 });
const method = productQuantization(config, 1);

t.test("a weight is its codebook's entries after every step, which goes by the mean of its blocks' gradients", (t) => {
  const network = method.prepare(narrowNetworks.lenet5!());
  const layer = layersOf(network).find(({ name }) => name === "conv2")!;
  const parts = method.quantizers(network).get(layer.weightQuantizer!)!;
  const elements = layer.weightShape.reduce((product, size) => product * size, 1);
  const blockSize = 5;
  const codes = Uint16Array.from({ length: elements / blockSize }, (_, block) => (block * 7) % 3);
  const codebook = Float64Array.from(random(1, "codebook", [3, blockSize]));
  const quantizer = new CodebookQuantizer(parts, { blockSize, codes, codebook }, { layer });
  const optimizer = new HostOptimizer({ optimizer: "sgd", momentum: 0.9, weightDecay: 1e-4, nesterov: false });
  const [numbers, ...others] = quantizer.learned;
  t.strictSame(others, []);
  for (let step = 1; step <= 3; step++) {
    const decoded = quantizer.atTestTime().parameters.decoded!;
    const { values, outputs, inputs } = matrixOf(layer, decoded);
    for (const [index, value] of values.entries()) {
      const [output, input] = [Math.floor(index / inputs), index % inputs];
      const code = codes[Math.floor(input / blockSize) * outputs + output]!;
      const centroid = codebook[code * blockSize + (input % blockSize)]!;
      if (value !== Math.fround(halfToFloat(floatToHalf(centroid)))) t.fail(`weight ${index} in step ${step}`);
    }
    const gradient = random(step, "gradient", [elements]);
    const sums = { range: [0], levels: new Map(), channels: null, decoded: gradient };
    const findings = { sample: quantizer.sample(), sums, prior: quantizer.complexity(), priorStrength: 0 };
    const means = numbers!.gradient(findings);
    const ones = codes.reduce((count, code) => count + (code === 1 ? 1 : 0), 0);
    const rows = matrixOf(layer, gradient);
    let sum = 0;
    for (const [index, value] of rows.values.entries()) {
      const [output, input] = [Math.floor(index / rows.inputs), index % rows.inputs];
      const code = codes[Math.floor(input / blockSize) * rows.outputs + output]!;
      if (code === 1 && input % blockSize === 2) sum += value;
    }
    t.ok(Math.abs(means[blockSize + 2]! - sum / ones) < 1e-6, "the mean over blocks of code 1, in place 2");
    optimizer.update("codebook", numbers!.values, means, { learningRate: 0.1, step });
  }
  t.strictSame(quantizer.resting.learned, [], "a resting one learns nothing");
  t.end();
});

t.test("codebooks are as asked for, but where a layer is too small for them", (t) => {
  const planned = (more: object) =>
    planCodebooks(narrowNetworks.lenet5!(), settings.parse({ name: config.name, ...more }));
  const plan = planned({ blockSize: { conv: 9 }, centroids: 256 });
  t.strictSame([...plan.keys()], ["conv2", "fc1", "fc2"], "the first layer stays");
  const conv2 = plan.get("conv2")!;
  t.ok(conv2.blockSize < 9 && conv2.centroids < 256);
  t.match(conv2.notes, [/blocks of \d instead of 9, which does not divide \d+ inputs/, /\d+ centroids instead of 256/]);
  t.equal(planned({ centroids: 2 }).get("conv2")!.centroids, 2);
  t.equal(planned({ firstLayer: true }).size, 4);
  t.throws(() => planned({ skip: ["conv2", "fc1", "fc2"] }), {
    name: "UsageError",
    message: /no layer .* gets a codebook/,
  });
  t.end();
});
