import type { QuantizedRecord } from "../../ptq/quantized-record.ts";

type Origin = NonNullable<QuantizedRecord["plan"]>["plans"][number]["origin"];

/** How a plan was found. */
export const originTexts: Readonly<Record<Origin, string>> = {
  uniform: "one width everywhere",
  knapsack: "least sum of harms",
  refined: "harms measured around another plan",
};
