import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

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

/** Writes what the finished folder holds; the last thing done before it gets its name. */
export function writeManifest(
  folder: string,
  wheel: { file: string; sha256: string },
  files: readonly EngineFile[],
): void {
  const manifest = { format: manifestFormat, wheel: { file: wheel.file, sha256: wheel.sha256 }, files };
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
}

/**
 * Whether `folder` holds a whole engine: its manifest is readable and every file it names has its size. Hashes are not
 * computed again, as every start of the program asks this.
 */
export function isComplete(folder: string): boolean {
  try {
    const { files } = manifestSchema.parse(JSON.parse(readFileSync(join(folder, manifestName), "utf8")));
    return files.every(({ path, bytes }) => statSync(join(folder, path)).size === bytes);
  } catch {
    return false;
  }
}
