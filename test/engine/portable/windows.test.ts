import fc from "fast-check";
import t from "tap";
import { loadEngine } from "../../../src/engine/load.ts";
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
    image: fc.tuple(small(1, 3), small(1, 7), small(1, 7), small(1, 4)),
    kernel: fc.tuple(small(1, 4), small(1, 4)),
    outputs: small(1, 5),
    stride: small(1, 3),
    padding: fc.oneof(
      fc.constant({ top: 0, bottom: 0, left: 0, right: 0 }),
      fc.record({ top: small(0, 2), bottom: small(0, 2), left: small(0, 2), right: small(0, 2) }),
    ),
  })
  .map(({ seed, image, kernel, outputs, stride, padding }) => {
    const rows = Math.floor((image[1] + padding.top + padding.bottom - kernel[0]) / stride) + 1;
    const columns = Math.floor((image[2] + padding.left + padding.right - kernel[1]) / stride) + 1;
    return {
      seed,
      geometry: { stride, padding } satisfies Conv2dGeometry,
      image,
      weight: [...kernel, image[3], outputs] as const,
      output: [image[0], rows, columns, outputs] as const,
    };
  })
  .filter(({ output }) => output[1] > 0 && output[2] > 0);

type Convolution = typeof convolutions extends fc.Arbitrary<infer T> ? T : never;

/** The definition: visits every product image[i]·weight[j] that is part of output[k]. */
function eachProduct(
  { geometry: { stride, padding }, image, weight, output }: Convolution,
  visit: (i: number, j: number, k: number) => void,
): void {
  const [, height, width, inputs] = image;
  const [kernelHeight, kernelWidth] = weight;
  const [, rows, columns, outputs] = output;
  for (let k = 0; k < elementsOf(output); k++) {
    const o = k % outputs;
    const column = Math.floor(k / outputs) % columns;
    const row = Math.floor(k / (outputs * columns)) % rows;
    const example = Math.floor(k / (outputs * columns * rows));
    for (let y = 0; y < kernelHeight; y++) {
      for (let x = 0; x < kernelWidth; x++) {
        const [v, h] = [row * stride + y - padding.top, column * stride + x - padding.left];
        if (v < 0 || v >= height || h < 0 || h >= width) continue;
        for (let c = 0; c < inputs; c++) {
          const i = ((example * height + v) * width + h) * inputs + c;
          visit(i, ((y * kernelWidth + x) * inputs + c) * outputs + o, k);
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
    size: small(1, 3),
    stride: small(1, 3),
  })
  .filter(({ shape, size }) => shape[1] >= size && shape[2] >= size)
  .map(({ seed, different, shape, size, stride }) => {
    const steps = (length: number) => Math.floor((length - size) / stride) + 1;
    const output = [shape[0], steps(shape[1]), steps(shape[2]), shape[3]] as const;
    return {
      seed,
      shape,
      geometry: { size, stride },
      x: random(seed, "x", shape, different / 2).map(Math.round),
      output,
    };
  });

type Pooling = typeof poolings extends fc.Arbitrary<infer T> ? T : never;

/** For each element of the output, the index of its window's first largest element, row by row. */
function firstLargest({ shape, geometry: { size, stride }, x, output }: Pooling): number[] {
  const [, height, width, channels] = shape;
  const [, rows, columns] = output;
  return Array.from({ length: elementsOf(output) }, (_, k) => {
    const column = Math.floor(k / channels) % columns;
    const row = Math.floor(k / (channels * columns)) % rows;
    const example = Math.floor(k / (channels * columns * rows));
    const window = Array.from({ length: size * size }, (_, place) => {
      const [v, h] = [row * stride + Math.floor(place / size), column * stride + (place % size)];
      return ((example * height + v) * width + h) * channels + (k % channels);
    });
    const largest = Math.max(...window.map((index) => x[index]!));
    return window.find((index) => x[index] === largest)!;
  });
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
        matches(ops, ops.conv2dInputGradient(image, w.tensor, g.tensor, geometry), image, dx);
        matches(ops, ops.conv2dWeightGradient(x.tensor, weight, g.tensor, geometry), weight, dw);
      };
      holds(t, ops, convolutions, law, 100);
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
