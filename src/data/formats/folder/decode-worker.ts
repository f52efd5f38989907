import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../core/errors.ts";
import { decodeImage, type Recipe } from "./decode-image.ts";
import type { Chunk, DecodedChunk } from "./decode-pool.ts";
import type { FileContent } from "./file-contents.ts";

// What the pool starts it with.
const recipe = workerData as Recipe;
const size = recipe.shape.reduce((product, length) => product * length, 1);

async function decode({ id, epoch, indices, paths }: Chunk): Promise<DecodedChunk> {
  const images = new Uint8Array(paths.length * size);
  const contents: (FileContent | null)[] = paths.map(() => null);
  const damaged: { position: number; reason: string }[] = [];
  for (const [position, path] of paths.entries()) {
    try {
      const content = readFileSync(path);
      contents[position] = { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
      await decodeImage(content, recipe, { epoch, index: indices[position]! }, images, position * size);
    } catch (error) {
      damaged.push({ position, reason: messageOf(error) });
    }
  }
  return { id, images, contents, damaged };
}

// One chunk after the other: many workers decode at a time, each one image.
let before: Promise<void> = Promise.resolve();
parentPort!.on("message", (chunk: Chunk) => {
  before = before.then(async () => {
    const decoded = await decode(chunk);
    // An array of its own has a buffer of its own, never a shared one.
    parentPort!.postMessage(decoded, [decoded.images.buffer as ArrayBuffer]);
  });
});
