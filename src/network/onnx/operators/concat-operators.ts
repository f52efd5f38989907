import { at, first } from "../../../core/elements.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { noPadding } from "../../../kinds/windows.ts";
import { inOrder, shaped, shapeText } from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import type { GraphWriter } from "../graph-writer.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { inFileOrder, withFactor } from "../regroup.ts";
import { knownSizes, sizesText } from "../sizes.ts";
import { broadcast, walk } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedShape, dimsOf, type Floats } from "../value.ts";
import { plusConstant } from "./constant-operands.ts";
import { joinedConstants } from "./views-operators.ts";

/** Channels of several activations side by side, or constants one behind the other. */
export const concat: Operator = (node, translation) => {
  const isComputed = node.inputs.some((_, index) => translation.value(node, index).kind === "activation");
  return isComputed ? sideBySide(node, translation) : joinedConstants(node, translation);
};

function sideBySide(node: OnnxNode, translation: Translation): Activation {
  const { writer } = translation;
  const wanted = node.attributes.int("axis", 0);
  const constants = node.inputs.filter((_, index) => translation.isConstant(node, index)).length;
  if (constants > 0) return besideConstants(node, translation, wanted);
  const parts = node.inputs.map((_, index) => translation.activation(node, index));
  const one = first(parts);
  const axis = axisOf(wanted, one.axes.length);
  const rest = (x: Activation) => sizesText(dimsOf(x).toSpliced(axis, 1));
  if (parts.some((x) => x.axes.length !== one.axes.length || rest(x) !== rest(one))) {
    throw new Damaged(`it joins ${parts.map((x) => `[${shapeText(x)}]`).join(", ")} along axis ${wanted}`);
  }
  if (at(one.axes, axis).includes(0)) throw new Unsupported(`it joins along the batch of [${shapeText(one)}]`);
  return parts.length === 1 ? one : concatenation(parts, axis, nodeName(node), writer);
}

/** Zeros, to which constants are added, before and behind what is computed: a class token before those of an image. */
function besideConstants(node: OnnxNode, translation: Translation, wanted: number): Activation {
  const { writer } = translation;
  const places = node.inputs.map((_, index) => (translation.isConstant(node, index) ? "constant" : "computed"));
  const [start, end] = [places.indexOf("computed"), places.lastIndexOf("computed")];
  if (places.slice(start, end).includes("constant"))
    throw new Unsupported("it puts a constant between what is computed");
  const parts = node.inputs.slice(start, end + 1).map((_, index) => translation.activation(node, start + index));
  const one = first(parts);
  const axis = axisOf(wanted, one.axes.length);
  const constants = node.inputs.map((_, index) =>
    index < start || index > end ? translation.floats(node, index) : null,
  );
  const other = constants.find((constant) => constant !== null && constant.dims.length !== one.axes.length);
  if (other) throw new Damaged(`it joins a constant [${other.dims}] to [${shapeText(one)}]`);
  const sizeOf = (constant: Floats | null) => (constant === null ? 0 : at(constant.dims, axis));
  const total = (list: readonly (Floats | null)[]) => list.reduce((sum, constant) => sum + sizeOf(constant), 0);
  const [before, after] = [total(constants.slice(0, start)), total(constants.slice(end + 1))];
  const x = inOrder(parts.length === 1 ? one : concatenation(parts, axis, nodeName(node), writer), writer);
  const dims = dimsOf(x);
  const own = knownSizes([at(dims, axis)]);
  const behind = elementsOf(knownSizes(dims.slice(axis + 1)));
  const lead = elementsOf(knownSizes(dims.slice(1, axis)));
  const image = shaped(x, [lead, 1, first(own) * behind], writer);
  const padded = writer.push({
    ...{ kind: "pad", id: writer.name(nodeName(node)), inputs: [image.node], padding: noPadding },
    channels: [before * behind, after * behind],
  });
  const length = before + first(own) + after;
  const whole = dims.with(axis, length);
  const value = { ...x, ...inFileOrder(whole), node: padded, shape: writer.shapeOf(padded) };
  const all = knownSizes(whole.slice(1));
  const values = new Float32Array(elementsOf(all));
  let place = 0;
  for (const constant of [...constants.slice(0, start), null, ...constants.slice(end + 1)]) {
    const size = constant === null ? first(own) : sizeOf(constant);
    if (constant !== null) {
      const shape = all.with(axis - 1, size);
      const view = broadcast(constant.dims.slice(1), shape);
      if (view === null || constant.dims[0] !== 1)
        throw new Unsupported(`it joins a constant [${constant.dims}] to [${shapeText(x)}]`);
      const rows = size * behind;
      walk(view, (from, to) => {
        values[Math.floor(to / rows) * length * behind + place * behind + (to % rows)] = at(constant.values, from);
      });
    }
    place += size;
  }
  return plusConstant(node, translation, shaped(value, all, writer), { kind: "floats", dims: [1, ...all], values });
}

/**
 * Activations one behind the other along an axis of the file. Numbers that lie behind that axis go along with it, so that
 * none need be moved.
 *
 * @param newPlace How many factors lie before an axis that none of them has yet; all, if left out.
 */
export function concatenation(
  parts: readonly Activation[],
  axis: number,
  name: string,
  writer: GraphWriter,
  newPlace?: number,
): Activation {
  const lying = parts.map((x) => placeOf(x, axis));
  const place = lying.find((found) => found !== null && found.place !== null)?.place ?? newPlace ?? null;
  const others = lying[0]?.others;
  const isAlike = lying.every(
    (found) => found !== null && found.others === others && (found.place === null || found.place === place),
  );
  if (!isAlike) {
    const ordered = parts.map((x) => inOrder(x, writer));
    // Of what lies in the order of the file, every axis is one factor.
    return concatenation(ordered, axis, name, writer);
  }
  const one = first(parts);
  const own = at(one.axes, axis);
  const sizes = one.factors.filter((_, index) => !own.includes(index + 1));
  const before = place ?? sizes.length;
  const sizeOf = (x: Activation) => elementsOf(at(x.axes, axis).map((factor) => at(x.factors, factor - 1)));
  const behind = elementsOf(sizes.slice(before));
  const lasts = parts.map((x) => sizeOf(x) * behind);
  const lead = one.shape.slice(0, -1);
  const isReady = parts.every((x, index) => x.shape.at(-1) === lasts[index] && `${x.shape.slice(0, -1)}` === `${lead}`);
  const reshaped = isReady
    ? parts
    : parts.map((x, index) => shaped(x, [...sizes.slice(0, before), at(lasts, index)], writer));
  const [head, next, ...tail] = reshaped.map(({ node }) => node);
  const id = writer.push({ kind: "concat", id: writer.name(name), inputs: [head!, next!, ...tail] });
  const total = parts.reduce((sum, x) => sum + sizeOf(x), 0);
  return { ...one, ...withFactor(one, axis, before, total), node: id, shape: checkedShape(writer.shapeOf(id)) };
}

/** Where the factor of an axis lies among the others, and how these are seen; null: it is no single factor. */
function placeOf(x: Activation, axis: number): { readonly place: number | null; readonly others: string } | null {
  const [factor, ...more] = at(x.axes, axis);
  if (more.length > 0 || factor === 0) return null;
  return {
    place: factor === undefined ? null : factor - 1,
    others: JSON.stringify(withFactor(x, axis, factor === undefined ? x.factors.length : factor - 1, 1)),
  };
}
