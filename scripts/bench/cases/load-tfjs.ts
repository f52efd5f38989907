import { createRequire } from "node:module";

export type Tfjs = typeof import("@tensorflow/tfjs-node-gpu");

/**
 * tfjs on the TensorFlow that the engine has loaded: `npm run setup` links the engine to where the package looks, and
 * a process loads a binding once. Load the engine first: it sets what TensorFlow reads from the environment.
 */
export function loadTfjs(): Tfjs {
  const require = createRequire(import.meta.url);
  // Node 23 dropped these; tfjs 4.22 still calls them.
  const util = require("node:util") as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  return require("@tensorflow/tfjs-node-gpu") as Tfjs;
}
