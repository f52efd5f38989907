import type { RunRecord } from "./record.ts";

type Layer = RunRecord["network"]["layers"][number];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * A record that counts parameters in the form that is exported, with batch normalizations folded in. Earlier programs
 * counted their scales and shifts before pruning, and one bias after it: nothing pruned, and not all kept.
 */
export function withFoldedParameters(record: RunRecord): RunRecord {
  const layers = record.network.layers.map(folded);
  if (layers.every((layer, index) => layer === record.network.layers[index])) return record;
  const parameters = sum(layers.map((layer) => layer.parameters));
  const { result } = record;
  return {
    ...record,
    network: { ...record.network, parameters, layers },
    result: result && {
      ...result,
      bytes: { ...result.bytes, fp32: 4 * parameters },
      parameters: { ...result.parameters, of: parameters },
    },
  };
}

/** A layer with more than one parameter for each output beside its weight, which is a scale and a shift, with one. */
function folded(layer: Layer): Layer {
  const weights = layer.weightShape.reduce((product, size) => product * size, 1);
  const outputs = layer.outputShape.at(-1) ?? 0;
  return layer.parameters > weights + outputs ? { ...layer, parameters: weights + outputs } : layer;
}
