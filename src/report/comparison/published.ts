import type { Metric } from "../../tasks/metric.ts";

/** A published result to hold one's own against. */
export interface PublishedResult {
  readonly label: string;
  readonly source: string;
  /** Percent. */
  readonly relativeBops: number;
  /** By the metric that it was asked for. */
  readonly value: number;
}

const paper = "van Baalen et al., NeurIPS 2020 (arXiv 2005.07093)";

/** Of classifiers, by data set and network: top-1 in percent. */
const classifiers: Readonly<Record<string, readonly PublishedResult[]>> = {
  "mnist lenet5": [{ label: "paper, μ 0.1", source: `${paper}, 100 epochs`, relativeBops: 0.36, value: 99.3 }],
  "cifar10 vgg7": [
    { label: "paper, μ 0.01", source: `${paper}, 300 epochs`, relativeBops: 0.51, value: 93.23 },
    { label: "paper, μ 0.1", source: `${paper}, 300 epochs`, relativeBops: 0.29, value: 91.96 },
    { label: "GETA", source: "GETA, a later method", relativeBops: 0.41, value: 92.57 },
  ],
};

/** Published results for a network on a data set, by a metric; none where none are known. */
export const publishedResults = (
  data: string,
  network: string,
  { key }: Pick<Metric, "key">,
): readonly PublishedResult[] => (key === "top1" ? (classifiers[`${data} ${network}`] ?? []) : []);
