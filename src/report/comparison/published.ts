/** A published result to hold one's own against. */
export interface PublishedResult {
  readonly label: string;
  readonly source: string;
  /** Percent. */
  readonly relativeBops: number;
  readonly top1: number;
}

const paper = "van Baalen et al., NeurIPS 2020 (arXiv 2005.07093)";

/** By data set and network. */
const results: Readonly<Record<string, readonly PublishedResult[]>> = {
  "mnist lenet5": [{ label: "paper, μ 0.1", source: `${paper}, 100 epochs`, relativeBops: 0.36, top1: 99.3 }],
  "cifar10 vgg7": [
    { label: "paper, μ 0.01", source: `${paper}, 300 epochs`, relativeBops: 0.51, top1: 93.23 },
    { label: "paper, μ 0.1", source: `${paper}, 300 epochs`, relativeBops: 0.29, top1: 91.96 },
    { label: "GETA", source: "GETA, a later method", relativeBops: 0.41, top1: 92.57 },
  ],
};

/** Published results for a network on a data set; none where none are known. */
export const publishedResults = (data: string, network: string): readonly PublishedResult[] =>
  results[`${data} ${network}`] ?? [];
