import { elementsOf } from "../../../src/graph/shape.ts";
import { elementTypes } from "../../../src/onnx/element-types.ts";
import { float, type GraphBuilder, int, ints, text, type Value } from "./graph-builder.ts";

/** Adds nodes that read a value; null: they cannot read one of this shape. */
export type Step = (builder: GraphBuilder, value: Value) => Value | null;

const to = (type: number) => ({ attributes: [int("to", type)] });

const conv: Step = (b, { name, shape: [images = 1, channels = 1, ...size] }) => {
  if (size.length < 1 || size.length > 3) return null;
  const { draw } = b;
  const group = draw.pick([1, 2, channels].filter((group) => channels % group === 0));
  const outputs = group * draw.int(1, group === 1 ? 12 : 3);
  const rule = draw.pick(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  const axes = size.map((side) => {
    const [stride, before, after] = [draw.int(1, 2), draw.int(0, 2), draw.int(0, 2)];
    // The runtime has no dilation with SAME.
    const dilation = rule.startsWith("SAME") ? 1 : draw.int(1, 2);
    const padding = rule === "NOTSET" ? before + after : 0;
    const most = Math.min(3, Math.floor((side + padding - 1) / dilation) + 1);
    const kernel = draw.int(1, most);
    const reach = (kernel - 1) * dilation + 1;
    const output = rule.startsWith("SAME")
      ? Math.ceil(side / stride)
      : Math.floor((side + padding - reach) / stride) + 1;
    return { stride, dilation, before, after, kernel, output };
  });
  const all = (read: (axis: (typeof axes)[number]) => number) => axes.map(read);
  const kernel = all(({ kernel }) => kernel);
  const weight = b.weight([outputs, channels / group, ...kernel], (channels / group) * elementsOf(kernel));
  const bias = draw.chance(0.6) ? [b.short(b.floats([outputs], 0.3), name)] : draw.chance(0.3) ? [""] : [];
  const attributes = [
    ...(group > 1 || draw.chance(0.3) ? [int("group", group)] : []),
    ints(
      "strides",
      all(({ stride }) => stride),
    ),
    ints(
      "dilations",
      all(({ dilation }) => dilation),
    ),
    ...(draw.chance(0.5) ? [ints("kernel_shape", kernel)] : []),
    ...(rule === "NOTSET"
      ? [ints("pads", [...all(({ before }) => before), ...all(({ after }) => after)])]
      : [text("auto_pad", rule)]),
  ];
  const made = b.node("Conv", [name, weight, ...bias], { attributes });
  const shape = [images, outputs, ...all(({ output }) => output)];
  return draw.chance(0.4) ? normalized(b, { name: made, shape }) : { name: made, shape };
};

const normalized: Step = (b, { name, shape }) => {
  const channels = shape[1];
  if (channels === undefined || shape.length < 3) return null;
  const [scale, shift, mean] = [b.floats([channels], 0.5, 1), b.floats([channels], 0.5), b.floats([channels], 0.3)];
  const variance = b.short(b.floats([channels], 0.4, 1), name);
  const attributes = b.draw.chance(0.5) ? [float("epsilon", 1e-3)] : [];
  return { name: b.node("BatchNormalization", [name, scale, shift, mean, variance], { attributes }), shape };
};

const convTranspose: Step = (b, { name, shape: [images = 1, channels = 1, ...size] }) => {
  if (size.length < 1 || size.length > 2) return null;
  const { draw } = b;
  const group = draw.pick([1, 2].filter((group) => channels % group === 0));
  const outputs = draw.int(1, 4);
  const axes = size.map((side) => {
    const [stride, kernel, pad] = [draw.int(1, 2), draw.int(2, 3), draw.int(0, 1)];
    return { stride, kernel, pad, output: stride * (side - 1) + kernel - 2 * pad };
  });
  const all = (read: (axis: (typeof axes)[number]) => number) => axes.map(read);
  const kernel = all(({ kernel }) => kernel);
  const pads = all(({ pad }) => pad);
  const weight = b.weight([channels, outputs, ...kernel], channels * 2);
  const bias = draw.chance(0.5) ? [b.floats([outputs * group], 0.3)] : [];
  const attributes = [
    int("group", group),
    ints(
      "strides",
      all(({ stride }) => stride),
    ),
    ints("pads", [...pads, ...pads]),
  ];
  const made = b.node("ConvTranspose", [name, weight, ...bias], { attributes });
  return { name: made, shape: [images, outputs * group, ...all(({ output }) => output)] };
};

const flat = (b: GraphBuilder, { name, shape }: Value): Value =>
  shape.length === 2
    ? { name, shape }
    : { name: b.node("Flatten", [name]), shape: [shape[0] ?? 1, elementsOf(shape.slice(1))] };

const gemm: Step = (b, value) => {
  if (value.shape.length < 2) return null;
  const { name, shape } = flat(b, value);
  const [rows = 1, inputs = 1] = shape;
  if (inputs > 400) return null;
  const { draw } = b;
  const outputs = draw.int(1, 20);
  const [transA, transB, alpha, beta] = [draw.chance(0.2), draw.chance(0.5), draw.chance(0.2), draw.chance(0.2)];
  // ReLU: onnxruntime 1.30 dies of a Gemm that a Transpose reads directly, once its output is asked for.
  const x = transA ? b.node("Transpose", [b.node("Relu", [name])], { attributes: [ints("perm", [1, 0])] }) : name;
  const weight = b.weight(transB ? [outputs, inputs] : [inputs, outputs], inputs);
  const biased = b.opset < 11 || draw.chance(0.6);
  const bias = biased ? [b.short(b.floats(draw.pick([[outputs], [1, outputs], [1]]), 0.3), name)] : [];
  const attributes = [
    ...(transA ? [int("transA", 1)] : []),
    ...(transB ? [int("transB", 1)] : []),
    ...(alpha ? [float("alpha", draw.pick([0.5, 2, -1]))] : []),
    ...(beta ? [float("beta", draw.pick([0.5, 0, -1]))] : []),
  ];
  return { name: b.node("Gemm", [x, weight, ...bias], { attributes }), shape: [rows, outputs] };
};

const matMul: Step = (b, { name, shape }) => {
  const inputs = shape.at(-1);
  if (inputs === undefined || shape.length < 2 || inputs > 400) return null;
  const { draw } = b;
  const outputs = draw.int(1, 20);
  const kind = draw.pick(["matrix", "matrix", "matrix", "vector", "stack", "left"]);
  if (kind === "vector")
    return { name: b.node("MatMul", [name, b.weight([inputs], inputs)]), shape: shape.slice(0, -1) };
  if (kind === "stack" && shape.length >= 3) {
    const before = shape.slice(1, -2).map((size) => (draw.chance(0.7) ? size : 1));
    const weight = b.weight([...(before.length > 0 ? before : [1]), inputs, outputs], inputs);
    return { name: b.node("MatMul", [name, weight]), shape: [...shape.slice(0, -1), outputs] };
  }
  if (kind === "left" && shape.length >= 3) {
    const own = shape.at(-2)!;
    const weight = b.weight([outputs, own], own);
    return { name: b.node("MatMul", [weight, name]), shape: [...shape.slice(0, -2), outputs, inputs] };
  }
  return {
    name: b.node("MatMul", [name, b.weight([inputs, outputs], inputs)]),
    shape: [...shape.slice(0, -1), outputs],
  };
};

/** A layer that computes in half precision. */
const half: Step = (b, { name, shape }) => {
  const inputs = shape.at(-1);
  if (inputs === undefined || shape.length < 2 || inputs > 400) return null;
  const outputs = b.draw.int(2, 12);
  const cast = (value: string) => b.node("Cast", [value], to(elementTypes.float16));
  const weight = cast(b.floats([inputs, outputs], Math.sqrt(3 / inputs)));
  const made = b.node("MatMul", [cast(name), weight]);
  return { name: b.node("Cast", [made], to(elementTypes.float)), shape: [...shape.slice(0, -1), outputs] };
};

const recurrent: Step = (b, { name, shape }) => {
  const [images = 1, steps = 1, inputs = 1] = shape;
  if (shape.length !== 3 || inputs > 60 || steps > 12) return null;
  const { draw } = b;
  const opType = draw.pick(["LSTM", "GRU", "RNN"]);
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[opType]!;
  const [hidden, directions] = [draw.int(2, 6), draw.int(1, 2)];
  const x = b.node("Transpose", [name], { attributes: [ints("perm", [1, 0, 2])] });
  const w = b.weight([directions, gates * hidden, inputs], inputs);
  const r = b.weight([directions, gates * hidden, hidden], hidden);
  const bias = draw.chance(0.5) ? [b.floats([directions, 2 * gates * hidden], 0.3)] : draw.chance(0.3) ? [""] : [];
  const attributes = [
    int("hidden_size", hidden),
    text("direction", directions === 2 ? "bidirectional" : draw.pick(["forward", "reverse"])),
    ...(opType === "GRU" && draw.chance(0.5) ? [int("linear_before_reset", 1)] : []),
  ];
  const last = draw.chance(0.4);
  const outputs = last ? ["", b.name("last")] : draw.chance(0.3) ? [b.name("all"), b.name("last")] : [b.name("all")];
  const made = b.node(opType, [x, w, r, ...bias], { attributes, outputs });
  const perm = last ? [1, 0, 2] : [2, 0, 1, 3];
  const turned = b.node("Transpose", [made], { attributes: [ints("perm", perm)] });
  return { name: turned, shape: last ? [images, directions, hidden] : [images, steps, directions, hidden] };
};

/** Steps with weights. */
export const layers: readonly Step[] = [
  conv,
  conv,
  convTranspose,
  gemm,
  gemm,
  matMul,
  matMul,
  half,
  recurrent,
  normalized,
];
