import { z } from "zod";
import type { WeightBits } from "../quantization/weight-grid.ts";
import { parseWidths, type WeightWidths } from "../quantization/weight-widths.ts";

/** Widths that a budget chooses from; 3 bits take 4 in a file. */
export const budgetWidths = [2, 4, 8] as const satisfies readonly WeightBits[];

/** Bits of each output channel of a weight, a digit each (`widthsText`). */
export const channelDigits = z.string().regex(/^[2348]{2,}$/);

export const activationBits = z.literal([8, 16, 32]);
const index = z.number().int().nonnegative();

/** What each choice of each weight's and activation's width costs and harms; it serves any budget of its kind. */
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
          /** Of each number, on average; it tells choices of a weight apart. */
          bits: z.number().positive(),
          /** Where output channels have widths of their own. */
          channelBits: channelDigits.optional(),
          /** Of the packed codes, and of the order of their rows where channels have widths of their own. */
          bytes: z.number(),
          /** Of all that the file holds for it. */
          stored: z.number().int(),
          /** Measured; where channels have widths of their own, told from measured ones by `rowError` (`harmAt`). */
          harm: z.number(),
          /** The sum of its output channels' errors (`rowErrors`), where they may have widths of their own. */
          rowError: z.number().optional(),
        }),
      ),
    }),
  ),
  /** Bytes of the file beside these weights. */
  rest: z.number().int(),
  /** What layers read that a budget of bit operations chooses widths of; a harm is that of this value alone on its grid. */
  activations: z
    .array(
      z.strictObject({
        name: z.string(),
        choices: z.array(z.strictObject({ bits: activationBits, harm: z.number() })),
      }),
    )
    .default([]),
  /**
   * Where layers multiply a weight and an activation, by their places in the lists above; null: it stays in float. Empty
   * where the budget was none of bit operations.
   */
  products: z
    .array(
      z.strictObject({
        weight: index.nullable(),
        activation: index.nullable(),
        /** Multiply-accumulates for one sample. */
        macs: z.number().nonnegative(),
      }),
    )
    .default([]),
});
export type HarmTable = z.infer<typeof harmTableSchema>;
export type HarmChoice = HarmTable["weights"][number]["choices"][number];

/** Those that a choice gives a weight. @throws RangeError for what is no width of a weight. */
export const widthsOfChoice = ({ bits, channelBits }: HarmChoice): WeightWidths =>
  parseWidths(channelBits ?? String(bits));
