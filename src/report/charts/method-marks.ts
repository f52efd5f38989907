import type { RunConfig } from "../../config/schema.ts";
import { type Markup, markup } from "../page/markup.ts";
import { type Shape, symbol } from "./symbols.ts";

export type MethodName = RunConfig["method"]["name"];

/** How each method looks, on every page: a colour of the palette, and a shape for those who do not see it. */
export const methodLooks: { readonly [Name in MethodName]: { readonly colour: string; readonly shape: Shape } } = {
  "bayesian-bits": { colour: "var(--series-1)", shape: "circle" },
  fixed: { colour: "var(--series-2)", shape: "square" },
  dpq: { colour: "var(--series-9)", shape: "cross" },
  fp32: { colour: "var(--series-6)", shape: "diamond" },
  sensitivity: { colour: "var(--series-5)", shape: "hexagon" },
  autoq: { colour: "var(--series-8)", shape: "pentagon" },
  adaround: { colour: "var(--series-3)", shape: "triangle" },
  "bit-split": { colour: "var(--series-4)", shape: "triangle down" },
  "product-quantization": { colour: "var(--series-10)", shape: "bar" },
  nearest: { colour: "var(--series-7)", shape: "star" },
};

/** A method's mark, around the origin. @param filled What tells its runs apart, as {@link symbol} has it. */
export const methodSymbol = (method: MethodName, filled?: number): Markup =>
  symbol(methodLooks[method].shape, methodLooks[method].colour, filled);

/** A method's mark and name, in a line of text. */
export const methodMark = (method: MethodName): Markup =>
  markup`<span class="method"><svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">${methodSymbol(method)}</svg>${method}</span>`;
