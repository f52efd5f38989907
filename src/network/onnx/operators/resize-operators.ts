import { at } from "../../../core/elements.ts";
import type { Alignment } from "../../../kinds/resize.ts";
import {
  asImage,
  asLine,
  channelsFirst,
  channelsLast,
  imageOf,
  imageValue,
  shaped,
  shapeText,
} from "../arrangement.ts";
import { axisOf } from "../axes.ts";
import type { OnnxNode } from "../model-graph.ts";
import { nodeName } from "../names.ts";
import { type Nearest, readsEvenly } from "../nearest-places.ts";
import { cut, Damaged, Unsupported } from "../problems.ts";
import { regrouped } from "../regroup.ts";
import { isKnown, knownSizes, type Size, sizeArithmetic } from "../sizes.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, axisSize, checkedShape, dimsOf } from "../value.ts";
import { concatenation } from "./concat-operators.ts";

/**
 * An image of another size. Of a larger one each place is the nearest of the original, which stands beside itself so many
 * times, or lies between its neighbours.
 */
export const resize: Operator = (node, translation) => {
  const mode = node.attributes.string("mode", "nearest");
  const policy = node.attributes.string("keep_aspect_ratio_policy", "stretch");
  if (mode !== "nearest" && mode !== "linear")
    throw new Unsupported(`it interpolates (mode "${cut(mode)}"), expected "nearest" or "linear"`);
  if (policy !== "stretch")
    throw new Unsupported(`its keep_aspect_ratio_policy is "${cut(policy)}", expected "stretch"`);
  const nearest = nearestOf(node, translation);
  const x = translation.activation(node);
  if (mode === "linear") return interpolated(node, translation, x, nearest.coordinate);
  return factorsOf(node, translation, x).reduce<Activation>((value, factor, axis) => {
    if (factor === 1) return value;
    const size = axisSize(value, axis);
    if (!Number.isInteger(factor) || factor < 1 || !isKnown(size))
      throw new Unsupported(`it makes ${factor} times as many of axis ${axis} of [${shapeText(value)}]`);
    translation.made.take(size * factor);
    if (!readsEvenly(nearest, size, factor))
      throw new Unsupported(
        `by "${nearest.coordinate}" and "${nearest.rounding}" it reads some places of axis ${axis} more often than others`,
      );
    return repeated(node, translation, value, axis, factor);
  }, x);
};

/** Up to operator set 10 nothing says how the places are found. */
const isOld = ({ operator }: OnnxNode, { opset }: Translation): boolean => operator === "Upsample" || opset < 11;

const nearestOf = (node: OnnxNode, translation: Translation): Nearest =>
  isOld(node, translation)
    ? { coordinate: "asymmetric", rounding: "floor" }
    : {
        coordinate: cut(node.attributes.string("coordinate_transformation_mode", "half_pixel")),
        rounding: cut(node.attributes.string("nearest_mode", "round_prefer_floor")),
      };

/** How many times larger each axis becomes. */
function factorsOf(node: OnnxNode, translation: Translation, x: Activation): readonly number[] {
  const named = node.attributes.ints("axes") ?? [...x.axes.keys()];
  const axes = named.map((axis) => axisOf(axis, x.axes.length));
  const given = givenFactors(
    node,
    translation,
    axes.map((axis) => axisSize(x, axis)),
  );
  if (given.length !== axes.length)
    throw new Damaged(`it has ${given.length} scales or sizes for ${axes.length} axes of [${shapeText(x)}]`);
  const factors = new Array<number>(x.axes.length).fill(1);
  for (const [index, axis] of axes.entries()) factors[axis] = at(given, index);
  return factors;
}

/** The same of the axes that it names, which have these sizes. */
function givenFactors(node: OnnxNode, translation: Translation, own: readonly Size[]): readonly number[] {
  const attribute = node.attributes.floats("scales");
  if (attribute !== null) return attribute;
  const place = isOld(node, translation) ? 1 : 2;
  const scales = translation.has(node, place) ? translation.floats(node, place).values : [];
  if (scales.length > 0 || isOld(node, translation)) return Array.from(scales);
  const whole = (size: Size) => (isKnown(size) || translation.batch === null ? size : size.batches * translation.batch);
  const sizes = translation.integers(node, 3).values;
  return knownSizes(sizes.map((size, index) => sizeArithmetic.divide(whole(size), whole(own[index] ?? 1))));
}

