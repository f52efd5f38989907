import fc from "fast-check";
import t from "tap";
import { permutation } from "../../../src/core/random.ts";
import { toEnd } from "../../../src/core/stepwise.ts";
import { Gram } from "../../../src/quantization/gram.ts";
import {
  type BlockMetric,
  mapBlocks,
  metricOf,
  plainMetric,
  seenMetrics,
} from "../../../src/quantization/product/block-metric.ts";
import { type Blocks, roll, unroll } from "../../../src/quantization/product/blocks.ts";
import { type ClusterOptions, clusterBlocks } from "../../../src/quantization/product/cluster-blocks.ts";
import { distinctBlocks } from "../../../src/quantization/product/first-centroids.ts";
import { random } from "../../fixtures/engines.ts";
import { expect, lawHolds } from "../../fixtures/laws.ts";

const blockSize = 4;
const some = fc.record({
  seed: fc.nat(1e6),
  count: fc.integer({ min: 1, max: 40 }),
  centroids: fc.integer({ min: 1, max: 12 }),
  /** Values that differ; few make many equal blocks. */
  levels: fc.constantFrom(1, 2, 1000),
  scale: fc.constantFrom(1e-3, 1, 300),
});

function blocksOf({
  seed,
  count,
  levels,
  scale,
}: {
  seed: number;
  count: number;
  levels: number;
  scale: number;
}): Blocks {
  const values = random(seed, "blocks", [count, blockSize]).map(
    (value) => (scale * Math.round(levels * value)) / levels,
  );
  return { blockSize, count, values };
}

function gramOf(rows: Float32Array): Float64Array {
  const gram = new Gram(blockSize, 0);
  gram.add(rows, new Float32Array(0));
  return gram.finish().products;
}

const clustered = (blocks: Blocks, metric: BlockMetric, options: Partial<ClusterOptions> = {}) =>
  toEnd(clusterBlocks(blocks, { metrics: [metric], centroids: 6, iterations: 50, seed: 1, name: "layer", ...options }));

const weigh = (seed: number) => metricOf(gramOf(random(seed, "rows", [12, blockSize])), blockSize);

t.test("the objective never rises, no cluster is empty, and codes that stay have come to an end", async (t) => {
  lawHolds(t, some, ({ seed, centroids, ...shape }) => {
    const blocks = blocksOf({ seed, ...shape });
    const metric = weigh(seed);
    const { product, objective, splits } = clustered(blocks, metric, { centroids, seed });
    const count = product.codebook.length / blockSize;
    expect(count === Math.min(centroids, distinctBlocks(blocks).length / blockSize), `${count} centroids`);
    for (let code = 0; code < count; code++) expect(product.codes.includes(code), `nothing has code ${code}`);
    const tiny = 1e-9 * (objective[0] ?? 0) + 1e-12;
    if (splits === 0)
      for (const [index, value] of objective.entries())
        expect(index === 0 || value <= objective[index - 1]! + tiny, `rises to ${value} in iteration ${index}`);
    const again = clustered(blocks, metric, { initial: product.codebook, iterations: 1 });
    if (objective.length < 50) expect(equal(again.product.codes, product.codes), "a fixed point");
    expect(equal(clustered(blocks, metric, { centroids, seed }).product.codes, product.codes), "by the seed alone");
  });
});

t.test("with a metric for each piece the objective never rises; where all are one, it is that one", async (t) => {
  lawHolds(t, some, ({ seed, centroids, count, ...shape }) => {
    const blocks = blocksOf({ seed, count: 3 * count, ...shape });
    const metrics = [1, 2, 3].map((piece) => weigh(seed + piece));
    const { product, objective, splits } = clustered(blocks, metrics[0]!, { metrics, centroids });
    for (let code = 0; code * blockSize < product.codebook.length; code++)
      expect(product.codes.includes(code), `nothing has code ${code}`);
    for (const [index, value] of objective.entries())
      expect(splits > 0 || index === 0 || value <= objective[index - 1]! + 1e-9, `rises to ${value}`);
    const same = clustered(blocks, metrics[0]!, {
      metrics: [metrics[0]!, metrics[0]!, metrics[0]!],
      centroids,
      iterations: 3,
    });
    const one = clustered(blocks, metrics[0]!, { centroids, iterations: 3 });
    const off = one.product.codebook.map((value, index) => Math.abs(value - same.product.codebook[index]!));
    expect(Math.max(...off) <= 1e-6 * shape.scale, "the same centroids");
  });
});

