import type { Border, Ops, Tensor } from "../ops.ts";
import { dataTypes } from "./binding.ts";
import type { Executor } from "./executor.ts";
import { float, index } from "./kernel-attributes.ts";

/** Borders around images, and pixels on their way into a network. */
export function images(run: Executor): Pick<Ops, "pad" | "crop" | "normalize"> {
  const typeOf = (x: Tensor) => ({ T: { dtype: dataTypes[x.dtype] } });
  return {
    pad(x, border, value = 0) {
      const paddings = run.create(Int32Array.from(margins(border).flat()), [4, 2]);
      if (value === 0) return run.run(run.kernel("Pad", { ...typeOf(x), Tpaddings: index }), [x, paddings]);
      return run.run(run.kernel("PadV2", { ...typeOf(x), Tpaddings: index }), [x, paddings, run.scalar(value)]);
    },
    crop(x, border) {
      const around = margins(border);
      const begin = run.create(
        Int32Array.from(around, ([before]) => before),
        [4],
      );
      const size = run.create(
        Int32Array.from(around, ([before, after], axis) => x.shape[axis]! - before - after),
        [4],
      );
      return run.run(run.kernel("Slice", { ...typeOf(x), Index: index }), [x, begin, size]);
    },
    normalize(pixels, { mean, deviation }) {
      const cast = run.kernel("Cast", { SrcT: { dtype: dataTypes.uint8 }, DstT: float.T, Truncate: false });
      const values = run.run(cast, [pixels]);
      const factor = Float32Array.from(deviation, (value) => 1 / (255 * value));
      const scaled = run.run(run.kernel("Mul", float), [values, run.create(factor, [factor.length])]);
      if (mean.every((value) => value === 0)) return scaled;
      const shift = Float32Array.from(mean, (value, channel) => -value / deviation[channel]!);
      return run.run(run.kernel("AddV2", float), [scaled, run.create(shift, [shift.length])]);
    },
  };
}

/** Before and after each axis of [batch, height, width, channels]. */
const margins = ({
  padding: { top, bottom, left, right },
  channels,
}: Border): readonly (readonly [number, number])[] => [[0, 0], [top, bottom], [left, right], channels];
