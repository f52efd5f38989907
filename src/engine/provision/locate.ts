import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { cacheFolder } from "../../base/cache-folder.ts";
import { UsageError } from "../../base/errors.ts";
import { wheels } from "./wheels.ts";

/** Which engine a start of the program finds, without fetching anything. */
export type EngineLocation =
  | { readonly kind: "native"; readonly binding: string; readonly reason: string }
  | { readonly kind: "wasm"; readonly reason: string };

const platform = `${process.platform}-${process.arch}`;

/** Folder of the engine that is built from the wheel; null where no wheel is known. */
export function engineFolder(): string | null {
  const wheel = wheels[platform];
  return wheel ? cacheFolder("engine", `${wheel.project}-${wheel.version}-${platform}-napi8`) : null;
}

export const bindingName = "tfjs_binding.node";

/** Root of the tfjs-node-gpu package, whose C++ source the engine is built from; null when it is not installed. */
export function tfjsNodeFolder(): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node-gpu/package.json"));
  } catch {
    return null;
  }
}

/** Where the package itself looks for its binding. */
export function packageBinding(): string | null {
  const folder = tfjsNodeFolder();
  return folder && join(folder, "lib", "napi-v8", bindingName);
}

/** What the user asks for in BAYESIAN_BITS_ENGINE. */
function wanted(): "auto" | "native" | "wasm" {
  const value = process.env.BAYESIAN_BITS_ENGINE || "auto";
  if (value === "auto" || value === "native" || value === "wasm") return value;
  throw new UsageError(`BAYESIAN_BITS_ENGINE: expected auto, native or wasm, got ${JSON.stringify(value)}`);
}

const isFile = (path: string | null): path is string => path !== null && existsSync(path) && statSync(path).size > 0;

/** The engine that is there: built in the cache, then the package's own; WebAssembly where neither is. */
export function locateEngine(): EngineLocation {
  if (wanted() === "wasm") return { kind: "wasm", reason: "BAYESIAN_BITS_ENGINE=wasm" };
  const folder = engineFolder();
  const built = folder && join(folder, bindingName);
  if (isFile(built)) return { kind: "native", binding: built, reason: "built from the TensorFlow wheel" };
  const own = packageBinding();
  if (isFile(own)) return { kind: "native", binding: own, reason: "installed with @tensorflow/tfjs-node-gpu" };
  const why = folder === null ? `no TensorFlow wheel is known for ${platform}` : "it has not been set up";
  return { kind: "wasm", reason: `no native engine: ${why}; run npm run setup` };
}
