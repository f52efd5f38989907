import fc from "fast-check";
import t from "tap";
import type { Pair } from "../../../src/core/pair.ts";
import { loadEngine } from "../../../src/engine/load-engine.ts";
import type { Conv2dGeometry } from "../../../src/engine/ops.ts";
import { elementsOf, engineKinds, holds, matches, random, upload } from "../../fixtures/engines.ts";

// WebAssembly has no kernels for the gradients of filters and pooling: what stands in for them is held against the
// definitions here, and the native kernels with it.

const small = (min: number, max: number) => fc.integer({ min, max });
const seed = fc.nat(1e6);

/** Convolutions whose output has at least one pixel; rows and columns that the stride leaves over included. */
const convolutions = fc
  .record({
    seed,
    image: fc.tuple(small(1, 3), small(1, 7), small(1, 7)),
    kernel: fc.tuple(small(1, 4), small(1, 4)),
    groups: fc.constantFrom(1, 1, 2, 3),
    /** Of a group. */
    channels: fc.tuple(small(1, 4), small(1, 5)),
    strides: fc.tuple(small(1, 3), small(1, 3)),
    dilations: fc.constantFrom<Pair>([1, 1], [1, 1], [2, 2], [1, 3], [2, 1]),
    padding: fc.oneof(
      fc.constant({ top: 0, bottom: 0, left: 0, right: 0 }),
      fc.record({ top: small(0, 2), bottom: small(0, 2), left: small(0, 2), right: small(0, 2) }),
    ),
  })
  .map(({ seed, image: [batch, height, width], kernel, groups, channels, strides, dilations, padding }) => {
    const reach = (axis: 0 | 1) => (kernel[axis] - 1) * dilations[axis] + 1;
    const rows = Math.floor((height + padding.top + padding.bottom - reach(0)) / strides[0]) + 1;
    const columns = Math.floor((width + padding.left + padding.right - reach(1)) / strides[1]) + 1;
    const [inputs, outputs] = [channels[0] * groups, channels[1] * groups];
    const image = [batch, height, width, inputs] as const;
    return {
      seed,
      geometry: { strides, dilations, padding } satisfies Conv2dGeometry,
      image,
      weight: [...kernel, channels[0], outputs] as const,
      output: [image[0], rows, columns, outputs] as const,
    };
  })
  .filter(({ output }) => output[1] > 0 && output[2] > 0);

type Convolution = typeof convolutions extends fc.Arbitrary<infer T> ? T : never;

/** The definition: visits every product image[i]·weight[j] that is part of output[k]. */
function eachProduct(
  { geometry: { strides, dilations, padding }, image, weight, output }: Convolution,
  visit: (i: number, j: number, k: number) => void,
): void {
  const [, height, width, inputs] = image;
  const [kernelHeight, kernelWidth, inGroup] = weight;
  const [, rows, columns, outputs] = output;
  const groups = inputs / inGroup;
  for (let k = 0; k < elementsOf(output); k++) {
    const o = k % outputs;
    const column = Math.floor(k / outputs) % columns;
    const row = Math.floor(k / (outputs * columns)) % rows;
    const example = Math.floor(k / (outputs * columns * rows));
    for (let y = 0; y < kernelHeight; y++) {
      for (let x = 0; x < kernelWidth; x++) {
        const v = row * strides[0] + y * dilations[0] - padding.top;
        const h = column * strides[1] + x * dilations[1] - padding.left;
        if (v < 0 || v >= height || h < 0 || h >= width) continue;
        for (let c = 0; c < inGroup; c++) {
          const channel = Math.floor((o * groups) / outputs) * inGroup + c;
          const i = ((example * height + v) * width + h) * inputs + channel;
          visit(i, ((y * kernelWidth + x) * inGroup + c) * outputs + o, k);
        }
      }
    }
  }
}

/** Poolings, most of them over few different values, so with ties; windows overlap where the stride is small. */
const poolings = fc
  .record({
    seed,
    different: fc.constantFrom(2, 4, 1e6),
    shape: fc.tuple(small(1, 2), small(1, 7), small(1, 7), small(1, 4)),
    size: fc.tuple(small(1, 3), small(1, 3)),
    strides: fc.tuple(small(1, 3), small(1, 3)),
  })
  .filter(({ shape, size }) => shape[1] >= size[0] && shape[2] >= size[1])
  .map(({ seed, different, shape, size, strides }) => {
    const steps = (axis: 0 | 1) => Math.floor((shape[axis + 1]! - size[axis]) / strides[axis]) + 1;
    const output = [shape[0], steps(0), steps(1), shape[3]] as const;
    return {
      seed,
      shape,
      geometry: { size, strides },
      x: random(seed, "x", shape, different / 2).map(Math.round),
      output,
    };
  });

