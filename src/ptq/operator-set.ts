import { isStandardDomain, type Model, opsetOf } from "../onnx/onnx-model.ts";

/**
 * The first operator set that activations of so many bits need: 10 has the kernels of integers; what onnxruntime puts
 * beside a convolution between values of 16 bits has Round, which 11 has.
 */
const needed = { 8: 10, 16: 11 } as const;
/** Operators that read or compute otherwise in an operator set than in one of 7 to the one before it. */
const changed: Readonly<Record<10 | 11, ReadonlySet<string>>> = {
  10: new Set(["Slice", "TopK", "Upsample", "Scan", "If", "Loop"]),
  11: new Set(["Clip", "Pad", "Resize", "Scatter", "Slice", "TopK", "Upsample", "Scan", "If", "Loop"]),
};

/**
 * Raises the operator set of an old file to the first one that quantized activations need, where that changes the meaning
 * of no operator in it.
 *
 * @param bits Of activations.
 * @returns What stands against it; null: activations can be quantized now.
 */
export function raiseForIntegers(model: Model, bits: 8 | 16): string | null {
  const opset = opsetOf(model);
  const first = needed[bits];
  if (opset >= first) return null;
  const { node: nodes } = model.graph;
  const other = nodes.find(
    ({ domain, opType, attribute }) =>
      isStandardDomain(domain) &&
      (changed[first].has(opType) || attribute.some(({ name, i }) => name === "spatial" && i === 0n)),
  );
  if (other || model.functions.length > 0)
    return `it is of operator set ${opset}, and has ${other?.opType ?? "functions"}`;
  for (const imported of model.opsetImport) {
    if (isStandardDomain(imported.domain)) imported.version = BigInt(first);
  }
  return null;
}
