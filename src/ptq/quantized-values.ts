import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import type { FileGraph } from "./file-graph.ts";
import { hasIntegerKernel, multipliedValue, type WeightSite } from "./weight-site.ts";

/** Operators that integer kernels take in: onnxruntime makes one kernel of the layer and what clips its output. */
const clipping: ReadonlySet<string> = new Set(["Relu", "Clip"]);

/** A value that is to be put on a grid. */
export interface ValueToQuantize {
  readonly name: string;
  /** Where no layer multiplies it by its weight: what the convolution reads that gives it. Null: one does. */
  readonly behind: string | null;
}

/**
 * The values that are to be put on grids: what layers with integer kernels read, and what convolutions give, behind
 * their ReLU or Clip. onnxruntime has a kernel of integers only for convolutions whose output is quantized too; those of
 * matrix products give floats.
 *
 * @param sites All; those with integer kernels ask for grids.
 */
export function valuesToQuantize(graph: FileGraph, sites: readonly WeightSite[]): readonly ValueToQuantize[] {
  const values = new Map<string, string | null>();
  const multiplied = new Set(sites.map(multipliedValue));
  for (const { node, operator } of sites.filter(hasIntegerKernel)) {
    if (operator.data === null) continue;
    const data = node.input[operator.data] ?? "";
    if (data !== "") values.set(data, null);
    if (node.opType !== "Conv") continue;
    const made = outputOf(graph, node);
    if (!values.has(made)) values.set(made, multiplied.has(made) ? null : data);
  }
  return Array.from(values, ([name, behind]) => ({ name, behind }));
}

/** What a layer gives, behind the ReLU or Clip that alone reads it. */
export function outputOf(graph: FileGraph, { output: [made = ""] }: NodeProto): string {
  const [reader, ...others] = graph.readersOf(made);
  const isClipped =
    reader !== undefined &&
    others.length === 0 &&
    !graph.isOutput(made) &&
    isStandardDomain(reader.domain) &&
    clipping.has(reader.opType) &&
    reader.input.slice(1).every((name) => name === "" || graph.initializer(name) !== null);
  return isClipped ? (reader.output[0] ?? made) : made;
}