type Pooling = typeof poolings extends fc.Arbitrary<infer T> ? T : never;

/** Visits every element `index` of the input that is in the window of the output's element `k`. */
function eachWindow(
  { shape, geometry: { size, strides }, output }: Pick<Pooling, "shape" | "geometry" | "output">,
  visit: (index: number, k: number) => void,
): void {
  const [, height, width, channels] = shape;
  const [, rows, columns] = output;
  for (let k = 0; k < elementsOf(output); k++) {
    const column = Math.floor(k / channels) % columns;
    const row = Math.floor(k / (channels * columns)) % rows;
    const example = Math.floor(k / (channels * columns * rows));
    for (let place = 0; place < size[0] * size[1]; place++) {
      const [v, h] = [row * strides[0] + Math.floor(place / size[1]), column * strides[1] + (place % size[1])];
      visit(((example * height + v) * width + h) * channels + (k % channels), k);
    }
  }
}

/** For each element of the output, the index of its window's first largest element, row by row. */
function firstLargest(pooling: Pooling): number[] {
  const { x, output } = pooling;
  const winners = new Array<number>(elementsOf(output));
  eachWindow(pooling, (index, k) => {
    const best = winners[k];
    if (best === undefined || x[index]! > x[best]!) winners[k] = index;
  });
  return winners;
}

