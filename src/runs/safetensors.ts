import { z } from "zod";
import { UserError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";

/** A tensor of a file. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

const types = { F32: Float32Array, F64: Float64Array } as const;

const entry = z.object({
  dtype: z.enum(["F32", "F64"]),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const header = z.object({ __metadata__: z.record(z.string(), z.string()).default({}) }).catchall(entry);

/** The format's largest header: readers refuse a larger one. */
const MAX_HEADER = 100_000_000;

/**
 * Writes tensors in the safetensors layout: the header's length (8 bytes, little-endian), a JSON header with each
 * tensor's type, shape and byte range, then the data.
 *
 * @throws UserError when the header becomes larger than the format allows.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0;
  const entries: Record<string, unknown> = { __metadata__: metadata };
  for (const [name, { shape, values }] of tensors) {
    const dtype = values instanceof Float32Array ? "F32" : "F64";
    entries[name] = { dtype, shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const json = Buffer.from(JSON.stringify(entries));
  if (json.length > MAX_HEADER - 8) {
    throw new UserError(
      `cannot write a header of ${json.length} bytes: safetensors has at most ${MAX_HEADER}, and this one holds the run's record; train for fewer epochs`,
    );
  }
  // Spaces bring the data to a multiple of 8 bytes, as the format allows.
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded + offset, " ");
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, 8);
  let position = 8 + padded;
  for (const { values } of tensors.values()) {
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(bytes, position);
    position += values.byteLength;
  }
  return bytes;
}

/**
 * Reads what {@link encodeSafetensors} writes. As the format demands, tensors lie one behind the other and fill the file.
 *
 * @param place Names the file in errors.
 * @throws UserError when lengths, header or byte ranges do not hold.
 */
export function decodeSafetensors(
  bytes: Buffer,
  place: string,
): { readonly tensors: Map<string, StoredTensor>; readonly metadata: Readonly<Record<string, string>> } {
  const damaged = (what: string) => new UserError(`cannot read ${place}: it is damaged (${what})`);
  if (bytes.length < 8) throw damaged(`${bytes.length} bytes, a header needs 8`);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > MAX_HEADER || 8 + length > bytes.length)
    throw damaged(`header of ${length} bytes in a file of ${bytes.length}`);
  let json: unknown;
  try {
    json = parseJson(bytes.toString("utf8", 8, 8 + length));
  } catch {
    throw damaged("the header at byte 8 is not JSON");
  }
  const parsed = header.safeParse(json);
  if (!parsed.success) throw damaged(`the header does not describe tensors: ${parsed.error.issues[0]?.path.join(".")}`);
  const { __metadata__: metadata, ...entries } = parsed.data;
  const data = bytes.subarray(8 + length);
  const stored = Object.entries(entries).map(([name, one]) => ({ name, ...one }));
  requireWhole(stored, data.length, damaged);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, data_offsets } of stored) {
    const [start, end] = data_offsets;
    // A Buffer of a file is never shared.
    const copy = data.buffer.slice(data.byteOffset + start, data.byteOffset + end) as ArrayBuffer;
    tensors.set(name, { shape, values: new types[dtype](copy) });
  }
  return { tensors, metadata };
}

interface Entry extends z.infer<typeof entry> {
  readonly name: string;
}

/** @throws what `damaged` makes of a tensor of another length than its shape's, and of bytes that none holds, or two. */
function requireWhole(entries: readonly Entry[], bytes: number, damaged: (what: string) => UserError): void {
  const ranges = entries.map(({ name, dtype, shape, data_offsets: [start, end] }) => {
    const elements = shape.reduce((total, size) => total * size, 1);
    if (end > bytes || end - start !== elements * types[dtype].BYTES_PER_ELEMENT)
      throw damaged(`tensor ${name} ends at byte ${end} of ${bytes}`);
    return { name, start, end };
  });
  let filled = 0;
  for (const { name, start, end } of ranges.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    if (start < filled) throw damaged(`tensor ${name} begins at byte ${start}, within another one`);
    if (start > filled) throw damaged(`no tensor holds bytes ${filled} to ${start}`);
    filled = end;
  }
  if (filled < bytes) throw damaged(`no tensor holds bytes ${filled} to ${bytes}`);
}
