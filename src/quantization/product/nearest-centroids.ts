import { at } from "../../core/elements.ts";
import { squaredDistance } from "./distance.ts";

/** Points and centroids of one space, [count, blockSize] each, and the codes to find. */
interface Assignment {
  readonly blockSize: number;
  readonly points: Float64Array;
  readonly centroids: Float64Array;
  /** Changed in place: where each point was, which is where it is looked for first. */
  readonly codes: Uint16Array;
  /** Made in place: the squared distance from each point to its centroid. */
  readonly distances: Float64Array;
}

/** Finds the centroid nearest to each point, the first of several. */
export function nearestCentroids({ blockSize, points, centroids, codes, distances }: Assignment): void {
  for (let column = 0; column < codes.length; column++) {
    const point = column * blockSize;
    let nearest = at(codes, column);
    let least = squaredDistance(points, point, centroids, nearest * blockSize, blockSize);
    for (let code = 0, centroid = 0; centroid < centroids.length; code++, centroid += blockSize) {
      const distance = squaredDistance(points, point, centroids, centroid, blockSize, least);
      if (distance < least || (distance === least && code < nearest)) {
        least = distance;
        nearest = code;
      }
    }
    codes[column] = nearest;
    distances[column] = least;
  }
}
