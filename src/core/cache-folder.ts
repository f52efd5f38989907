import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder for what is fetched or built once per machine (engine, data sets): `$XDG_CACHE_HOME/bayesian-bits`, or
 * `~/.cache/bayesian-bits`. It outlives `npm ci`, and may be deleted at any time.
 */
export function cacheFolder(...parts: string[]): string {
  const root = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(root, "bayesian-bits", ...parts);
}
