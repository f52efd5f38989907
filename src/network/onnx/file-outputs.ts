import { at } from "../../core/elements.ts";
import type { NodeId } from "../../graph/graph.ts";
import { channelsFirst, channelsLast, imageOf, inOrder, shaped, shapeText } from "./arrangement.ts";
import { cut, Damaged } from "./problems.ts";
import { isKnown, knownSizes, productOf, sizeText } from "./sizes.ts";
import type { Translation } from "./translation.ts";
import { type Activation, dimsOf, type Ending, type Value } from "./value.ts";

/** One of the outputs of a file, of which the network gives all side by side. */
export interface Head {
  /** In the file. */
  readonly name: string;
  /** Values for each sample, or each pixel. */
  readonly size: number;
  /** What the file makes of the network's logits there. */
  readonly ending: Ending | null;
  /** Where these are for each pixel: an image, which the network gives with its channels last. */
  readonly pixels?: { readonly size: readonly [height: number, width: number]; readonly channelsFirst: boolean };
}

interface OutputOptions {
  /** Numbers that all of them are together. */
  readonly classes: number;
  /** Whether they may be of any shape, and not a row for each sample alone. */
  readonly anyShape: boolean;
}

/** Values that are so many numbers together, side by side; one alone keeps its shape. */
export function classOutputs(
  values: readonly { readonly name: string; readonly value: Value }[],
  translation: Translation,
  { classes, anyShape }: OutputOptions,
): { readonly node: NodeId; readonly heads: readonly Head[] } {
  const { writer } = translation;
  const given = values.map(({ name, value }) => ({
    name,
    value: anyShape ? wholeOf(value, translation) : rowOf(value),
  }));
  const sizes = given.map(({ value }) => productOf(dimsOf(value).slice(1)));
  const total = sizes.reduce<number>((sum, size) => sum + (isKnown(size) ? size : Number.NaN), 0);
  if (total !== classes) {
    throw new Damaged(
      `it gives ${sizes.map(sizeText).join(" + ")} values for each image, the data set needs ${classes}: choose another data set, or replace the network's last layer`,
    );
  }
  const heads = given.map(({ name, value }, index) => ({
    name,
    size: at(knownSizes(sizes), index),
    ending: value.ending,
  }));
  const nodes = given.map(({ value }, index) => {
    const shape = given.length === 1 ? dimsOf(value).slice(1) : [at(sizes, index)];
    const { node } = shaped(inOrder(value, writer), knownSizes(shape), writer);
    const maker = writer.find(node)?.kind;
    if (shape.length !== 3 || maker === "reshape" || maker === "transpose") return node;
    // A node that gives images would give them with their channels first in the exported file, whatever these axes are.
    return writer.push({ kind: "reshape", id: writer.name("values"), inputs: [node], shape: knownSizes(shape) });
  });
  const [one, other, ...more] = nodes;
  if (one === undefined) throw new Damaged("it has no output");
  if (other === undefined) return { node: one, heads };
  return { node: writer.push({ kind: "concat", id: writer.name("outputs"), inputs: [one, other, ...more] }), heads };
}

/** A row for each sample, without the axes behind it, which are of size 1. */
function rowOf(value: Value): Activation {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const row = asRow(value);
  if (row === null) throw new Damaged(`its output is [${shapeText(value)}], expected [batch, classes]`);
  return row;
}

/** Null: it is none. */
function asRow(value: Activation): Activation | null {
  const [batch, units, ...others] = value.axes;
  if (`${batch}` !== "0" || units === undefined || others.some((factors) => factors.length > 0)) return null;
  return { ...value, axes: value.axes.slice(0, 2) };
}

/** A value of any shape, which has a number at least for each sample, with what was left to those that read it. */
function wholeOf(value: Value, translation: Translation): Activation {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const row = asRow(value);
  if (row !== null) return row;
  const [batch, ...others] = value.axes;
  if (`${batch}` !== "0" || others.length === 0)
    throw new Damaged(`its output is [${shapeText(value)}], expected the batch as its first axis, and others`);
  requireNoLogSoftmax(value);
  return translation.settled(value);
}

/** @throws Damaged where the logarithms of probabilities would have to be computed. */
function requireNoLogSoftmax({ ending }: Activation): void {
  if (ending === "log-softmax")
    throw new Damaged("it ends in a LogSoftmax: let it end before that (network: { file, outputs: [NAME] })");
}

/**
 * An image of logits, whose channels are the classes of its pixels.
 *
 * @throws Damaged where it is none of this size.
 */
export function pixelOutput(
  { name, value }: { readonly name: string; readonly value: Value },
  translation: Translation,
  { classes, size: [height, width] }: { readonly classes: number; readonly size: readonly [number, number] },
): { readonly node: NodeId; readonly heads: readonly Head[] } {
  if (value.kind !== "activation") throw new Damaged("its output is a constant");
  const sizes = `${dimsOf(value).slice(1).filter(isKnown)}`;
  const isFirst = sizes === `${[classes, height, width]}`;
  if (!isFirst && sizes !== `${[height, width, classes]}`) {
    throw new Damaged(
      `its output is [${shapeText(value)}], expected ${classes} classes for each of ${height} x ${width} pixels, [batch, ${classes}, ${height}, ${width}]: choose another data set, or replace the network's last layer`,
    );
  }
  const { writer } = translation;
  const image = imageOf(translation.padded(value), writer, isFirst ? channelsFirst : channelsLast);
  // Over another axis than that of the classes, or none that is left out.
  if ((value.ending !== null && !isFirst) || writer.find(image.value.node)?.kind === "softmax")
    throw new Damaged("it ends in a softmax: let it end before that (network: { file, outputs: [NAME] })");
  const pixels = { size: [height, width], channelsFirst: isFirst } as const;
  return { node: image.value.node, heads: [{ name, size: classes, ending: value.ending, pixels }] };
}

/** Any value of a network, in the file's order and shape. */
export function tensorOutput(value: Value, name: string, translation: Translation): NodeId {
  if (value.kind !== "activation") throw new Damaged(`its output "${cut(name)}" is a constant`);
  const { writer } = translation;
  requireNoLogSoftmax(value);
  const whole = translation.settled(value);
  if (`${whole.axes[0]}` !== "0")
    throw new Damaged(`its output "${cut(name)}" is [${shapeText(whole)}], expected the batch as its first axis`);
  return shaped(inOrder(whole, writer), knownSizes(dimsOf(whole).slice(1)), writer).node;
}
