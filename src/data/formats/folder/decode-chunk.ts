import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { at } from "../../../core/elements.ts";
import { messageOf } from "../../../core/errors.ts";
import { elementsOf } from "../../../graph/shape.ts";
import { voidPixel } from "../../targets.ts";
import { decodeImage, type Recipe } from "./decode-image.ts";
import { decodeMask } from "./decode-mask.ts";
import type { Chunk, DecodedChunk } from "./decode-pool.ts";
import type { FileContent } from "./file-contents.ts";

/** Reads and decodes the images of a chunk, and their masks. */
export async function decodeChunk(
  recipe: Recipe,
  { id, epoch, indices, paths, masks: maskPaths }: Chunk,
): Promise<DecodedChunk> {
  const size = elementsOf(recipe.shape);
  const area = recipe.shape[0] * recipe.shape[1];
  const images = new Uint8Array(paths.length * size);
  const masks = new Uint8Array(maskPaths === null ? 0 : paths.length * area).fill(voidPixel);
  const contents: (FileContent | null)[] = paths.map(() => null);
  const maskContents: (FileContent | null | undefined)[] = [];
  const damaged: { position: number; reason: string }[] = [];
  for (const [position, path] of paths.entries()) {
    const maskPath = maskPaths?.[position];
    const seen = { epoch, index: at(indices, position) };
    try {
      const content = readFileSync(path);
      contents[position] = contentOf(content);
      const found = await decodeImage(content, recipe, seen, images, position * size);
      if (maskPath === undefined || recipe.masks === undefined) continue;
      maskContents[position] = null;
      try {
        const mask = readFileSync(maskPath);
        maskContents[position] = contentOf(mask);
        await decodeMask(mask, found, { ...recipe, masks: recipe.masks }, seen, masks, position * area);
      } catch (error) {
        throw new Error(`its mask ${maskPath}: ${messageOf(error)}`, { cause: error });
      }
    } catch (error) {
      damaged.push({ position, reason: messageOf(error) });
    }
  }
  return { id, images, masks, contents, maskContents, damaged };
}

const contentOf = (content: Buffer): FileContent => ({
  bytes: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
});
