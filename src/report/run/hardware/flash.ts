import { elementsOf } from "../../../graph/shape.ts";
import { storedBits } from "../../../quantization/levels.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { learnedNow } from "../run-state.ts";

/** What a program keeps of the network beside its code, in bytes. */
export interface Flash {
  readonly weights: number;
  /** float32, or int32 in integer kernels: 4 bytes each. */
  readonly biases: number;
  /** Steps of weights and activations, 4 bytes each. */
  readonly scales: number;
}

export const flashTotal = ({ weights, biases, scales }: Flash): number => weights + biases + scales;

/** Of the pruned network, its weights packed at their bits or in whole bytes. */
export function flashOf(record: RunRecord, { layers, coded = [] }: RunResult, storage: "packed" | "bytes"): Flash {
  const known = new Map(record.network.layers.map((layer) => [layer.name, layer]));
  const rows = layers.map(({ name, weightBits, channelBits, keptOutputs, parameters, bytes, codebook }) => {
    const layer = known.get(name);
    const weights = layer === undefined ? 0 : elementsOf(layer.weightShape);
    const biases = layer !== undefined && layer.parameters > weights ? keptOutputs : 0;
    if (codebook !== undefined) {
      const { indexBytes, codeBits } = codebook;
      const padding = storage === "packed" ? 0 : Math.ceil((indexBytes * Math.max(0, 8 - codeBits)) / codeBits);
      return { weights: bytes - 4 * biases + padding, biases: 4 * biases, steps: 0 };
    }
    if (channelBits !== undefined && weightBits !== 32 && storage === "packed") {
      // Each channel has a step, and the record counts them, too.
      return { weights: bytes - 4 * (biases + keptOutputs), biases: 4 * biases, steps: keptOutputs };
    }
    const stored = storedBits(weightBits);
    const bits = storage === "packed" ? stored : Math.max(8, stored);
    const byChannel = channelBits !== undefined || stepsByChannel(record);
    const steps = weightBits === 32 ? 0 : byChannel ? keptOutputs : 1;
    return { weights: Math.ceil(((parameters - biases) * bits) / 8), biases: 4 * biases, steps };
  });
  const activations = record.quantizers.filter(
    ({ id, role }) => role === "activation" && (learnedNow(record, id)?.bits ?? 32) < 32,
  );
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    weights: coded.reduce(
      (total, { codeBytes, valueBytes }) => total + codeBytes + valueBytes,
      sum(({ weights }) => weights),
    ),
    biases: sum(({ biases }) => biases),
    scales: 4 * (sum(({ steps }) => steps) + activations.length),
  };
}

/** Of the unpruned network in float32. */
export function floatFlash({ network, result }: RunRecord): Flash {
  const coded = (result?.coded ?? []).reduce((total, { fp32Bytes }) => total + fp32Bytes / 4, 0);
  const weights = network.layers.reduce((total, { weightShape }) => total + elementsOf(weightShape), coded);
  return { weights: 4 * weights, biases: 4 * (network.parameters - weights), scales: 0 };
}

/** Whether each output channel of a weight has a step of its own. */
function stepsByChannel({ config: { method } }: RunRecord): boolean {
  switch (method.name) {
    case "bayesian-bits":
    case "fixed":
    case "sensitivity":
    case "autoq":
      return method.weightRanges === "per-channel";
    case "nearest":
    case "adaround":
      return method.perChannel;
    case "bit-split":
      return true;
    case "fp32":
    case "dpq":
    case "product-quantization":
      return false;
  }
}
