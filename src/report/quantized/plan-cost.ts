import type { QuantizedRecord } from "../../ptq/quantized-record.ts";
import { bytes, significant } from "../page/format.ts";

type Plan = NonNullable<QuantizedRecord["plan"]>;
type Costly = Pick<Plan["plans"][number], "bytes" | "relativeBops">;

/** What the budget of a record counts, on an axis and in words. */
export interface PlanCost {
  /** Of a title: error against what. */
  readonly against: string;
  readonly axis: string;
  /** On the axis. */
  of(plan: Costly): number;
  text(plan: Costly): string;
}

const ofBytes: PlanCost = {
  against: "bytes",
  axis: "bytes of the weights, kB",
  of: ({ bytes: size }) => size / 1000,
  text: ({ bytes: size }) => bytes(Math.round(size)),
};

const ofBops: PlanCost = {
  against: "bit operations",
  axis: "relative BOPs, %",
  of: ({ relativeBops }) => relativeBops ?? Number.NaN,
  text: ({ relativeBops }) => bopsText(relativeBops),
};

export const costOfPlans = ({ plans }: Plan): PlanCost => (isOfBops(plans) ? ofBops : ofBytes);

/** Whether a budget of bit operations chose the plan. */
export const isOfBops = ([chosen]: Plan["plans"]): boolean => chosen !== undefined && chosen.relativeBops !== null;

/** Bit operations in percent of those at 32 bits everywhere. */
export const bopsText = (relativeBops: number | null): string =>
  relativeBops === null ? "–" : `${significant(relativeBops, 4)}\u202f%`;
