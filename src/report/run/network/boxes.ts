import { gridBehind } from "../../../kinds/index.ts";
import { unquantizedBits } from "../../../quantization/bit-operations.ts";
import type { RunRecord } from "../../../runs/record.ts";
import type { BitWidth } from "../../page/chips.ts";
import { bitsNow, type LayerState, layerStates } from "../run-state.ts";

/** An activation on its way into a box. */
export interface Wire {
  readonly from: string;
  /** null before the first epoch; 32 where nothing quantizes it. */
  readonly bits: BitWidth | null;
  /** The graph's node whose output it is: one box may be read as sums and as the codes of a quantizer behind them. */
  readonly value: string;
}

/** What is drawn of a network: its input, its layers, and what joins or pools activations. */
export interface Box {
  readonly id: string;
  readonly kind: "input" | "layer" | "other";
  /** What the box does, in the network's words: "max-pool", "add". */
  readonly does: string;
  /** For layers. */
  readonly state: LayerState | null;
  readonly shape: readonly number[];
  readonly wires: readonly Wire[];
}

type GraphNode = NonNullable<RunRecord["network"]["graph"]>[number];

/** Kinds that change numbers, not the way: they are part of the line from their first input to the next box. */
const partOfTheLine = new Set([
  "bias",
  "relu",
  "nonlinear",
  "affine",
  "batch-norm",
  "folded-norm",
  "flatten",
  "quantizer",
]);

/** What comes out of a node, as a line into the next box. */
interface Line extends Wire {
  readonly isInput: boolean;
}

/** The network as boxes and lines, in topological order, with the bits after the last epoch. */
export function boxesOf(record: RunRecord): readonly Box[] {
  const states = new Map(layerStates(record).map((state) => [state.layer.name, state]));
  /** Where the output of a node comes from, as a line into the next box. */
  const lines = new Map<string, Line>();
  const boxes: Box[] = [];
  for (const { id, kind, inputs, shape } of record.network.graph ?? chain(record)) {
    const read = inputs.flatMap((input) => lines.get(input) ?? []);
    const [only] = read;
    const kept = gridBehind(kind) === "kept" ? only : undefined;
    if (partOfTheLine.has(kind) && only) {
      const bits = kind === "quantizer" ? bitsNow(record, id) : kept ? kept.bits : 32;
      lines.set(id, { from: only.from, bits, value: kept?.value ?? id, isInput: kept?.isInput ?? false });
      continue;
    }
    const state = states.get(id) ?? null;
    boxes.push({
      id,
      kind: state ? "layer" : inputs.length === 0 ? "input" : "other",
      does: kind,
      state,
      shape,
      wires: read.map((line, input) => ({
        from: line.from,
        bits: bitsRead(record, state, line, input),
        value: line.value,
      })),
    });
    lines.set(id, {
      from: id,
      bits: kept ? kept.bits : 32,
      value: id,
      isInput: inputs.length === 0 || kept?.isInput === true,
    });
  }
  return boxes;
}

/** Bits of what a box reads. What a layer reads is what the bit operations count. */
function bitsRead(
  record: RunRecord,
  state: LayerState | null,
  { bits, isInput }: Line,
  input: number,
): BitWidth | null {
  if (state !== null && input === 0) {
    const { layer, inputBits } = state;
    return layer.inputQuantizer === null
      ? (inputBits ?? unquantizedBits({ ...layer, readsPixels: isInput && !record.data.values }))
      : inputBits;
  }
  const [quantizer] = record.quantizers;
  const readsPixels = !record.data.values;
  return isInput ? unquantizedBits({ readsPixels, weightQuantizer: quantizer?.id ?? null }) : bits;
}

/** Records from before the graph was kept are of straight chains. */
function chain({ network, data }: RunRecord): readonly GraphNode[] {
  let before = "the network's input";
  const input = { id: before, kind: "input", inputs: [], shape: data.imageShape };
  return [
    input,
    ...network.layers.map(({ name, kind, outputShape }) => {
      const node = { id: name, kind, inputs: [before], shape: outputShape };
      before = name;
      return node;
    }),
  ];
}
