import { copyFileSync, existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { packageBinding } from "./locate.ts";

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
