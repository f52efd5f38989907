import { z } from "zod";
import { square } from "../core/powers.ts";
import type { RuntimeTensor } from "../onnx/file-session.ts";
import { storedBits } from "../quantization/levels.ts";
import { type WeightBits, weightBits } from "../quantization/weight-grid.ts";
import type { FileGraph } from "./file-graph.ts";
import { OpenWeights } from "./open-weights.ts";
import { OutputError } from "./output-error.ts";
import { roundSite, type SolvedSite } from "./solve-site.ts";
import { decoded, type SolveOptions, solveSites } from "./solve-sites.ts";
import { distinctWeights, type WeightSite, weightKey } from "./weight-site.ts";

/** Widths that a budget chooses from; 3 bits take 4 in a file. */
export const budgetWidths = [2, 4, 8] as const satisfies readonly WeightBits[];

const widthSchema = z.literal(weightBits);

/** What each choice of each weight's width costs and harms; it serves any budget. */
export const harmTableSchema = z.strictObject({
  /**
   * What a harm is: the error of the network's outputs with this weight alone quantized (`OutputError`), or, without data,
   * the weight's own relative squared error.
   */
  measured: z.enum(["outputs", "weights"]),
  samples: z.number().int(),
  weights: z.array(
    z.strictObject({
      key: z.string(),
      /** Names of the layers that read it. */
      layers: z.array(z.string()),
      numbers: z.number().int(),
      choices: z.array(
        z.strictObject({
          bits: widthSchema,
          /** Of the packed codes. */
          bytes: z.number(),
          /** Of all that the file holds for it. */
          stored: z.number().int(),
          harm: z.number(),
        }),
      ),
    }),
  ),
  /** Bytes of the file beside these weights. */
  rest: z.number().int(),
});
export type HarmTable = z.infer<typeof harmTableSchema>;

/** The values of each weight at each width, by key. */
export type Candidates = ReadonlyMap<string, ReadonlyMap<WeightBits, RuntimeTensor>>;

export interface MeasureOptions
  extends Omit<SolveOptions, "bitsOf" | "calibration" | "method" | "ops" | "seed" | "inputs"> {
  /** Widths that are not to be chosen, by layer. */
  fixed(site: WeightSite): WeightBits | null;
  /** What finds codes of less than 8 bits; null: rounding. */
  readonly solver: Pick<SolveOptions, "method" | "ops" | "seed"> | null;
  readonly calibration: SolveOptions["calibration"] | null;
  /** Bytes that the file holds for a solved weight. */
  storedBytes(solved: SolvedSite): number;
}

/** Samples that harms are measured on. */
const SAMPLES = 64;

/** What measures plans: null without data. */
export type Measuring = { readonly error: OutputError; readonly candidates: Candidates } & AsyncDisposable;

/**
 * Measures what each width of each weight does to the network's outputs, with the codes that the method finds where layers
 * see the float file.
 */
export async function measureHarms(
  graph: FileGraph,
  options: MeasureOptions,
): Promise<{ readonly weights: HarmTable["weights"]; readonly samples: number; readonly measuring: Measuring | null }> {
  const { sites, calibration, file, storedBytes } = options;
  const distinct = distinctWeights(sites);
  const solvedAt = await solvedAtAll(graph, options, distinct);
  const known = calibration && { samples: calibration.samples, order: calibration.order.subarray(0, SAMPLES) };
  const open = known && (await OpenWeights.open(graph, { sites, grids: new Map(), shown: [], file }));
  const error = open && (await OutputError.of(open, known));
  const candidates = new Map<string, Map<WeightBits, RuntimeTensor>>();
  const weights: HarmTable["weights"] = [];
  for (const site of distinct) {
    const key = weightKey(site);
    const choices: HarmTable["weights"][number]["choices"] = [];
    const tensors = new Map<WeightBits, RuntimeTensor>();
    const numbers = site.values.length;
    for (const solved of solvedAt.get(key) ?? []) {
      const { bits } = solved;
      const tensor = decoded(solved);
      tensors.set(bits, tensor);
      const harm = error === null ? weightError(site.values, tensor) : await error.with(new Map([[key, tensor]]));
      choices.push({ bits, bytes: (numbers * storedBits(bits)) / 8, stored: storedBytes(solved), harm });
    }
    candidates.set(key, tensors);
    weights.push({
      key,
      layers: sites.filter((site) => weightKey(site) === key).map(({ name }) => name),
      numbers,
      choices,
    });
  }
  const measuring =
    open === null || error === null
      ? null
      : { error, candidates, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
  return { weights, samples: known?.order.length ?? 0, measuring };
}

/** Each weight at every width that it may get. */
async function solvedAtAll(
  graph: FileGraph,
  { fixed, solver, calibration, ...options }: MeasureOptions,
  sites: readonly WeightSite[],
): Promise<ReadonlyMap<string, readonly SolvedSite[]>> {
  const found = new Map<string, SolvedSite[]>(sites.map((site) => [weightKey(site), []]));
  const widths = new Set<WeightBits>([...budgetWidths, ...sites.flatMap((site) => fixed(site) ?? [])]);
  for (const bits of [...widths].sort((a, b) => a - b)) {
    const wanted = sites.filter(
      (site) => (fixed(site) ?? bits) === bits && (fixed(site) !== null || isBudgetWidth(bits)),
    );
    // What is gained over rounding at 8 bits is no choice's business.
    const solved =
      solver === null || calibration === null || bits === 8
        ? wanted.map((site) => roundSite(site, bits))
        : (
            await solveSites(graph, {
              ...options,
              ...solver,
              sites: wanted,
              calibration,
              bitsOf: () => bits,
              inputs: "float",
            })
          ).values();
    for (const one of solved) found.get(weightKey(one.site))?.push(one);
  }
  return found;
}

const isBudgetWidth = (bits: WeightBits): boolean => budgetWidths.some((width) => width === bits);

/** Σ (w - ŵ)² / Σ w². */
function weightError(values: Float32Array, { data }: RuntimeTensor): number {
  if (!(data instanceof Float32Array)) throw new Error("a weight is float32");
  let [signal, noise] = [0, 0];
  for (const [index, value] of values.entries()) {
    signal += square(value);
    noise += square(value - (data[index] ?? 0));
  }
  return signal > 0 ? noise / signal : 0;
}
