import fc from "fast-check";
import t from "tap";
import { clusterMeans, roll, unroll } from "../../../src/quantization/product/blocks.ts";
import { random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const shape = fc.record({
  seed: fc.nat(1e6),
  outputs: fc.integer({ min: 1, max: 5 }),
  pieces: fc.integer({ min: 1, max: 4 }),
  blockSize: fc.constantFrom(1, 2, 4, 9),
});

t.test("what is cut into blocks is put together again", async (t) => {
  lawHolds(t, shape, ({ seed, outputs, pieces, blockSize }) => {
    const weight = { values: random(seed, "w", [outputs, pieces * blockSize]), outputs, inputs: pieces * blockSize };
    const { values, count } = unroll(weight, blockSize);
    const codes = Uint16Array.from({ length: count }, (_, column) => column);
    const back = roll({ blockSize, codes, codebook: Float64Array.from(values) }, weight);
    expect(
      back.every((value, index) => value === weight.values[index]),
      "the same weight",
    );
  });
});

t.test("the sum over the pieces of inputs · blocks is the layer's output", async (t) => {
  lawHolds(t, shape, ({ seed, outputs, pieces, blockSize }) => {
    const inputs = pieces * blockSize;
    const weight = { values: random(seed, "w", [outputs, inputs]), outputs, inputs };
    const x = random(seed, "x", [inputs]);
    const { values } = unroll(weight, blockSize);
    for (let output = 0; output < outputs; output++) {
      let [whole, inPieces] = [0, 0];
      for (let n = 0; n < inputs; n++) whole += x[n]! * weight.values[output * inputs + n]!;
      for (let piece = 0; piece < pieces; piece++)
        for (let row = 0; row < blockSize; row++)
          inPieces += x[piece * blockSize + row]! * values[(piece * outputs + output) * blockSize + row]!;
      expect(Math.abs(whole - inPieces) < 1e-5, `${inPieces}, expected ${whole}`);
    }
  });
});

t.test("a centroid's gradient is the sum of its blocks' over their number", async (t) => {
  lawHolds(t, shape, ({ seed, outputs, pieces, blockSize }) => {
    const inputs = pieces * blockSize;
    const clusters = 3;
    const codes = Uint16Array.from(random(seed, "codes", [outputs * pieces]), (value) => (value > 0 ? 1 : 0));
    const gradient = random(seed, "g", [outputs, inputs]);
    const means = clusterMeans(unroll({ values: gradient, outputs, inputs }, blockSize), codes, clusters);
    const codebook = Float64Array.from(random(seed, "c", [clusters, blockSize]));
    const product = { blockSize, codes, codebook };
    const loss = () => roll(product, { outputs, inputs }).reduce((sum, value, at) => sum + value * gradient[at]!, 0);
    for (let index = 0; index < codebook.length; index++) {
      const count = codes.filter((code) => code === Math.floor(index / blockSize)).length;
      const before = loss();
      codebook[index]! += 0.5;
      const slope = (loss() - before) / 0.5;
      codebook[index]! -= 0.5;
      expect(Math.abs(slope - count * means[index]!) < 1e-4, `${slope}, ${count} of ${means[index]}`);
    }
  });
});
