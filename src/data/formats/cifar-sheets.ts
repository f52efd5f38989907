import sharp from "sharp";
import { z } from "zod";
import { messageOf, UserError } from "../../core/errors.ts";
import { cifar10Bytes, cifarSide } from "./cifar-binary.ts";

const labelsSchema = z.array(z.int().min(0).max(9));

/** Labels as a JSON list. @throws UserError that names `place`: not JSON, a label that is no class, another count. */
export function parseLabels(json: Uint8Array, count: number, place: string): readonly number[] {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch (error) {
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  }
  const { success, data, error } = labelsSchema.safeParse(value);
  if (!success) {
    const [issue] = error.issues;
    throw new UserError(`cannot read ${place}: ${issue!.message} at label ${issue!.path.join(".") || "list"}`);
  }
  if (data.length !== count) {
    throw new UserError(`cannot read ${place}: ${data.length} labels, expected ${count}, one per image of its sheets`);
  }
  return data;
}

/**
 * Converts a PNG sheet with one 32 x 32 image per row (its pixels row by row) and the labels of its rows into a
 * CIFAR-10 file in binary form.
 *
 * @throws UserError that names `place`: no PNG, truncated, or of another shape than 1024 x one row per label in RGB.
 */
export async function sheetToBinary(png: Uint8Array, labels: readonly number[], place: string): Promise<Uint8Array> {
  const { data, info } = await decode(png, labels.length).catch((error: unknown) => {
    throw new UserError(`cannot read ${place}: ${messageOf(error)}`, { cause: error });
  });
  const expected = [cifarSide * cifarSide, labels.length, 3];
  const found = [info.width, info.height, info.channels];
  if (found.join() !== expected.join()) {
    const text = (shape: readonly number[]) => `${shape[0]} x ${shape[1]} pixels in ${shape[2]} channels`;
    throw new UserError(`cannot read ${place}: a sheet of ${text(found)}, expected ${text(expected)}`);
  }
  return cifar10Bytes(data, labels);
}

// Sharp refuses an empty file at once, all others later: here both are a rejection.
const decode = async (png: Uint8Array, rows: number) => {
  const limitInputPixels = Math.max(2 ** 20, cifarSide * cifarSide * rows);
  return sharp(png, { limitInputPixels }).raw().toBuffer({ resolveWithObject: true });
};
