import { elementsOf } from "../../graph/shape.ts";

/** How a layer's patches lie in what it reads, along each axis of space. A dense layer has no axes, or one place. */
export interface PatchGeometry {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before the first place. */
  readonly before: readonly number[];
}

/** What one image of a layer's input holds: numbers at `offset` of `values`. */
export interface ImageView {
  readonly values: Float32Array;
  readonly offset: number;
  /** Along each axis of space. */
  readonly size: readonly number[];
  readonly channels: number;
  readonly layout: "channels-first" | "channels-last";
}

/** Where along each axis the place with this index lies, the last axis first. */
export function coordinates(index: number, size: readonly number[]): number[] {
  const place = new Array<number>(size.length);
  let rest = index;
  for (let axis = size.length - 1; axis >= 0; axis--) {
    const side = size[axis] ?? 1;
    place[axis] = rest % side;
    rest = Math.floor(rest / side);
  }
  return place;
}

/**
 * Copies the patch of one place of the output: (input channel, kernel places in order). Where padding lies nothing is
 * written.
 *
 * @param place Index of the place in `output`, its sizes along each axis.
 * @param into Rows of each group: the patch of group g begins at row + g · groupStride.
 */
export function copyPatch(
  image: ImageView,
  { kernel, stride, dilation, before }: PatchGeometry,
  { place, output }: { readonly place: number; readonly output: readonly number[] },
  into: { readonly values: Float32Array; readonly row: number; readonly groupStride: number; readonly groups: number },
): void {
  const { values, offset, size, channels, layout } = image;
  const places = elementsOf(size);
  const [placeStride, channelStride] = layout === "channels-first" ? [1, places] : [channels, 1];
  const inner = channels / into.groups;
  const taps = elementsOf(kernel);
  const corner = coordinates(place, output).map((at, axis) => at * (stride[axis] ?? 1) - (before[axis] ?? 0));
  for (let tap = 0; tap < taps; tap++) {
    const at = placeOf(coordinates(tap, kernel), { corner, dilation, size });
    if (at === null) continue;
    const from = offset + at * placeStride;
    for (let channel = 0; channel < channels; channel++) {
      const group = Math.floor(channel / inner);
      const column = (channel - group * inner) * taps + tap;
      into.values[into.row + group * into.groupStride + column] = values[from + channel * channelStride] ?? 0;
    }
  }
}

/** The index of a kernel's place in the image; null: in the padding. */
function placeOf(
  tap: readonly number[],
  {
    corner,
    dilation,
    size,
  }: { readonly corner: readonly number[]; readonly dilation: readonly number[]; readonly size: readonly number[] },
): number | null {
  let index = 0;
  for (const [axis, side] of size.entries()) {
    const at = (corner[axis] ?? 0) + (tap[axis] ?? 0) * (dilation[axis] ?? 1);
    if (at < 0 || at >= side) return null;
    index = index * side + at;
  }
  return index;
}
