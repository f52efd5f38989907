import { z } from "zod";
import { type WeightBits, weightBits } from "../quantization/weight-grid.ts";

/** Widths that a budget chooses from; 3 bits take 4 in a file. */
export const budgetWidths = [2, 4, 8] as const satisfies readonly WeightBits[];

const widthSchema = z.literal(weightBits);

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
