import t from "tap";
import { configSchema } from "../../src/config/schema.ts";
import { account } from "../../src/methods/bit-accounting.ts";
import { createMethod } from "../../src/methods/create-method.ts";
import { lenet5 } from "../../src/network/zoo/lenet5.ts";
import type { Quantizer } from "../../src/quantizers/abstract-quantizer.ts";
import { narrowNetworks } from "../fixtures/random-models.ts";

const plain = lenet5({ inputShape: [28, 28, 1], classes: 10 });

/** A method by its settings, on LeNet-5. */
function made(settings: Record<string, unknown>) {
  const config = configSchema.parse({
    name: "x",
    data: { name: "mnist" },
    network: { name: "lenet5" },
    training: {
      epochs: 1,
      weights: { optimizer: "adam" },
      gates: { optimizer: "adam" },
      ranges: { optimizer: "adam" },
    },
    method: settings,
  });
  const method = createMethod(config.method, config.seed);
  const network = method.prepare(plain);
  const quantizers = method.quantizers(network);
  return { method, network, quantizers, cost: account(network, quantizers) };
}

t.test("fp32 has no quantizers and 100 % of the bit operations", (t) => {
  const { network, quantizers, cost } = made({ name: "fp32" });
  t.equal(network, plain);
  t.equal(quantizers.size, 0);
  t.equal(cost.relativeBops, 100);
  t.equal(cost.packedBytes, cost.fp32Bytes);
  t.end();
});

t.test("where nothing is pruned all parameters are kept, batch normalizations folded in on both sides", async (t) => {
  for (const [name, build] of Object.entries(narrowNetworks)) {
    const method = createMethod({ name: "fp32" }, 1);
    const network = method.prepare(build());
    const { parameters, packedBytes, fp32Bytes, layers } = account(network, method.quantizers(network));
    t.equal(parameters.kept, parameters.of, name);
    t.equal(packedBytes, fp32Bytes, name);
    for (const { layer, parameters } of layers) t.equal(parameters, layer.parameters, `${name}: ${layer.name}`);
  }
});

t.test("fixed bit-widths cost what they say, but for the 8-bit input", (t) => {
  // Multiply-accumulates: conv1 24·24·25·32, conv2 8·8·25·32·64, fc1 1024·512, fc2 512·10.
  const first = 460_800;
  const rest = 3_276_800 + 524_288 + 5_120;
  for (const bits of [2, 4, 8, 16]) {
    const { quantizers, cost } = made({ name: "fixed", weights: bits, activations: bits });
    const expected = (100 * (first * bits * 8 + rest * bits * bits)) / (1024 * (first + rest));
    t.ok(Math.abs(cost.relativeBops - expected) < 1e-9, `${bits}/${bits}: ${cost.relativeBops} %`);
    t.ok([...quantizers.values()].every((quantizer) => quantizer.bits === bits && quantizer.kept === null));
  }
  t.equal(made({ name: "fixed" }).cost.relativeBops, 6.25);
  t.end();
});

t.test("gates of fixed bit-widths are never drawn and learn nothing", (t) => {
  const { quantizers } = made({ name: "fixed", weights: 4, activations: 2 });
  for (const quantizer of quantizers.values()) {
    const sample = quantizer.sample(() => t.fail("drew a number") as never);
    t.strictSame(sample.parameters.wanted, []);
    t.strictSame(
      sample.parameters.terms.map(({ bits }) => bits),
      [quantizer.bits],
    );
  }
  t.end();
});

t.test("exceptions: first and last layer, and named tensors over all", (t) => {
  const { quantizers } = made({
    name: "fixed",
    weights: 2,
    activations: 4,
    firstLayer: 8,
    lastLayer: 16,
    tensors: { "conv2.weight.quantizer": 4, "fc1.quantizer": 8 },
  });
  t.strictSame(Object.fromEntries(Array.from(quantizers, ([id, { bits }]) => [id, bits])), {
    "conv1.weight.quantizer": 8,
    "conv1.quantizer": 4,
    "conv2.weight.quantizer": 4,
    "conv2.quantizer": 4,
    "fc1.weight.quantizer": 2,
    "fc1.quantizer": 8,
    "fc2.weight.quantizer": 16,
  });
  t.throws(() => made({ name: "fixed", tensors: { "conv9.quantizer": 4 } }), {
    message: /conv9\.quantizer is no quantizer of lenet5; it has conv1/,
  });
  t.end();
});

const learnsLevels = ({ learned }: Quantizer) => learned.some(({ name }) => name === "phi");

t.test("Bayesian Bits without parts of it", (t) => {
  const whole = made({ name: "bayesian-bits" });
  t.ok([...whole.quantizers.values()].every(learnsLevels));
  t.equal(whole.cost.channels.of, 32 + 64 + 512);

  const quantizationOnly = made({ name: "bayesian-bits", pruning: false });
  t.equal(quantizationOnly.cost.channels.of, 0);

  const pruningOnly = made({ name: "bayesian-bits", bits: { weights: 4, activations: 8 } });
  for (const quantizer of pruningOnly.quantizers.values()) {
    const { node, bits, prune } = quantizer;
    t.equal(bits, node.role === "weight" ? 4 : 8);
    t.notOk(learnsLevels(quantizer));
    t.equal(prune !== null, node.role === "weight" && node.id !== "fc2.weight.quantizer");
  }
  const sample = pruningOnly.quantizers.get("conv1.weight.quantizer")!.sample((count) => new Array(count).fill(0.5));
  t.equal(sample.channels!.length, 32);

  t.equal(made({ name: "bayesian-bits", trainWeights: false }).method.trainsWeights, false);
  t.end();
});
