import { at, first } from "../../core/elements.ts";
import { lookup } from "../../core/lookup.ts";
import type { Alignment } from "../../kinds/resize.ts";
import type { FrozenResize } from "../frozen-pools.ts";
import type { Place } from "./sequence-operators.ts";

/** ONNX's names. */
const coordinates: { readonly [A in Alignment]: string } = {
  "half-pixel": "half_pixel",
  "align-corners": "align_corners",
  asymmetric: "asymmetric",
};

/** By how much sides grow: no runtime takes the size of a batch that it does not know. */
export function addResize({ id: name, inputs: [source], size, alignment }: FrozenResize, place: Place): void {
  const { graph, network, inputs, output } = place;
  const { outputShape } = lookup(new Map(network.nodes.map((node) => [node.id, node])), source ?? "");
  const factors = size.map((length, axis) => factorTo(at(outputShape, axis), length));
  const scales = graph.floats(`${name}.scales`, [1, 1, ...factors], [4]);
  const attributes = { mode: "linear", coordinate_transformation_mode: coordinates[alignment] };
  graph.node("Resize", [first(inputs), "", scales], { name, output, attributes });
}

/** The number in float32 by which a side is as long as wanted, or longer by less than a pixel: runtimes round down, some from float64. */
function factorTo(size: number, length: number): number {
  const factor = Math.fround(length / size);
  return size * factor < length ? factor * (1 + 2 ** -23) : factor;
}
