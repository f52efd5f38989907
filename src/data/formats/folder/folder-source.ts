import { at } from "../../../core/elements.ts";
import { UserError } from "../../../core/errors.ts";
import { lookup } from "../../../core/lookup.ts";
import type { Reporter } from "../../../core/progress.ts";
import type { ImageShape } from "../../dataset.ts";
import type { ImageSource } from "../../image-source.ts";
import { pickTargets, type Targets } from "../../targets.ts";
import type { DecodedChunk, DecodePool } from "./decode-pool.ts";
import type { FileContents } from "./file-contents.ts";

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
}

/** Images of one part, and what is known of them. */
export interface KnownImages {
  readonly paths: readonly string[];
  /** Of all of them, where files of their own do not say it. */
  readonly targets: Targets;
  readonly masks: readonly string[] | null;
  /** Of the first image, and of its mask, among the files of all parts. */
  readonly numbers: { readonly image: number; readonly mask: number };
}

/** Serves images from files, through threads that decode them. */
export function folderSource(
  { paths, targets, masks: maskPaths, numbers }: KnownImages,
  shape: ImageShape,
  { pool, policy, contents }: Reading,
): ImageSource {
  const size = shape.reduce((product, length) => product * length, 1);
  const area = maskPaths === null ? 0 : shape[0] * shape[1];
  return {
    count: paths.length,
    ahead: (batchSize) => Math.min(16, Math.max(2, Math.floor(aheadBytes / (batchSize * size)))),
    async read(indices, epoch) {
      const starts = Array.from({ length: Math.ceil(indices.length / chunkSize) }, (_, chunk) => chunk * chunkSize);
      const chunks = await Promise.all(
        starts.map(async (start) => {
          const part = indices.slice(start, start + chunkSize);
          const wanted = Array.from(part, (index) => paths[index]!);
          const decoded = await pool.decode({
            ...{ epoch, indices: part, paths: wanted },
            masks: maskPaths && Array.from(part, (index) => at(maskPaths, index)),
          });
          const reasons = new Map(decoded.damaged.map(({ position, reason }) => [position, reason]));
          const note = (first: number, read: DecodedChunk["maskContents"]) => {
            for (const [position, content] of read.entries()) {
              if (content === undefined) continue;
              const number = first + at(part, position);
              if (content === null) contents.noteUnreadable(number, lookup(reasons, position));
              else contents.note(number, content);
            }
          };
          note(numbers.image, decoded.contents);
          note(numbers.mask, decoded.maskContents);
          return { start, part, images: decoded.images, masks: decoded.masks, damaged: reasons };
        }),
      );
      const failures = chunks.flatMap(({ part, damaged }) =>
        Array.from(damaged, ([position, reason]) => ({ path: paths[part[position]!]!, reason })),
      );
      settle(failures, policy);
      const count = indices.length - failures.length;
      const read = new Uint8Array(count * size);
      const masks = new Uint8Array(count * area);
      const kept = new Uint32Array(count);
      let filled = 0;
      for (const chunk of chunks) {
        const { damaged } = chunk;
        if (damaged.size === 0) {
          read.set(chunk.images, filled * size);
          masks.set(chunk.masks, filled * area);
        }
        for (const [position, index] of chunk.part.entries()) {
          if (damaged.has(position)) continue;
          if (damaged.size > 0) {
            read.set(chunk.images.subarray(position * size, (position + 1) * size), filled * size);
            masks.set(chunk.masks.subarray(position * area, (position + 1) * area), filled * area);
          }
          kept[filled++] = index;
        }
      }
      const known =
        maskPaths === null ? pickTargets(targets, kept, paths.length) : { kind: "masks" as const, values: masks };
      return { count, images: read, targets: known };
    },
    use(indices) {
      contents.use(indices.map((index) => numbers.image + index));
      if (maskPaths !== null) contents.use(indices.map((index) => numbers.mask + index));
    },
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