t.test("centroids that are equal are split, at any scale of the weights", async (t) => {
  lawHolds(t, some, ({ seed, ...shape }) => {
    const blocks = blocksOf({ seed, ...shape });
    const different = distinctBlocks(blocks).length / blockSize;
    const initial = new Float32Array(Math.min(5, different) * blockSize).fill(blocks.values[0]!);
    const { product, splits } = clustered(blocks, plainMetric(blockSize), { initial });
    for (let code = 0; code * blockSize < initial.length; code++)
      expect(product.codes.includes(code), `nothing has code ${code}`);
    expect(splits > 0 || initial.length === blockSize, "a split");
  });
});

t.test("as many centroids as there are different blocks leave no error, one is the mean", async (t) => {
  lawHolds(t, some, ({ seed, ...shape }) => {
    const blocks = blocksOf({ seed, ...shape });
    const weight = { values: blocks.values, outputs: blocks.count, inputs: blockSize };
    const all = clustered(unroll(weight, blockSize), weigh(seed), { centroids: 1000 });
    expect(equal(roll(all.product, weight), blocks.values), "the weight itself");
    const one = clustered(blocks, weigh(seed), { centroids: 1 });
    for (let row = 0; row < blockSize; row++) {
      let mean = 0;
      for (let column = 0; column < blocks.count; column++)
        mean += blocks.values[column * blockSize + row]! / blocks.count;
      expect(Math.abs(one.product.codebook[row]! - mean) <= 1e-6 * shape.scale, `${one.product.codebook[row]}`);
    }
  });
});

t.test("orthonormal inputs are plain k-means, and their scale changes nothing", async (t) => {
  lawHolds(t, some, ({ seed, centroids, ...shape }) => {
    const blocks = blocksOf({ seed, ...shape });
    const identity = plainMetric(blockSize).root;
    const plain = clustered(blocks, plainMetric(blockSize), { centroids });
    expect(
      equal(clustered(blocks, metricOf(identity, blockSize), { centroids }).product.codes, plain.product.codes),
      "I",
    );
    const scaled = metricOf(
      identity.map((value) => 4 * value),
      blockSize,
    );
    expect(equal(clustered(blocks, scaled, { centroids }).product.codes, plain.product.codes), "by twice the inputs");
    expect(
      equal(
        clustered(blocks, seenMetrics([identity.map(() => 0)], blockSize)[0]!, { centroids }).product.codes,
        plain.product.codes,
      ),
      "no inputs",
    );
  });
});

t.test("permuting output channels permutes codes and changes nothing else", async (t) => {
  lawHolds(t, some, ({ seed, centroids, count, ...shape }) => {
    const weight = {
      values: blocksOf({ seed, count: 2 * count, ...shape }).values,
      outputs: count,
      inputs: 2 * blockSize,
    };
    const order = permutation({ seed, stream: "order", counter: 0 }, count);
    const moved = new Float32Array(weight.values.length);
    for (const [to, from] of order.entries())
      moved.set(weight.values.subarray(from * 2 * blockSize, (from + 1) * 2 * blockSize), to * 2 * blockSize);
    const metric = weigh(seed);
    const one = clustered(unroll(weight, blockSize), metric, { centroids, iterations: 5 });
    const other = clustered(unroll({ ...weight, values: moved }, blockSize), metric, { centroids, iterations: 5 });
    const permuted = one.product.codes.map(
      (_, column) => one.product.codes[column - (column % count) + order[column % count]!]!,
    );
    expect(equal(other.product.codes, permuted), "codes");
    const off = one.product.codebook.map((value, index) => Math.abs(value - other.product.codebook[index]!));
    expect(Math.max(...off) <= 1e-9 * shape.scale, "the codebook");
  });
});

t.test("distances are those that the inputs see, and what they do not see is projected away", async (t) => {
  lawHolds(t, fc.record({ seed: fc.nat(1e6), rows: fc.integer({ min: 1, max: 6 }) }), ({ seed, rows }) => {
    const inputs = random(seed, "rows", [rows, blockSize]);
    const { root, projection } = metricOf(gramOf(inputs), blockSize);
    const block = random(seed, "block", [blockSize]);
    const seen = (v: ArrayLike<number>) => {
      let sum = 0;
      for (let row = 0; row < rows; row++) {
        let product = 0;
        for (let n = 0; n < blockSize; n++) product += inputs[row * blockSize + n]! * v[n]!;
        sum += product * product;
      }
      return sum;
    };
    const length = mapBlocks(root, block, blockSize).reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs(length - seen(block)) < 1e-5 * (1 + length), `${length}, expected ${seen(block)}`);
    const projected = mapBlocks(projection, block, blockSize);
    expect(Math.abs(seen(projected) - seen(block)) < 1e-5 * (1 + length), "outputs stay");
    if (rows >= blockSize)
      expect(
        projected.every((value, n) => Math.abs(value - block[n]!) < 1e-4),
        "the identity",
      );
  });
});

function equal(one: ArrayLike<number>, other: ArrayLike<number>): boolean {
  return one.length === other.length && Array.from(one).every((value, index) => value === other[index]);
}