function repeated(node: OnnxNode, translation: Translation, x: Activation, axis: number, factor: number): Activation {
  const [own, ...more] = at(x.axes, axis);
  if (more.length > 0 || own === 0) throw new Unsupported(`it enlarges axis ${axis} of [${shapeText(x)}]`);
  const part = { ...x, axes: x.axes.toSpliced(axis + 1, 0, []) };
  const parts = new Array<Activation>(factor).fill(part);
  const beside = concatenation(parts, axis + 1, nodeName(node), translation.writer, own ?? x.factors.length);
  const dims = dimsOf(x);
  const size = axisSize(x, axis);
  const grouping = regrouped(beside, dims.with(axis, isKnown(size) ? size * factor : size), translation.batch);
  if (grouping === null) throw new Unsupported(`it enlarges axis ${axis} of [${shapeText(x)}]`);
  return { ...beside, ...grouping };
}

/** How the places of images of two sizes are one, by ONNX's name for it. */
const alignments: ReadonlyMap<string, Alignment> = new Map<string, Alignment>([
  ["half_pixel", "half-pixel"],
  // Of sizes that are whole the three are the same, but for a single place.
  ["half_pixel_symmetric", "half-pixel"],
  ["pytorch_half_pixel", "half-pixel"],
  ["align_corners", "align-corners"],
  ["asymmetric", "asymmetric"],
]);

/** Units in the last place of float32 that a size over another may lose, relative. */
const SCALE_ROUNDING = 2 ** -21;
/** The same in float64. */
const EXACT = 2 ** -48;

/** An image of another size, interpolated between its pixels; a line is an image of one row. */
function interpolated(node: OnnxNode, translation: Translation, line: Activation, coordinate: string): Activation {
  const { writer } = translation;
  const alignment = alignments.get(coordinate);
  if (alignment === undefined) throw new Unsupported(`its places are found by "${coordinate}"`);
  const own = factorsOf(node, translation, line);
  const isLine = line.axes.length === 3;
  const x = isLine ? asImage(line) : line;
  const factors = isLine ? [...own.slice(0, 2), 1, ...own.slice(2)] : own;
  const changed = factors.flatMap((factor, axis) => (factor === 1 ? [] : [axis]));
  if (changed.length === 0) return line;
  const axes = [channelsFirst, channelsLast].find(([rows, columns]) =>
    changed.every((one) => one === rows || one === columns),
  );
  if (axes === undefined) throw new Unsupported(`it interpolates along axes ${changed} of [${shapeText(x)}]`);
  const image = imageOf(x, writer, axes);
  const lengthOf = (size: number, axis: number) => {
    const length = size * at(factors, axis);
    const nearest = Math.round(length);
    // A size over another is exact; of a scale ONNX takes what lies below, in float32.
    const isExact = Math.abs(length - nearest) < EXACT * nearest;
    const whole = isExact ? nearest : Math.floor(Math.fround(Math.fround(at(factors, axis)) * size));
    // A scale that is off by more is one of its own, by which places are found.
    if (whole < 1 || Math.abs(length - whole) > SCALE_ROUNDING * whole)
      throw new Unsupported(`it makes ${at(factors, axis)} times as many of ${size}, which is no whole number`);
    const isAlone = whole === 1 && size > 1;
    if (isAlone && coordinate === "pytorch_half_pixel") throw new Unsupported(`it makes a single place of ${size}`);
    if (whole < size && node.attributes.int("antialias", 0) !== 0) throw new Unsupported("it smooths (antialias)");
    translation.made.take(size * whole);
    return whole;
  };
  const size = [lengthOf(image.height, axes[0]), lengthOf(image.width, axes[1])] as const;
  const shape = checkedShape([...size, image.channels]);
  const source = shaped(image.value, [image.height, image.width, image.channels], writer);
  const id = writer.name(nodeName(node));
  const resized = writer.push({ kind: "resize", id, inputs: [source.node], size, alignment });
  const value = imageValue(x, resized, shape, axes);
  return isLine ? asLine(value) : value;
}
