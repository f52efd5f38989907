import { at } from "../../core/elements.ts";
import { axisOf } from "./axes.ts";
import type { OnnxNode } from "./model-graph.ts";
import { Damaged, Unsupported } from "./problems.ts";
import type { Translation } from "./translation.ts";

/** How a node cuts its input: from, size and step of each axis that it cuts. */
export interface Cut {
  readonly axis: number;
  readonly from: number;
  readonly size: number;
  readonly step: number;
}

/** @param dims Of what is cut; null: an axis that cannot be. */
export function cutsOf(node: OnnxNode, translation: Translation, dims: readonly (number | null)[]): readonly Cut[] {
  const attributes = node.attributes.ints("starts");
  const [starts, ends] =
    attributes === null
      ? [translation.numbers(node, 1), translation.numbers(node, 2)]
      : [attributes, node.attributes.ints("ends") ?? []];
  const axes = translation.axes(node, 3) ?? [...starts.keys()];
  const steps = translation.has(node, 4) ? translation.numbers(node, 4) : starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw new Damaged("its starts, ends, axes and steps are not equally many");
  return axes.flatMap((wanted, index) => {
    const axis = axisOf(wanted, dims.length);
    const [step, size] = [at(steps, index), at(dims, axis)];
    if (step === 0) throw new Damaged("it cuts in steps of 0");
    if (size === null) {
      if (at(starts, index) === 0 && at(ends, index) >= LARGEST_SIZE && step === 1) return [];
      throw new Unsupported("it cuts the batch");
    }
    const [from, to] = [bound(at(starts, index), size, step), bound(at(ends, index), size, step)];
    return [{ axis, from, size: Math.max(0, Math.ceil((to - from) / step)), step }];
  });
}

/** Exporters end what is not cut with the largest number of some type. */
const LARGEST_SIZE = 2 ** 31 - 1;

/** Where a cut begins or ends: counted from the end when negative, and never outside. */
function bound(position: number, size: number, step: number): number {
  const counted = position < 0 ? position + size : position;
  return step > 0 ? Math.min(Math.max(counted, 0), size) : Math.min(Math.max(counted, -1), size - 1);
}
