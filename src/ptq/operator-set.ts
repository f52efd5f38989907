import { isStandardDomain, type Model, opsetOf } from "../onnx/onnx-model.ts";

/** The first operator set with kernels of integers. */
const FIRST_WITH_INTEGERS = 10;
/** Operators that read or compute otherwise in operator set 10 than in one of 7 to 9. */
const changed: ReadonlySet<string> = new Set(["Slice", "TopK", "Upsample", "Scan", "If", "Loop"]);

/**
 * Raises the operator set of an old file to the first one with kernels of integers, where that changes the meaning of no
 * operator in it.
 *
 * @returns What stands against it; null: the file has integer kernels now.
 */
export function raiseForIntegers(model: Model): string | null {
  const opset = opsetOf(model);
  if (opset >= FIRST_WITH_INTEGERS) return null;
  const { node: nodes } = model.graph;
  const other = nodes.find(
    ({ domain, opType, attribute }) =>
      isStandardDomain(domain) &&
      (changed.has(opType) || attribute.some(({ name, i }) => name === "spatial" && i === 0n)),
  );
  if (other || model.functions.length > 0)
    return `it is of operator set ${opset}, and has ${other?.opType ?? "functions"}`;
  for (const imported of model.opsetImport) {
    if (isStandardDomain(imported.domain)) imported.version = BigInt(FIRST_WITH_INTEGERS);
  }
  return null;
}
