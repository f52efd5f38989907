import { z } from "zod";
import { relativeBitOperations } from "../../src/quantization/bit-operations.ts";
import { deterministicGate, isOpen, openProbability, sampleGate } from "../../src/quantization/hard-concrete.ts";
import { complexity } from "../../src/quantization/prior.ts";
import { multiplier } from "../../src/training/schedule.ts";
import { largestDifference, largestMagnitude, numbers, type Outcome, relativeError, Tally } from "./compare.ts";

const gates = z.object({
  cases: z.array(
    z.object({
      phi: z.number(),
      u: z.number(),
      z: z.number(),
      dz_dphi: z.number(),
      prob_active: z.number(),
      dprob_dphi: z.number(),
      hard_sigmoid: z.number(),
      test_gate: z.number(),
    }),
  ),
});

/** hard_concrete.json: samples, probabilities, deterministic and test-time gates. */
export function checkHardConcrete(content: unknown): Outcome {
  const tally = new Tally();
  for (const golden of gates.parse(content).cases) {
    const sample = sampleGate(golden.phi, golden.u);
    const probability = openProbability(golden.phi);
    tally.case((check) => {
      check(Math.abs(sample.value - golden.z), 1e-5);
      check(Math.abs(sample.derivative - golden.dz_dphi), 1e-5);
      check(Math.abs(probability.value - golden.prob_active), 1e-5);
      check(Math.abs(probability.derivative - golden.dprob_dphi), 1e-5);
      check(Math.abs(deterministicGate(golden.phi) - golden.hard_sigmoid), 1e-5);
      check(Math.abs((isOpen(golden.phi) ? 1 : 0) - golden.test_gate), 1e-5);
    });
  }
  return tally;
}

const phis = z.object({ phi4: z.number(), phi8: z.number(), phi16: z.number(), phi32: z.number() });
const priors = z.object({
  cases: z.array(
    z.object({
      reg_type: z.enum(["const", "bop"]),
      macs: z.number(),
      max_macs: z.number(),
      phi2: numbers.nullable(),
      phi: phis,
      value: z.number(),
      grad_phi2: numbers.nullable(),
      grad_phi: phis,
    }),
  ),
});

const inOrder = ({ phi4, phi8, phi16, phi32 }: z.infer<typeof phis>) => [phi4, phi8, phi16, phi32];

/** regularizer.json: the complexity of one quantizer and its gradients. */
export function checkRegularizer(content: unknown): Outcome {
  const tally = new Tally();
  for (const golden of priors.parse(content).cases) {
    const { value, gradient, pruneGradient } = complexity(
      {
        phi: inOrder(golden.phi),
        prune: golden.phi2,
        groups: { channels: golden.phi2?.length ?? 1, size: golden.phi2?.length ?? 1 },
      },
      { kind: golden.reg_type, macShare: golden.macs / golden.max_macs },
    );
    tally.case((check) => {
      check(relativeError(value, golden.value), 1e-4);
      // Gradients count against the case's largest: the file's float32 has lost the digits of the smallest ones.
      const expected = [...inOrder(golden.grad_phi), ...(golden.grad_phi2 ?? [])];
      const actual = [...gradient, ...(pruneGradient ?? [])];
      check(largestDifference(actual, expected) / largestMagnitude(expected), 1e-4);
    });
  }
  return tally;
}

const schedules = z.object({ cases: z.array(z.object({ epochs: z.number(), multiplier: numbers })) });

/** lr_schedule.json: constant, then linear to zero over the last third. */
export function checkSchedule(content: unknown): Outcome {
  const tally = new Tally();
  for (const { epochs, multiplier: expected } of schedules.parse(content).cases) {
    tally.case((check) => {
      for (const [epoch, value] of expected.entries())
        check(Math.abs(multiplier({ name: "linear-decay" }, epoch, epochs) - value), 1e-9);
    });
  }
  return tally;
}

const models = z.object({
  cases: z.array(
    z.object({
      model: z.string(),
      macs: z.record(z.string(), z.number()),
      groups: z.array(z.array(z.string())),
      quantizers: z.record(
        z.string(),
        z.object({ bits: z.number(), kept: z.number().nullable(), of: z.number().nullable() }),
      ),
      relative_bops_percent: z.number(),
    }),
  ),
});

/** relative_bops.json: groups name (activation quantizer, weight quantizer) of each layer; the input counts as 8 bits. */
export function checkBops(content: unknown): Outcome {
  const tally = new Tally();
  for (const golden of models.parse(content).cases) {
    const share = ({ kept, of }: { kept: number | null; of: number | null }) =>
      kept === null || of === null ? 1 : kept / of;
    let previous = 1;
    const layers = golden.groups.map((group) => {
      const weight = group.at(-1)!;
      const quantizer = golden.quantizers[weight]!;
      const input = group.length > 1 ? golden.quantizers[group[0]!]! : null;
      const layer = {
        macs: macsOf(golden.macs, weight.replace(/\.weight_quantizer$/, "")),
        weightBits: quantizer.bits,
        inputBits: input?.bits ?? 8,
        keptOutputs: share(quantizer),
        keptInputs: previous,
      };
      previous = share(quantizer);
      return layer;
    });
    tally.case((check) => check(relativeError(relativeBitOperations(layers), golden.relative_bops_percent), 1e-6));
  }
  return tally;
}

/** The file names a layer's MACs by the module that has them, which can lie one level below the quantized layer. */
function macsOf(macs: Readonly<Record<string, number>>, layer: string): number {
  const key = Object.keys(macs).find((name) => name === layer || name.startsWith(`${layer}.`));
  return macs[key!]!;
}
