import { z } from "zod";
import { UserError } from "../core/errors.ts";

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

/** Largest header that is read: a larger length is damage. */
const MAX_HEADER = 256 * 1024 * 1024;

/**
 * Writes tensors in the safetensors layout: the header's length (8 bytes, little-endian), a JSON header with each
 * tensor's type, shape and byte range, then the data.
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
 * Reads what {@link encodeSafetensors} writes.
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
    json = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  } catch {
    throw damaged("the header at byte 8 is not JSON");
  }
  const parsed = header.safeParse(json);
  if (!parsed.success) throw damaged(`the header does not describe tensors: ${parsed.error.issues[0]?.path.join(".")}`);
  const { __metadata__: metadata, ...entries } = parsed.data;
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, StoredTensor>();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [start, end],
    },
  ] of Object.entries(entries)) {
    const Type = types[dtype];
    const elements = shape.reduce((total, size) => total * size, 1);
    if (end > data.length || end - start !== elements * Type.BYTES_PER_ELEMENT)
      throw damaged(`tensor ${name} ends at byte ${end} of ${data.length}`);
    // A Buffer of a file is never shared.
    const copy = data.buffer.slice(data.byteOffset + start, data.byteOffset + end) as ArrayBuffer;
    tensors.set(name, { shape, values: new Type(copy) });
  }
  return { tensors, metadata };
}
