import { shortenNames } from "../core/shorten.ts";
import type { Model } from "../onnx/onnx-model.ts";
import type { NamePatterns } from "../ptq/name-patterns.ts";
import type { QuantizedModel } from "../ptq/quantized-model.ts";
import { quantizedNodes } from "../ptq/quantized-nodes.ts";

/** What is to be known of a file. */
export function fileNotes(model: Model): readonly string[] {
  const already = quantizedNodes(model);
  return already > 0 ? [`is quantized in part already (${already} nodes): only what is float is taken`] : [];
}

/** Patterns of names that fitted none: what was to be protected is not. */
export function unusedNotes(
  patterns: readonly Pick<NamePatterns<unknown>, "unused">[],
  { layers, left }: QuantizedModel,
): readonly string[] {
  const unused = patterns.flatMap((each) => each.unused);
  if (unused.length === 0) return [];
  const names = shortenNames([...layers, ...left].map(({ name }) => name));
  return unused.map((pattern) => `no layer fits "${pattern}"; layers are ${names}`);
}
