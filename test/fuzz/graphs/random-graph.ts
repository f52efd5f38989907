import { elementsOf } from "../../../src/graph/shape.ts";
import { npy, npz } from "../../fixtures/npy.ts";
import { encodePlain, type PlainModel, type PlainValue } from "../../fixtures/onnx/plain-model.ts";
import { Draw } from "./draw.ts";
import { GraphBuilder, type Value } from "./graph-builder.ts";
import { layers, type Step } from "./random-layers.ts";
import { operators } from "./random-operators.ts";
import { subgraphs } from "./random-subgraphs.ts";

/** Numbers for an input, the samples along the first axis. */
export interface InputSamples {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

export interface SampledGraph {
  readonly bytes: Uint8Array;
  readonly samples: ReadonlyMap<string, InputSamples>;
}

/** More numbers of one sample than this slow the test down. */
const LARGEST = 3000;

/** The file of samples that the command takes. */
export const samplesFile = (samples: SampledGraph["samples"]): Buffer =>
  npz(
    Object.fromEntries(
      Array.from(samples, ([name, { shape, data }]) => {
        const bytes = new Uint8Array(data.buffer);
        return [name, npy(data instanceof Float32Array ? "<f4" : "<i8", shape, bytes)];
      }),
    ),
  );

/** A network of any operators, and samples for it. Not every one of them is valid. */
export function randomGraph(seed: number): SampledGraph {
  const draw = new Draw(seed, "graph");
  const builder = new GraphBuilder(draw, draw.int(7, 21));
  const count = draw.int(4, 10);
  const batch = draw.pick(["n", "n", 1, 2]);
  /** Of one run. */
  const run = typeof batch === "string" ? count : batch;
  const samples = new Map<string, InputSamples>();
  const inputs: PlainValue[] = [];
  const pool: Value[] = [];
  const free = (size: number, axis: number) => (draw.chance(0.2) ? `size ${axis}` : size);
  const addInput = (own: readonly number[]) => {
    const name = builder.name("input");
    const scale = draw.pick([1, 1, 1, 10, 0.01]);
    samples.set(name, { shape: [count, ...own], data: draw.floats(count * elementsOf(own), scale) });
    inputs.push({ name, shape: [batch, ...own.map(free)] });
    pool.push({ name, shape: [run, ...own] });
  };
  const side = () => draw.int(3, 8);
  const own = draw.pick([[side() * 2], [side(), side()], [draw.int(1, 6), side(), side()], [2, 3, side(), 4]]);
  for (let index = draw.pick([1, 1, 2, 3]); index > 0; index--) addInput(draw.chance(0.6) ? own : [side()]);
  if (draw.chance(0.25)) {
    const value = lookedUp(builder, { count, batch, run });
    inputs.push(value.input);
    samples.set(value.input.name, value.samples);
    pool.push(value.looked);
  }
  for (let steps = draw.int(3, 9), left = steps; left > 0; left--) {
    const made = step(
      builder,
      pool,
      left === steps ? [layers] : [layers, layers, operators, operators, operators, subgraphs],
    );
    if (made !== null && elementsOf(made.shape.slice(1)) <= LARGEST) pool.push(made);
  }
  const model = { opset: builder.opset, nodes: builder.nodes, tensors: builder.tensors, inputs };
  return { bytes: encodePlain({ ...model, ...endings(builder, pool, inputs, batch) }), samples };
}

function step(builder: GraphBuilder, pool: readonly Value[], kinds: readonly (readonly Step[])[]): Value | null {
  const { draw } = builder;
  const steps = draw.pick(kinds);
  const value = draw.chance(0.7) ? pool.at(-1)! : draw.pick(pool);
  const like = pool.filter(({ name, shape }) => name !== value.name && `${shape}` === `${value.shape}`);
  if (like.length > 0 && draw.chance(0.3)) {
    const inputs = [value.name, draw.pick(like).name];
    // No Sub: where both are nearly the same, nothing but rounding is left.
    return { name: builder.node(draw.pick(["Add", "Mul"]), inputs), shape: value.shape };
  }
  for (let attempt = 0; attempt < 5; attempt++) {
    const made = draw.pick(steps)(builder, value);
    if (made !== null) return made;
  }
  return null;
}

/** A table that an input of integers is looked up in. */
function lookedUp(
  builder: GraphBuilder,
  { count, batch, run }: { readonly count: number; readonly batch: number | string; readonly run: number },
) {
  const { draw } = builder;
  const [rows, size, words] = [draw.int(5, 20), draw.int(3, 9), draw.int(2, 5)];
  const name = builder.name("words");
  const lowest = draw.chance(0.2) ? -rows : 0;
  const data = BigInt64Array.from({ length: count * words }, () => BigInt(draw.int(lowest, rows - 1)));
  const looked = builder.node("Gather", [builder.weight([rows, size], 3), name]);
  return {
    input: { name, shape: [batch, words], type: 7 },
    samples: { shape: [count, words], data },
    looked: { name: looked, shape: [run, words, size] },
  };
}

/** Outputs, of whatever kind, and what the file says of its inside. */
function endings(
  builder: GraphBuilder,
  pool: readonly Value[],
  inputs: PlainValue[],
  batch: number | string,
): Pick<PlainModel, "outputs" | "values" | "irVersion"> {
  const { draw, tensors } = builder;
  const last = pool.at(-1)!;
  const chosen = new Map([[last.name, last]]);
  for (const value of pool) if (draw.chance(0.15) && value.shape.length > 0) chosen.set(value.name, value);
  const made = new Set(builder.nodes.flatMap(({ output = [] }) => output));
  const declared = ({ name, shape }: Value): PlainValue => ({ name, shape: [batch, ...shape.slice(1)] });
  const outputs = [...chosen.values()]
    .filter(({ name }) => made.has(name))
    .map((value) => (draw.chance(0.5) ? declared(value) : { name: value.name }));
  if (draw.chance(0.1)) outputs.push({ name: builder.node("Identity", [inputs[0]!.name]) });
  if (draw.chance(0.1)) outputs.push({ name: draw.pick(inputs).name });
  const matrices = tensors.filter(({ dataType, dims = [] }) => dataType === 1 && dims.length >= 2);
  if (matrices.length > 0 && draw.chance(0.1)) outputs.push({ name: draw.pick(matrices).name! });
  const everyOne = draw.chance(0.1);
  const listed = tensors.filter(() => everyOne || draw.chance(0.1));
  inputs.push(...listed.map(({ name = "", dims = [], dataType = 1 }) => ({ name, shape: dims, type: dataType })));
  const inside = pool.filter(({ name }) => made.has(name) && !outputs.some((output) => output.name === name));
  return {
    outputs: draw.shuffled(outputs),
    values: inside.filter(() => draw.chance(0.3)).map(declared),
    irVersion: everyOne ? draw.pick([3, 4]) : draw.pick([4, 6, 8, 10]),
  };
}
