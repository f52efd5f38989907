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
 * Copies the patches of places of the output, one after the other: (input channel, kernel places in order). Where padding
 * lies nothing is written.
 *
 * @param places Indices of the places in `output`, its sizes along each axis.
 * @param into Rows of each group: the first patch of group g begins at row + g · groupStride.
 */
export function copyPatches(
  image: ImageView,
  geometry: PatchGeometry,
  { places, output }: { readonly places: ArrayLike<number>; readonly output: readonly number[] },
  into: { readonly values: Float32Array; readonly row: number; readonly groupStride: number; readonly groups: number },
): void {
  const { values, offset, size, channels, layout } = image;
  const [placeStride, channelStride] = layout === "channels-first" ? [1, elementsOf(size)] : [channels, 1];
  const inner = channels / into.groups;
  const taps = elementsOf(geometry.kernel);
  const from = tapPlaces(geometry, { places, output, size });
  for (let at = 0; at < from.length; at++) from[at]! *= placeStride;
  // A channel's places, which lie side by side or in lines that the next channels have too, before the next channel.
  for (let group = 0, channel = 0; group < into.groups; group++) {
    for (let column = 0; column < inner; column++, channel++) {
      const start = offset + channel * channelStride;
      let to = into.row + group * into.groupStride + column * taps;
      for (let at = 0; at < from.length; to += (inner - 1) * taps) {
        for (let tap = 0; tap < taps; tap++, at++, to++) {
          const place = from[at]!;
          if (place >= 0) into.values[to] = values[start + place]!;
        }
      }
    }
  }
}

/** Where in the image the kernel's places lie, for each place of the output; negative: in the padding. */
function tapPlaces(
  { kernel, stride, dilation, before }: PatchGeometry,
  {
    places,
    output,
    size,
  }: { readonly places: ArrayLike<number>; readonly output: readonly number[]; readonly size: readonly number[] },
): Int32Array {
  const taps = Array.from({ length: elementsOf(kernel) }, (_, tap) => coordinates(tap, kernel));
  const found = new Int32Array(places.length * taps.length);
  for (let index = 0; index < places.length; index++) {
    const corner = coordinates(places[index]!, output);
    for (const [axis, at] of corner.entries()) corner[axis] = at * (stride[axis] ?? 1) - (before[axis] ?? 0);
    for (const [number, tap] of taps.entries()) {
      let place = 0;
      for (let axis = 0; axis < size.length && place >= 0; axis++) {
        const side = size[axis]!;
        const at = (corner[axis] ?? 0) + (tap[axis] ?? 0) * (dilation[axis] ?? 1);
        place = at < 0 || at >= side ? -1 : place * side + at;
      }
      found[index * taps.length + number] = place;
    }
  }
  return found;
}
