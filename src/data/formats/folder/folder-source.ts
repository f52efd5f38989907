import { UserError } from "../../../core/errors.ts";
import { lookup } from "../../../core/lookup.ts";
import type { Reporter } from "../../../core/progress.ts";
import type { ImageShape } from "../../dataset.ts";
import type { ImageSource } from "../../image-source.ts";
import { noTargets } from "../../targets.ts";
import type { DecodePool } from "./decode-pool.ts";
import type { FileContents } from "./file-contents.ts";
import type { ImageFiles } from "./scan-folder.ts";

/** Images per request to a thread: few enough to share a batch between threads, enough to keep one busy. */
const chunkSize = 16;
/** Bytes of batches under way beside the one in use, of which there are 2 to 16: what bounds the memory. */
const aheadBytes = 64 * 2 ** 20;

/** What to do with an image that cannot be read, and where it is noted. */
export interface DamagePolicy {
  readonly onError: "fail" | "skip";
  /** Paths so far. */
  readonly damaged: Set<string>;
  readonly reporter: Pick<Reporter, "warn">;
}

interface Reading {
  readonly pool: Pick<DecodePool, "decode">;
  readonly policy: DamagePolicy;
  /** Of all parts of the folder. */
  readonly contents: Pick<FileContents, "note" | "noteUnreadable" | "use">;
  /** Whether the images lie in class folders. */
  readonly labelled: boolean;
}

/**
 * Serves images from files, through threads that decode them.
 *
 * @param firstNumber Of this part's images among those of all parts.
 */
export function folderSource(
  { paths, labels }: ImageFiles,
  shape: ImageShape,
  firstNumber: number,
  { pool, policy, contents, labelled }: Reading,
): ImageSource {
  const size = shape.reduce((product, length) => product * length, 1);
  return {
    count: labels.length,
    ahead: (batchSize) => Math.min(16, Math.max(2, Math.floor(aheadBytes / (batchSize * size)))),
    async read(indices, epoch) {
      const starts = Array.from({ length: Math.ceil(indices.length / chunkSize) }, (_, chunk) => chunk * chunkSize);
      const chunks = await Promise.all(
        starts.map(async (start) => {
          const part = indices.slice(start, start + chunkSize);
          const wanted = Array.from(part, (index) => paths[index]!);
          const { images, damaged, contents: read } = await pool.decode({ epoch, indices: part, paths: wanted });
          const reasons = new Map(damaged.map(({ position, reason }) => [position, reason]));
          read.forEach((content, position) => {
            const number = firstNumber + part[position]!;
            if (content === null) contents.noteUnreadable(number, lookup(reasons, position));
            else contents.note(number, content);
          });
          return { start, part, images, damaged: reasons };
        }),
      );
      const failures = chunks.flatMap(({ part, damaged }) =>
        Array.from(damaged, ([position, reason]) => ({ path: paths[part[position]!]!, reason })),
      );
      settle(failures, policy);
      const count = indices.length - failures.length;
      const read = new Uint8Array(count * size);
      const classes = new Int32Array(count);
      let filled = 0;
      for (const { part, images, damaged } of chunks) {
        if (damaged.size === 0) read.set(images, filled * size);
        part.forEach((index, position) => {
          if (damaged.has(position)) return;
          if (damaged.size > 0) {
            read.set(images.subarray(position * size, (position + 1) * size), filled * size);
          }
          classes[filled++] = labels[index]!;
        });
      }
      return { count, images: read, targets: labelled ? { kind: "classes", values: classes } : noTargets };
    },
    use: (indices) => contents.use(indices.map((index) => firstNumber + index)),
  };
}

function settle(failures: readonly { path: string; reason: string }[], policy: DamagePolicy): void {
  if (failures.length > 0 && policy.onError === "fail") {
    const list = failures.map(({ path, reason }) => `\n  ${path}: ${reason}`).join("");
    throw new UserError(
      `cannot read ${failures.length} image${failures.length === 1 ? "" : "s"}:${list}\nreplace or remove what is damaged, or leave it out with data.onError: skip`,
    );
  }
  for (const { path, reason } of failures) {
    if (policy.damaged.has(path)) continue;
    policy.damaged.add(path);
    policy.reporter.warn(`left out ${path}: ${reason}`);
  }
}
