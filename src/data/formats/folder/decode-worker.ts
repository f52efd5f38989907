import { parentPort, workerData } from "node:worker_threads";
import { decodeChunk } from "./decode-chunk.ts";
import type { Recipe } from "./decode-image.ts";
import type { Chunk } from "./decode-pool.ts";

// What the pool starts it with.
const recipe = workerData as Recipe;

// One chunk after the other: many workers decode at a time, each one image.
let before: Promise<void> = Promise.resolve();
parentPort!.on("message", (chunk: Chunk) => {
  before = before.then(async () => {
    const decoded = await decodeChunk(recipe, chunk);
    // An array of its own has a buffer of its own, never a shared one.
    parentPort!.postMessage(decoded, [decoded.images.buffer as ArrayBuffer, decoded.masks.buffer as ArrayBuffer]);
  });
});
