import { elementsOf } from "../graph/shape.ts";
import type { PatchGeometry } from "../methods/layerwise/patches.ts";
import type { NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { realValues } from "../onnx/tensor-data.ts";
import { clipBounds } from "./clip-bounds.ts";
import { type FileGraph, floatOf, intOf, intsOf, textOf } from "./file-graph.ts";
import type { WeightSite } from "./weight-site.ts";

/** How a layer reads a tensor, whose sizes a run alone may tell. */
export interface PatchLayout extends PatchGeometry {
  readonly images: number;
  /** Of one image, along each axis of space. */
  readonly size: readonly number[];
  readonly channels: number;
  readonly layout: "channels-first" | "channels-last";
  /** Places of one image, along each axis of space. */
  readonly output: readonly number[];
}

/** Whether a site is a product of patches and weights that layer-by-layer methods can take on. */
export function isLinear({ node, layout: { dims } }: WeightSite): boolean {
  if (node.opType === "Conv") return true;
  if (node.opType === "Gemm") return intOf(node, "transA", 0) === 0;
  return node.opType === "MatMul" && dims.length === 2;
}

/** The patches of a linear site in what it reads. */
export function patchLayout({ node, layout: { dims: weight } }: WeightSite, dims: readonly number[]): PatchLayout {
  if (node.opType !== "Conv") {
    const places = elementsOf(dims.slice(1, -1));
    return {
      images: dims.length > 1 ? (dims[0] ?? 1) : 1,
      ...{ size: [places], output: [places], channels: dims.at(-1) ?? 1, layout: "channels-last" },
      ...{ kernel: [1], stride: [1], dilation: [1], before: [0] },
    };
  }
  const [images = 1, channels = 1, ...size] = dims;
  const kernel = weight.slice(2);
  const all = (name: string, otherwise: number) => intsOf(node, name) ?? size.map(() => otherwise);
  const stride = all("strides", 1);
  const dilation = all("dilations", 1);
  const axes = size.map((side, axis) => {
    const step = stride[axis] ?? 1;
    const reach = ((kernel[axis] ?? 1) - 1) * (dilation[axis] ?? 1) + 1;
    const [before, after] = paddingOf(node, { axis, axes: size.length, side, step, reach });
    return { before, output: Math.floor((side + before + after - reach) / step) + 1 };
  });
  return {
    ...{ images, size, channels, layout: "channels-first", kernel, stride, dilation },
    before: axes.map(({ before }) => before),
    output: axes.map(({ output }) => output),
  };
}

function paddingOf(
  node: NodeProto,
  { axis, axes, side, step, reach }: { axis: number; axes: number; side: number; step: number; reach: number },
): readonly [before: number, after: number] {
  const rule = textOf(node, "auto_pad") ?? "NOTSET";
  if (rule === "VALID") return [0, 0];
  if (rule === "NOTSET") {
    const pads = intsOf(node, "pads");
    return [pads?.[axis] ?? 0, pads?.[axis + axes] ?? 0];
  }
  const total = Math.max(0, (Math.ceil(side / step) - 1) * step + reach - side);
  const less = Math.floor(total / 2);
  return rule === "SAME_UPPER" ? [less, total - less] : [total - less, less];
}

/** What follows a layer's product. */
export interface Ending {
  readonly bias: Float32Array | null;
  /** Whether a ReLU follows directly. */
  readonly rectified: boolean;
  readonly limit: number | null;
}

const LINEAR: Ending = { bias: null, rectified: false, limit: null };

/** The constant bias of a linear site and the ReLU, or Clip from 0, that alone reads it; else as if neither were there. */
export function endingOf(graph: FileGraph, { node, operator, layout }: WeightSite): Ending {
  if (floatOf(node, "alpha", 1) !== 1 || floatOf(node, "beta", 1) !== 1) return LINEAR;
  const [made = ""] = node.output;
  const [reader, ...others] = graph.readersOf(made);
  if (reader === undefined || others.length > 0 || graph.isOutput(made) || !isStandardDomain(reader.domain))
    return LINEAR;
  const limit = limitOf(graph, reader);
  const name = operator.bias === null ? "" : (node.input[operator.bias] ?? "");
  const tensor = graph.initializer(name);
  const bias = name === "" ? new Float32Array(layout.dims[layout.axis] ?? 0) : tensor && realValues(tensor);
  if (limit === null || bias?.length !== layout.dims[layout.axis]) return LINEAR;
  return { bias, rectified: true, limit: limit === Number.POSITIVE_INFINITY ? null : limit };
}

/** Where a ReLU ends; null: the node is none. */
function limitOf(graph: FileGraph, node: NodeProto): number | null {
  if (node.opType === "Relu") return Number.POSITIVE_INFINITY;
  const bounds = clipBounds(graph, node);
  return bounds?.low === 0 && bounds.high > 0 ? bounds.high : null;
}
