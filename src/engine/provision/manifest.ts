import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { codeOf } from "../../core/errors.ts";
import { sha256OfFile } from "../../core/file-hash.ts";
import { crashedLoads } from "./load-marker.ts";

/** Raised when the way of building changes: folders of another format are built again. */
const manifestFormat = 1;

const manifestSchema = z.object({
  format: z.literal(manifestFormat),
  wheel: z.object({ file: z.string(), sha256: z.string() }),
  files: z.array(z.object({ path: z.string(), bytes: z.int().positive(), sha256: z.string() })).min(1),
});

/** A file below the engine's folder. */
export type EngineFile = z.infer<typeof manifestSchema>["files"][number];

const manifestName = "manifest.json";

/** The wheel that a folder's files are from. */
type Origin = z.infer<typeof manifestSchema>["wheel"];

/** Writes what the finished folder holds; the last thing done before it gets its name. */
export function writeManifest(folder: string, wheel: Origin, files: readonly EngineFile[]): void {
  const manifest = { format: manifestFormat, wheel: { file: wheel.file, sha256: wheel.sha256 }, files };
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
}

/** File systems tell times in steps of some milliseconds, and behind the clock: what is that close may be later. */
const CLOCK_STEP_MS = 20;

/** What an engine's folder holds. */
export type EngineState = { readonly kind: "whole" | "missing" } | { readonly kind: "damaged"; readonly what: string };

/**
 * What `folder` holds, at every start of the program: its files have the sizes of the manifest, and those that were
 * changed after it was written (it is the last), all of them where the last load did not come to its end, its hashes.
 *
 * @param whole Whether the hashes of all files are computed (some seconds).
 * @param wheel What the files are to be from; without one, a folder whose name says it.
 */
export function stateOf(
  folder: string,
  { whole = false, wheel }: { readonly whole?: boolean; readonly wheel?: Origin } = {},
): EngineState {
  const path = join(folder, manifestName);
  const written = statSync(path, { throwIfNoEntry: false });
  if (written === undefined) return { kind: "missing" };
  const manifest = manifestSchema.safeParse(parseJson(path));
  if (!manifest.success) return { kind: "damaged", what: `${path} is no manifest of this version` };
  const { file: from, sha256: origin } = manifest.data.wheel;
  if (wheel !== undefined && origin !== wheel.sha256)
    return { kind: "damaged", what: `${folder} is from ${from} and not from ${wheel.file}` };
  const crashed = crashedLoads(folder);
  const all = whole || crashed.length > 0;
  let isLater = false;
  let latest = 0;
  for (const { path: name, bytes, sha256 } of manifest.data.files) {
    const file = join(folder, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.size !== bytes)
      return { kind: "damaged", what: `${file} has ${found?.size ?? "no"} bytes instead of ${bytes}` };
    const isChanged = found.mtimeMs > written.mtimeMs - CLOCK_STEP_MS;
    isLater ||= isChanged;
    latest = Math.max(latest, found.mtimeMs);
    if ((all || isChanged) && sha256OfFile(file) !== sha256)
      return { kind: "damaged", what: `${file} has not the SHA-256 of its manifest` };
  }
  remember(path, { latest: isLater ? latest : null, crashed });
  return { kind: "whole" };
}

/**
 * What was found whole is not looked at again: the next start is quick. Where the folder is read-only, it is slow.
 *
 * @param latest When the last of the files was changed, in milliseconds; null: the manifest is later already.
 */
function remember(
  manifest: string,
  { latest, crashed }: { readonly latest: number | null; readonly crashed: readonly string[] },
): void {
  try {
    if (latest !== null) {
      // Now, rather than just behind the files: where times are told in steps of a second or two, that would be their own.
      const behind = new Date(Math.max(Date.now(), Math.ceil(latest) + CLOCK_STEP_MS));
      utimesSync(manifest, behind, behind);
    }
    for (const marker of crashed) rmSync(marker, { force: true });
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
  }
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
