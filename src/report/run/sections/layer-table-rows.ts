import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { type LayerState, layerStates, type ProductState, productStates } from "../run-state.ts";

type Quantizer = RunRecord["quantizers"][number];

/** A layer with its tensors; or a product of two activations; or a tensor that no layer gives, as that of an addition. */
export interface LayerRow {
  readonly name: string;
  /** null: no layer. */
  readonly state: LayerState | null;
  readonly result: RunResult["layers"][number] | null;
  /** null: no product. */
  readonly product: ProductState | null;
  readonly weight: Quantizer | null;
  readonly output: Quantizer | null;
  /** Of what it gives, for one image, before pruning; null where older records do not tell. */
  readonly shape: readonly number[] | null;
}

/** Layers and products in the network's order, each other tensor where the graph has it; at the end where there is no graph. */
export function layerRows(record: RunRecord): readonly LayerRow[] {
  const { network, quantizers, result } = record;
  const results = new Map(result?.layers.map((layer) => [layer.name, layer]));
  const states = layerStates(record);
  const outputOf = (name: string) =>
    quantizers.find(({ role, layer }) => role === "activation" && layer === name) ?? null;
  const layers = states.map((state): LayerRow => {
    const { name, weightQuantizer, outputShape } = state.layer;
    return {
      ...{ name, state, shape: outputShape, result: results.get(name) ?? null, product: null },
      weight: quantizers.find(({ id }) => id === weightQuantizer) ?? null,
      output: outputOf(name),
    };
  });
  const products = productStates(record).map((product): LayerRow => {
    const { name, outputShape } = product.product;
    return { name, state: null, result: null, product, weight: null, output: outputOf(name), shape: outputShape };
  });
  const known = [...layers, ...products];
  const names = new Set(known.map(({ name }) => name));
  const graph = new Map(network.graph?.map(({ id, shape }, place) => [id, { place, shape }]));
  const others = quantizers
    .filter(({ layer }) => !names.has(layer))
    .map((output): LayerRow => {
      const shape = graph.get(output.id)?.shape ?? null;
      return { name: output.layer, state: null, result: null, product: null, weight: null, output, shape };
    });
  const placeOf = ({ name, output }: LayerRow): number =>
    graph.get(name)?.place ?? graph.get(output?.id ?? "")?.place ?? Number.POSITIVE_INFINITY;
  return network.graph === undefined
    ? [...known, ...others]
    : [...known, ...others].toSorted((one, other) => order(placeOf(one), placeOf(other)));
}

/** Two that are nowhere stay as they are: their places have no difference. */
const order = (one: number, other: number): number => (one === other ? 0 : one - other);
