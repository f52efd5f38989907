/** Points and centroids of one space, [count, blockSize] each, and the codes to find. */
interface Assignment {
  readonly blockSize: number;
  readonly points: Float64Array;
  readonly centroids: Float64Array;
  /** Changed in place: where each point was, which is where it is looked for first. */
  readonly codes: Uint16Array;
}

/** Finds the centroid nearest to each point, the first of several. */
export function nearestCentroids({ blockSize, points, centroids, codes }: Assignment): void {
  for (let column = 0; column < codes.length; column++) {
    const point = column * blockSize;
    let nearest = codes[column]!;
    let least = Number.POSITIVE_INFINITY;
    least = distanceWithin(points, point, centroids, nearest * blockSize, blockSize, least);
    for (let code = 0, centroid = 0; centroid < centroids.length; code++, centroid += blockSize) {
      const distance = distanceWithin(points, point, centroids, centroid, blockSize, least);
      if (distance < least || (distance === least && code < nearest)) {
        least = distance;
        nearest = code;
      }
    }
    codes[column] = nearest;
  }
}

/** The squared distance, or something larger than `least` as soon as it is. */
function distanceWithin(
  points: Float64Array,
  point: number,
  centroids: Float64Array,
  centroid: number,
  length: number,
  least: number,
): number {
  let sum = 0;
  let row = 0;
  for (; row + 3 < length; row += 4) {
    const a = points[point + row]! - centroids[centroid + row]!;
    const b = points[point + row + 1]! - centroids[centroid + row + 1]!;
    const c = points[point + row + 2]! - centroids[centroid + row + 2]!;
    const d = points[point + row + 3]! - centroids[centroid + row + 3]!;
    sum += a * a + b * b + c * c + d * d;
    if (sum > least) return sum;
  }
  for (; row < length; row++) {
    const difference = points[point + row]! - centroids[centroid + row]!;
    sum += difference * difference;
  }
  return sum;
}
