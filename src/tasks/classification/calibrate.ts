import type { Calibration } from "./class-findings.ts";
import type { Confidences } from "./confidences.ts";

const binCount = 15;

/**
 * Whether the network is as often right as it says: images in 15 bins of equal width by the probability of their
 * predicted class, and the expected calibration error (Guo et al., ICML 2017, equation 5).
 */
export function calibrate({ confidence, correct }: Confidences): Calibration {
  const sums = Array.from({ length: binCount }, () => ({ images: 0, confidence: 0, correct: 0 }));
  for (const [image, probability] of confidence.entries()) {
    const sum = sums[Math.min(binCount - 1, Math.floor(probability * binCount))]!;
    sum.images++;
    sum.confidence += probability;
    if (correct[image]) sum.correct++;
  }
  const apart = sums.reduce((total, { confidence, correct }) => total + Math.abs(confidence - correct), 0);
  return {
    bins: sums.map(({ images, confidence, correct }) => ({
      images,
      confidence: images === 0 ? 0 : Math.min(1, confidence / images),
      accuracy: images === 0 ? 0 : correct / images,
    })),
    expectedError: confidence.length === 0 ? 0 : Math.min(1, apart / confidence.length),
  };
}
