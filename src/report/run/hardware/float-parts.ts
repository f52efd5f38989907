import { pixelGrid } from "../../../export/onnx/model-frame.ts";
import type { RunRecord } from "../../../runs/record.ts";
import { widestOf } from "../../page/tensor-bits.ts";
import { type Box, boxesOf } from "../network/boxes.ts";

/** Codes of more bits than this are float32 in the files that programs run. */
const widestCode = 16;

/**
 * What keeps a network from computing in integers alone, each as part of a sentence; empty where nothing does. Sums inside
 * a layer are integers, and the last layer's may stay sums: the largest is the class.
 */
export function floatParts(record: RunRecord): readonly string[] {
  const boxes = boxesOf(record);
  const { normalization } = record.data;
  const readsPixels = boxes.some(({ wires }) => wires.some(({ from, bits }) => isInput(boxes, from) && bits === 8));
  const weights = boxes.filter(({ state }) => widestOf(state?.weightBits ?? 0) > widestCode);
  const layers = boxes.filter((box) => box.state !== null && readsFloat(box));
  const others = boxes.filter((box) => box.state === null && readsFloat(box));
  return [
    ...(readsPixels && normalization !== null && pixelGrid({ normalization }) === null
      ? ["the first layer’s input, as its normalised pixels share no grid with a whole zero point"]
      : []),
    ...named(weights, "a weight in float32", "weights in float32"),
    ...named(layers, "a layer that reads float32", "layers that read float32"),
    ...named(others, "an operation on raw sums", "operations on raw sums"),
  ];
}

const isInput = (boxes: readonly Box[], id: string): boolean =>
  boxes.some((box) => box.id === id && box.kind === "input");

const readsFloat = ({ wires }: Box): boolean => wires.some(({ bits }) => bits !== null && bits > widestCode);

function named(boxes: readonly Box[], one: string, several: string): readonly string[] {
  const [first] = boxes;
  if (first === undefined) return [];
  return [boxes.length === 1 ? `${one} (${first.id})` : `${boxes.length} ${several} (${first.id} is the first)`];
}
