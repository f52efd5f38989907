import type { CalibrationRows } from "../../src/methods/layerwise/layer-problem.ts";
import {
  denseGeometry,
  type FeatureMap,
  type LayerGeometry,
  RowCollector,
} from "../../src/methods/layerwise/row-collector.ts";

/** A layer as the golden files give it: weights (out, in of a group, height, width) or (out, in). */
export interface GoldenLayer {
  readonly weightShape: readonly number[];
  readonly depthwise: boolean;
  readonly stride: number;
  readonly pad: number;
}

/** A feature map (batch, channels, height, width), or rows (batch, features), channels last. */
export function channelsLastMap(values: readonly number[], shape: readonly number[]): FeatureMap {
  const [batch, channels, height = 1, width = 1] = shape as [number, number, number?, number?];
  const places = height * width;
  const moved = Float32Array.from({ length: values.length }, (_, index) => {
    const channel = index % channels;
    const place = Math.floor(index / channels) % places;
    const image = Math.floor(index / channels / places);
    return values[(image * channels + channel) * places + place]!;
  });
  return { values: moved, shape: [batch, height, width, channels] };
}

export function geometryOf(layer: GoldenLayer, { shape: [, height, width, channels] }: FeatureMap): LayerGeometry {
  const [outputs, inputs, kernelHeight, kernelWidth] = layer.weightShape as [number, number, number?, number?];
  if (kernelHeight === undefined || kernelWidth === undefined) return denseGeometry(inputs, outputs);
  const { pad, stride } = layer;
  const places = (size: number, kernel: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    kernel: [kernelHeight, kernelWidth],
    groups: layer.depthwise ? channels : 1,
    channels: [channels, outputs],
    output: [places(height, kernelHeight), places(width, kernelWidth)],
    strides: [stride, stride],
    dilations: [1, 1],
    padding: { top: pad, bottom: pad, left: pad, right: pad },
  };
}

/** Every patch of a feature map, with targets of zeros unless given (channels last). */
export function allRows(geometry: LayerGeometry, x: FeatureMap, targets?: Float32Array): CalibrationRows {
  const [rows, columns] = geometry.output;
  const [samples] = x.shape;
  const collector = new RowCollector(geometry, { samples, positions: rows * columns, seed: 0, layer: "golden" });
  const shape = [samples, rows, columns, geometry.channels[1]] as const;
  collector.add(x, { values: targets ?? new Float32Array(shape.reduce((total, size) => total * size, 1)), shape });
  return collector.rows();
}

/** The layer's outputs for every row, [groups, rows, outputs of a group], in double precision. */
export function outputsOf(
  { groups, samples, positions, inputs }: CalibrationRows,
  weights: ArrayLike<number>,
  bias: readonly number[] | null,
  outputs: number,
): Float64Array {
  const width = weights.length / outputs;
  const count = samples * positions;
  const inner = outputs / groups;
  return Float64Array.from({ length: count * outputs }, (_, index) => {
    const row = Math.floor(index / inner);
    const output = Math.floor(row / count) * inner + (index % inner);
    let sum = bias?.[output] ?? 0;
    for (let n = 0; n < width; n++) sum += weights[output * width + n]! * inputs[row * width + n]!;
    return sum;
  });
}
