import t from "tap";
import { codebookSize, mostCentroids } from "../../../src/quantization/product/codebook-size.ts";

t.test("a codebook has fewer centroids than a quarter of the blocks, a power of two", (t) => {
  t.strictSame([0, 1, 8, 9, 4096, 4097, 1e9].map(mostCentroids), [1, 1, 1, 2, 512, 1024, 32768]);
  t.end();
});

t.test("codes take whole types in a file, and count at the logarithm of the centroids", (t) => {
  const { bitsPerWeight, ...size } = codebookSize(1000, { centroids: 64, blockSize: 9 });
  t.equal(bitsPerWeight, 6 / 9);
  t.strictSame(size, { countedIndexBytes: 750, codeBits: 8, indexBytes: 1000, codebookBytes: 2 * 64 * 9 });
  t.strictSame(
    [4, 16, 17, 256, 257].map((centroids) => codebookSize(7, { centroids, blockSize: 4 }).indexBytes),
    [2, 4, 7, 7, 14],
  );
  t.end();
});
