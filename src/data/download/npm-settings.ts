import { dirname, join } from "node:path";
import Config from "@npmcli/config";
import npm from "@npmcli/config/lib/definitions/index.js";
import type { Options } from "pacote";
import { messageOf, UserError } from "../../core/errors.ts";

/**
 * The registry, proxy, certificates, credentials and cache that the user's npm is set up with, as pacote takes them:
 * pacote reads no .npmrc itself. npm's own configuration reader does it, as `npm config get` withholds credentials;
 * the order is npm's: `npm_config_*`, then the .npmrc of the project in `cwd`, of the user, and of the machine.
 *
 * @throws UserError when the configuration cannot be read.
 */
export async function readNpmSettings({ env = process.env, cwd = process.cwd() } = {}): Promise<Options> {
  const config = new Config({
    ...npm,
    // Where npm usually lies; only a packager's defaults beside it would be read.
    npmPath: join(dirname(process.execPath), "..", "lib", "node_modules", "npm"),
    // This program's own arguments are none of npm's.
    argv: [],
    // A copy: npm's reader writes into it.
    env: { ...env },
    cwd,
  });
  try {
    await config.load();
    const { retry, ...settings } = config.flat;
    return {
      ...settings,
      userAgent: `bayesian-bits node/${process.version}`,
      // npm waits 10 s, then 60 s before it tries again: too long for a person without a network.
      retry: { ...retry, minTimeout: 1000, maxTimeout: 5000 },
    };
  } catch (error) {
    throw new UserError(`cannot read npm's configuration (.npmrc): ${messageOf(error)}`, { cause: error });
  }
}
