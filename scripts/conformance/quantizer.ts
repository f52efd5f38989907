import { z } from "zod";
import type { Ops } from "../../src/engine/ops.ts";
import type { QuantizerNode } from "../../src/kinds/quantizer.ts";
import { quantizer as kind } from "../../src/kinds/quantizer.ts";
import { stepSize } from "../../src/quantization/grid.ts";
import type { Gate } from "../../src/quantization/hard-concrete.ts";
import { bitWidths } from "../../src/quantization/levels.ts";
import { learnedChannels } from "../../src/quantizers/channel-gates.ts";
import { ChannelGroups } from "../../src/quantizers/channel-groups.ts";
import { sampleOf } from "../../src/quantizers/gate-sample.ts";
import { learnedLevels } from "../../src/quantizers/level-gates.ts";
import { learnedRange, rangeFloor } from "../../src/quantizers/range.ts";
import {
  channelsFirst,
  channelsLast,
  largestDifference,
  largestMagnitude,
  numbers,
  type Outcome,
  relativeError,
  Tally,
} from "./compare.ts";

const gate = z.object({ z4: z.number(), z8: z.number(), z16: z.number(), z32: z.number() });
const maybe = z.number().nullable();
const file = z.object({
  cases: z.array(
    z.object({
      shape: numbers,
      signed: z.boolean(),
      x_max: z.number(),
      gates: gate,
      z2: numbers.nullable(),
      x: numbers,
      upstream: numbers,
      y: numbers,
      scales: numbers,
      grad_x: numbers,
      grad_x_max: z.number(),
      grad_z: z.object({ z4: maybe, z8: maybe, z16: maybe, z32: maybe }),
      grad_z2: z.array(maybe).nullable(),
    }),
  ),
});

/** A gate that stands at `value`: with derivative 1 the gradient by phi is the gradient by z. */
const standing = (value: number): Gate => ({ value, derivative: value > 0 && value < 1 ? 1 : 0 });

/** A quantizer alone meets no batch normalization. */
const passWithoutStatistics = {
  training: true,
  statistics: () => {
    throw new Error("no batch normalization here");
  },
  observe: () => {},
};

/** quantizer.json: values and gradients of the real quantizer node, one case at a time. */
const absent = (): never => {
  throw new Error("a quantizer reads neither inputs nor parameters");
};

export function checkQuantizer(content: unknown, ops: Ops): Outcome {
  const tally = new Tally();
  for (const golden of file.parse(content).cases) {
    const channels = golden.z2?.length ?? 1;
    const node: QuantizerNode = {
      kind: "quantizer",
      id: "q",
      inputs: ["x"],
      role: golden.z2 ? "weight" : "activation",
      signed: golden.signed,
      rectifies: false,
      limit: null,
    };
    const { z4, z8, z16, z32 } = golden.gates;
    const levels = [z4, z8, z16, z32].map(standing);
    const sample = sampleOf(
      { xMax: golden.x_max, ranges: null },
      {
        values: Float64Array.from(levels, ({ value }) => value),
        derivatives: Float64Array.from(levels, ({ derivative }) => derivative),
      },
      golden.z2?.map(standing) ?? null,
    );
    const sums = {
      range: [0] as ArrayLike<number>,
      levels: new Map<number, ArrayLike<number>>(),
      channels: null as Float64Array | null,
    };
    const shape = [golden.x.length / channels, channels];
    ops.scope(
      () => {
        const { factor } = sample;
        const pass = {
          ...passWithoutStatistics,
          ops,
          input: absent,
          parameter: absent,
          quantizer: () => sample.parameters,
          factor: () => factor && ops.tensor(factor, [channels]),
          wantsFactor: () => sample.wantsFactor,
          range: (_: string, inner: ArrayLike<number>) => {
            sums.range = inner;
          },
          decoded: absent,
          level: (_: string, bits: number, inner: ArrayLike<number>) => sums.levels.set(bits, inner),
          ...{ codes: () => null, penalty: () => {} },
          factorGradient: (_: string, inner: ArrayLike<number>) => {
            sums.channels = Float64Array.from(inner);
          },
        };
        const { output, saved } = kind.forward(node, [ops.tensor(channelsLast(golden.x, channels), shape)], pass);
        const y = channelsFirst(ops.read(output), channels);
        const [result] = kind.backward(node, ops.tensor(channelsLast(golden.upstream, channels), shape), saved, pass, [
          true,
        ]);
        const gradX = channelsFirst(ops.read(result!), channels);
        const none = {
          value: 0,
          gradient: new Float64Array(4),
          pruneGradient: golden.z2 && new Float64Array(channels),
        };
        const findings = { sample, sums, prior: none, priorStrength: 0 };
        const byRange = learnedRange(Float64Array.of(golden.x_max), {
          limit: null,
          floor: Float64Array.of(rangeFloor),
        }).gradient(findings);
        const byLevels = learnedLevels(new Float64Array(4), new ChannelGroups(channels, channels)).gradient(findings);
        const byChannels = learnedChannels(new Float64Array(channels)).gradient(findings);
        tally.case((check) => {
          bitWidths.forEach((bits, level) => {
            check(
              relativeError(stepSize(bits, { xMax: golden.x_max, signed: golden.signed }), golden.scales[level]!),
              1e-5,
            );
          });
          check(largestDifference(y, golden.y) / largestMagnitude(golden.y), 1e-5);
          check(largestDifference(gradX, golden.grad_x) / Math.max(largestMagnitude(golden.grad_x), 1e-30), 1e-5);
          check(relativeError(byRange[0]!, golden.grad_x_max, 1e-5), 2e-3);
          const { z4: g4, z8: g8, z16: g16, z32: g32 } = golden.grad_z;
          [g4, g8, g16, g32].forEach((expected, level) => {
            if (expected !== null) check(relativeError(byLevels[level]!, expected, 1e-5), 2e-3);
          });
          golden.grad_z2?.forEach((expected, channel) => {
            if (expected !== null) check(relativeError(byChannels[channel]!, expected, 1e-5), 2e-3);
          });
        });
      },
      () => [],
    );
  }
  return tally;
}
