import fc from "fast-check";
import t from "tap";
import type { FrozenLayer, FrozenNetwork } from "../../../src/export/frozen-network.ts";
import { lowerPacked } from "../../../src/export/onnx/lower-packed.ts";
import { packedBytes } from "../../../src/export/onnx/packing.ts";
import { opsetOf, readModel } from "../../../src/export/onnx/read-model.ts";
import { storedBits } from "../../../src/quantization/levels.ts";
import { frozenNetwork, networkPlans, plainPlan } from "../../fixtures/frozen-networks.ts";
import { initializer, unpackCodes } from "../../fixtures/onnx-values.ts";

const layersOf = (network: FrozenNetwork) => network.nodes.filter((node): node is FrozenLayer => "weight" in node);
const bytesOf = (network: FrozenNetwork, metadata = {}) => lowerPacked(network, { metadata, input: "uint8" }).bytes;
const lower = (network: FrozenNetwork, metadata = {}) => readModel(bytesOf(network, metadata), "test.onnx");

t.test("every weight takes ceil(bits · elements / 8) bytes and decodes to its codes and scale", async (t) => {
  for (const plan of fc.sample(networkPlans, { seed: 11, numRuns: 50 })) {
    const network = frozenNetwork(plan);
    const model = lower(network);
    for (const { id, kind, weight } of layersOf(network)) {
      const stored = initializer(model, weight.bits === 32 ? `${id}.weight` : `${id}.weight.codes`);
      const elements = weight.shape.reduce((product, size) => product * size, 1);
      t.equal(stored.bytes.length, packedBytes(storedBits(weight.bits), elements), `${id} at ${weight.bits} bits`);
      if (kind === "conv2d") {
        const [height, width, inputs, outputs] = weight.shape;
        t.same(stored.dims, [outputs, inputs, height, width]);
      } else t.same(stored.dims, weight.shape.toReversed());
      if (weight.bits === 32) continue;
      const scale = initializer(model, `${id}.weight.scale`);
      const steps = typeof weight.scale === "number" ? [Math.fround(weight.scale)] : [...weight.scale];
      t.same([...new Float32Array(scale.bytes.buffer)], steps);
      t.same(scale.dims, typeof weight.scale === "number" ? [] : [weight.shape.at(-1)]);
      // The order differs from the network's, the multiset of codes does not; the runtime tests see the order.
      const decoded = unpackCodes(stored.bytes, storedBits(weight.bits), elements);
      t.same(decoded.toSorted(), weight.codes.toSorted());
    }
  }
});

t.test("a convolution's codes stand as [out, in, height, width]", async (t) => {
  const network = frozenNetwork(plainPlan);
  const [conv1] = layersOf(network) as [FrozenLayer];
  const [height, width, inputs, outputs] = conv1.weight.shape as [number, number, number, number];
  if (conv1.weight.bits === 32) throw new Error("expected codes");
  const stored = unpackCodes(initializer(lower(network), "conv1.weight.codes").bytes, 2, conv1.weight.codes.length);
  for (const [o, i, y, x] of [
    [0, 0, 0, 1],
    [4, 1, 2, 0],
    [2, 0, 1, 2],
  ] as [number, number, number, number][]) {
    const expected = conv1.weight.codes[((y * width + x) * inputs + i) * outputs + o];
    t.equal(stored[((o * inputs + i) * height + y) * width + x], expected, `output ${o}, input ${i}, tap ${y},${x}`);
  }
});

t.test("the operator set is the lowest that has the types", async (t) => {
  const withBits = (weights: 2 | 4 | 8 | 16 | 32, activations: 2 | 4 | 8 | 16 | 32) =>
    opsetOf(
      lower(
        frozenNetwork({
          ...plainPlan,
          weightBits: [weights, weights, weights, weights],
          quantizers: plainPlan.quantizers.map((quantizer) => ({
            ...quantizer,
            bits: activations,
          })) as unknown as typeof plainPlan.quantizers,
        }),
      ),
    );
  t.equal(withBits(8, 8), 13);
  t.equal(withBits(32, 32), 13);
  t.equal(withBits(8, 4), 21);
  t.equal(withBits(16, 8), 21);
  t.equal(withBits(8, 16), 21);
  t.equal(withBits(2, 8), 25);
  t.equal(withBits(32, 2), 25);
});

t.test("equal networks give equal bytes", async (t) => {
  const lowered = (metadata: Record<string, string>) => bytesOf(frozenNetwork(plainPlan), metadata);
  t.same(lowered({ a: "1", b: "2" }), lowered({ b: "2", a: "1" }), "whatever the order of the metadata");
  t.notSame(lowered({ a: "1" }), lowered({ a: "2" }));
});

t.test("the file says what it is", async (t) => {
  const model = lower(frozenNetwork(plainPlan), { relativeBops: "0.4" });
  const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
  t.equal(metadata.name, "small");
  t.equal(metadata.relativeBops, "0.4");
  t.same(JSON.parse(metadata.classes!), ["class 0", "class 1", "class 2", "class 3"]);
  t.match(JSON.parse(metadata.bits!), { "conv1.weight": 2, "fc1.weight": 8, quantizer1: 4 });
  t.ok(model.graph?.node?.some(({ name, opType }) => name === "conv2" && opType === "Conv"));
});
