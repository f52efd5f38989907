import { elementTypes } from "../../../src/onnx/element-types.ts";
import { typed } from "../../fixtures/onnx/plain-model.ts";
import { type GraphBuilder, graph, int } from "./graph-builder.ts";
import type { Step } from "./random-layers.ts";

/** A weight of the graph itself, or of the one that it lies in. */
const eitherWeight = (inner: GraphBuilder, outer: GraphBuilder, dims: readonly [number, number]): string =>
  (inner.draw.chance(0.7) ? inner : outer).weight(dims, dims[0]);

const largest = (b: GraphBuilder, value: string): string =>
  b.node("ReduceMax", [b.node("Abs", [value])], { attributes: [int("keepdims", 0)] });

const choice: Step = (b, value) => {
  const inputs = value.shape.at(-1);
  if (inputs === undefined || value.shape.length < 2 || inputs > 100) return null;
  const { draw } = b;
  const outputs = draw.int(2, 12);
  const condition = draw.chance(0.3)
    ? b.tensor("flag", elementTypes.bool, [], Uint8Array.of(draw.int(0, 1)))
    : // Whichever it is, a little noise does not change it.
      b.node(draw.pick(["Greater", "Less"]), [largest(b, value.name), b.floats([], 0, -1)]);
  const branch = (depth: number): { readonly inner: GraphBuilder; readonly output: string } => {
    const inner = b.inner();
    const product = (from: string, name: readonly [number, number]) =>
      inner.node("MatMul", [from, eitherWeight(inner, b, name)]);
    let output = product(value.name, [inputs, outputs]);
    if (draw.chance(0.4)) output = product(output, [outputs, outputs]);
    if (depth > 0 && draw.chance(0.4)) {
      const [first, second] = [deeper(inner, output, outputs), deeper(inner, output, outputs)];
      output = inner.node("If", [condition], {
        attributes: [graph("then_branch", first), graph("else_branch", second)],
      });
    } else if (draw.chance(0.5)) output = inner.node("Relu", [output]);
    return { inner, output };
  };
  const deeper = (from: GraphBuilder, read: string, size: number) => {
    const inner = from.inner();
    const made = inner.node("MatMul", [read, eitherWeight(inner, draw.chance(0.5) ? from : b, [size, size])]);
    return { name: "deeper", node: inner.nodes, initializer: inner.tensors, output: [{ name: made }] };
  };
  const [yes, no] = [branch(1), branch(0)].map(({ inner, output }) => ({
    ...{ name: "branch", node: inner.nodes, initializer: inner.tensors, output: [{ name: output }] },
  })) as [ReturnType<typeof deeper>, ReturnType<typeof deeper>];
  const attributes = [graph("then_branch", yes), graph("else_branch", no)];
  return { name: b.node("If", [condition], { attributes }), shape: [...value.shape.slice(0, -1), outputs] };
};

const loop: Step = (b, value) => {
  const size = value.shape.at(-1);
  if (size === undefined || value.shape.length < 2 || size < 2 || size > 30) return null;
  const { draw } = b;
  const inner = b.inner();
  const [count, go, state, passed] = [inner.name("i"), inner.name("go"), inner.name("state"), inner.name("passed")];
  const passes = draw.chance(0.5);
  const weight = passes ? passed : eitherWeight(inner, b, [size, size]);
  const next = inner.node("MatMul", [state, weight]);
  const goes = inner.node("Identity", [go]);
  const changed = passes && draw.chance(0.2) ? inner.node("Mul", [passed, passed]) : passed;
  const inputs = [typed(count, 7, []), typed(go, 9, []), typed(state, 1, value.shape)];
  const body = {
    ...{ name: "body", node: inner.nodes, initializer: inner.tensors },
    input: passes ? [...inputs, typed(passed, 1, [size, size])] : inputs,
    output: [goes, next, ...(passes ? [changed] : [])].map((name) => ({ name })),
  };
  const trips = b.ints([draw.int(0, 3)], []);
  const outputs = [b.name("loop"), ...(passes ? [b.name("unread")] : [])];
  const states = [value.name, ...(passes ? [b.weight([size, size], size)] : [])];
  b.node("Loop", [trips, "", ...states], { attributes: [graph("body", body)], outputs });
  return { name: outputs[0]!, shape: value.shape };
};

/** Over the samples: a product for each. */
const scan: Step = (b, { name, shape }) => {
  const inputs = shape.at(-1);
  if (b.opset < 9 || inputs === undefined || shape.length < 3 || inputs > 60) return null;
  const inner = b.inner();
  const row = inner.name("row");
  const outputs = b.draw.int(2, 8);
  const made = inner.node("MatMul", [row, eitherWeight(inner, b, [inputs, outputs])]);
  const body = {
    ...{ name: "body", node: inner.nodes, initializer: inner.tensors },
    ...{ input: [typed(row, 1, shape.slice(1))], output: [{ name: made }] },
  };
  const attributes = [graph("body", body), int("num_scan_inputs", 1)];
  return { name: b.node("Scan", [name], { attributes }), shape: [...shape.slice(0, -1), outputs] };
};

/** Steps with graphs inside. */
export const subgraphs: readonly Step[] = [choice, choice, loop, scan];