for (const { kind, skip } of engineKinds) {
  t.test(`sliding windows on the ${kind} engine`, { skip }, async (t) => {
    const { ops } = await loadEngine({ kind });

    t.test("a convolution and its two gradients are sums over the same products", async (t) => {
      const law = (drawn: Convolution) => {
        const { seed, geometry, image, weight, output } = drawn;
        const [x, w] = [upload(ops, seed, "x", image), upload(ops, seed, "w", weight)];
        const g = upload(ops, seed, "g", output);
        const y = new Float64Array(elementsOf(output));
        const dx = new Float64Array(elementsOf(image));
        const dw = new Float64Array(elementsOf(weight));
        eachProduct(drawn, (i, j, k) => {
          y[k]! += x.values[i]! * w.values[j]!;
          dx[i]! += w.values[j]! * g.values[k]!;
          dw[j]! += x.values[i]! * g.values[k]!;
        });
        matches(ops, ops.conv2d(x.tensor, w.tensor, geometry), output, y);
        const bias = upload(ops, seed, "bias", [output[3]]);
        const biased = y.map((value, k) => value + bias.values[k % output[3]]!);
        matches(ops, ops.conv2d(x.tensor, w.tensor, geometry, bias.tensor), output, biased);
        matches(ops, ops.conv2dInputGradient(image, w.tensor, g.tensor, geometry), image, dx);
        matches(ops, ops.conv2dWeightGradient(x.tensor, weight, g.tensor, geometry), weight, dw);
      };
      holds(t, ops, convolutions, law, 100);
    });

    t.test("a depthwise convolution is the same with one kernel per channel", async (t) => {
      const law = (drawn: Convolution) => {
        const { seed, geometry, image, output } = drawn;
        const channels = image[3];
        const weight = [drawn.weight[0], drawn.weight[1], 1, channels] as const;
        const out = [...output.slice(0, 3), channels] as [number, number, number, number];
        const [x, w] = [upload(ops, seed, "x", image), upload(ops, seed, "w", weight)];
        const g = upload(ops, seed, "g", out);
        const y = new Float64Array(elementsOf(out));
        const dx = new Float64Array(elementsOf(image));
        const dw = new Float64Array(elementsOf(weight));
        eachProduct({ ...drawn, weight, output: out }, (i, j, k) => {
          y[k]! += x.values[i]! * w.values[j]!;
          dx[i]! += w.values[j]! * g.values[k]!;
          dw[j]! += x.values[i]! * g.values[k]!;
        });
        matches(ops, ops.depthwiseConv2d(x.tensor, w.tensor, geometry), out, y);
        matches(ops, ops.depthwiseConv2dInputGradient(image, w.tensor, g.tensor, geometry), image, dx);
        matches(ops, ops.depthwiseConv2dWeightGradient(x.tensor, weight, g.tensor, geometry), weight, dw);
      };
      holds(t, ops, convolutions, law, 100);
    });

    t.test("average-pooling gives each window's mean and shares its gradient out", async (t) => {
      const law = ({ seed, shape, geometry, output }: Pooling) => {
        const [x, g] = [upload(ops, seed, "average", shape), upload(ops, seed, "g", output)];
        const share = 1 / (geometry.size[0] * geometry.size[1]);
        const y = new Float64Array(elementsOf(output));
        const dx = new Float64Array(elementsOf(shape));
        eachWindow({ shape, geometry, output }, (index, k) => {
          y[k]! += share * x.values[index]!;
          dx[index]! += share * g.values[k]!;
        });
        matches(ops, ops.averagePool(x.tensor, geometry), output, y);
        matches(ops, ops.averagePoolGradient(shape, g.tensor, geometry), shape, dx);
      };
      holds(t, ops, poolings, law, 60);
    });

    t.test("the global average of a channel is its mean", async (t) => {
      const law = ({ seed, shape }: Pooling) => {
        const [batch, height, width, channels] = shape;
        const [x, g] = [upload(ops, seed, "x", shape), upload(ops, seed, "g", [batch, channels])];
        const y = new Float64Array(batch * channels);
        const target = (index: number) =>
          Math.floor(index / (height * width * channels)) * channels + (index % channels);
        x.values.forEach((value, index) => {
          y[target(index)]! += value / (height * width);
        });
        matches(ops, ops.globalAveragePool(x.tensor), [batch, channels], y);
        const dx = Array.from(x.values, (_, index) => g.values[target(index)]! / (height * width));
        matches(ops, ops.globalAveragePoolGradient(shape, g.tensor), shape, dx);
      };
      holds(t, ops, poolings, law);
    });

    t.test("cropping takes off the border that padding put around", async (t) => {
      const margin = fc.record({ top: small(0, 2), bottom: small(0, 2), left: small(0, 2), right: small(0, 2) });
      const cases = fc.record({
        seed,
        shape: fc.tuple(small(1, 2), small(1, 4), small(1, 4), small(1, 3)),
        padding: margin,
        channels: fc.tuple(small(0, 2), small(0, 2)),
        value: fc.constantFrom(0, -7),
      });
      holds(t, ops, cases, ({ seed, shape, padding, channels, value }) => {
        const x = upload(ops, seed, "x", shape);
        const border = { padding, channels };
        const padded = ops.pad(x.tensor, border, value);
        const { top, bottom, left, right } = padding;
        const [batch, height, width, depth] = shape;
        const size = [batch, height + top + bottom, width + left + right, depth + channels[0] + channels[1]] as const;
        const expected = Array.from({ length: elementsOf(size) }, (_, index) => {
          const c = (index % size[3]) - channels[0];
          const column = (Math.floor(index / size[3]) % size[2]) - left;
          const row = (Math.floor(index / (size[3] * size[2])) % size[1]) - top;
          const example = Math.floor(index / (size[3] * size[2] * size[1]));
          if (c < 0 || c >= depth || column < 0 || column >= width || row < 0 || row >= height) return value;
          return x.values[((example * height + row) * width + column) * depth + c]!;
        });
        matches(ops, padded, size, expected, 0);
        matches(ops, ops.crop(padded, border), shape, x.values, 0);
      });
    });

    t.test("max-pooling keeps the largest, and the first of equals takes the gradient", async (t) => {
      const law = (drawn: Pooling) => {
        const { seed, x, shape, geometry, output } = drawn;
        const winners = firstLargest(drawn);
        const image = ops.tensor(x, shape);
        const pooled = ops.maxPool(image, geometry);
        matches(
          ops,
          pooled.output,
          output,
          winners.map((index) => x[index]!),
          0,
        );
        const g = upload(ops, seed, "g", output);
        const dx = new Float64Array(x.length);
        winners.forEach((index, k) => {
          dx[index]! += g.values[k]!;
        });
        matches(ops, ops.maxPoolGradient(image, pooled, g.tensor, geometry), shape, dx);
      };
      holds(t, ops, poolings, law, 100);
    });
  });
}
