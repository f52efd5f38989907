import { at } from "../core/elements.ts";
import { bitOperations, type LayerCost, relativeBitOperations } from "../quantization/bit-operations.ts";
import type { HarmTable } from "./harm-table.ts";

/** Bits of weights and of activations, in the order of a table. */
interface Widths {
  readonly bits: readonly number[];
  readonly activations: readonly number[];
}

/** Bit operations of a table's products for one sample. */
export const bopsOf = (table: HarmTable, widths: Widths): number =>
  costsOf(table, widths).reduce((sum, cost) => sum + bitOperations(cost), 0);

/** The same in percent of those at 32 bits everywhere; null where nothing is multiplied, or the table does not tell. */
export function relativeBopsOf(table: HarmTable, widths: Widths): number | null {
  const costs = costsOf(table, widths);
  return costs.some(({ macs }) => macs > 0) ? relativeBitOperations(costs) : null;
}

/** Those at 32 bits everywhere. */
export const fullBops = ({ products }: HarmTable): number =>
  products.reduce((sum, { macs }) => sum + bitOperations(inFloat(macs)), 0);

const inFloat = (macs: number): LayerCost => ({ macs, weightBits: 32, inputBits: 32, keptOutputs: 1, keptInputs: 1 });

function costsOf({ products }: HarmTable, { bits, activations }: Widths): readonly LayerCost[] {
  const bitsOf = (widths: readonly number[], item: number | null) => (item === null ? 32 : at(widths, item));
  return products.map(({ weight, activation, macs }) => ({
    ...inFloat(macs),
    ...{ weightBits: bitsOf(bits, weight), inputBits: bitsOf(activations, activation) },
  }));
}
