import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { messageOf, UserError } from "../../core/errors.ts";
import { isInstalled, packageBinding } from "./locate.ts";
import type { Probe } from "./probe.ts";
import { runTool, ToolError } from "./run-tool.ts";

/**
 * Lets tfjs-node itself, which a reinstall has made forget it, find the engine: a link, or a copy where the file system
 * has none. What it finds already stays.
 */
export function linkIntoPackage(binding: string, folder: string): void {
  const target = packageBinding(folder);
  if (existsSync(target)) return;
  const beside = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    symlinkSync(binding, beside);
  } catch {
    copyFileSync(binding, beside);
  }
  renameSync(beside, target);
}

/**
 * The package's own installer: libtensorflow 2.9 and a binding from its authors' storage, where that can be reached.
 *
 * @throws UserError when it fails, takes more than five minutes, or leaves nothing that runs.
 */
export async function installFromPackage(
  folder: string,
  { device, probe, signal }: { device: "cpu" | "gpu"; probe: Probe; signal?: AbortSignal | undefined },
): Promise<void> {
  const target = packageBinding(folder);
  // Its helpers are commands of packages; npm would put them on the path.
  const commands = [join(folder, "node_modules", ".bin"), join(folder, "..", "..", ".bin")];
  try {
    await runTool(process.execPath, [join("scripts", "install.js"), device, "download"], {
      cwd: folder,
      env: { PATH: [...commands, process.env.PATH ?? ""].join(delimiter) },
      timeoutMinutes: 5,
      signal,
    });
  } catch (error) {
    const output = error instanceof ToolError ? error.output : "";
    throw new UserError(/^\w*Error: .*$/m.exec(output)?.[0] ?? messageOf(error), { cause: error });
  }
  if (!isInstalled(target)) throw new UserError("its installer ended without a binding");
  try {
    await probe(target, signal);
  } catch (error) {
    rmSync(target);
    throw error;
  }
}
