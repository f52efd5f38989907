import { createHash } from "node:crypto";
import { type ExportForm, onnxForms, type Saturation } from "../config/sections/export-settings.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import type { ByteBatch } from "../data/dataset.ts";
import type { ExportRecord } from "../runs/record.ts";
import { bitsFile } from "./bits-file.ts";
import { canVerify, exportForm } from "./export-forms.ts";
import type { FrozenNetwork } from "./frozen-network.ts";
import { LATENCY_SECONDS, type Latency, measureLatency, type Timed } from "./latency.ts";
import { lower } from "./onnx/lower.ts";
import { defaultSaturation } from "./onnx/saturation.ts";
import { batchOf, type TestImages } from "./test-batches.ts";
import type { VerifyOptions } from "./verify.ts";
import { writeVerified } from "./write-verified.ts";

export interface ExportOptions extends Omit<VerifyOptions, "readFrom" | "lowered"> {
  readonly form: ExportForm;
  /** Goes into the file's own metadata, beside name, class names and bits per tensor. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of weights of 8 bits in integer kernels of onnxruntime; "allow" if left out, where this machine's do not saturate. */
  readonly saturation?: Saturation | undefined;
  /** The network in float32 and with all its channels, to compare latency with; not measured if left out. */
  readonly unpruned?: FrozenNetwork | undefined;
  /** Seconds for that; 4 if left out; false: not measured. */
  readonly latency?: number | false | undefined;
  /** Whether a form whose runtime is not here may be written all the same. */
  readonly unverified?: boolean | undefined;
  /** Where the table of tensors for hardware goes; not written if left out. */
  readonly bits?: string | undefined;
}

/**
 * Exports a frozen network: lowered, written, run over the whole test set in the form's runtime, and given its final
 * name only when it agrees with the trainer.
 *
 * @throws UserError when the file cannot be written or disagrees; nothing stands under the final name then.
 */
export async function exportFile(options: ExportOptions): Promise<ExportRecord> {
  const { form, metadata, file, network, input, bits } = options;
  const saturation = options.saturation ?? (await defaultSaturation());
  const verifies = canVerify(form, options);
  const exported = exportForm(network, form, { input, saturation, metadata });
  const { bytes, opset } = exported;
  const verification = await writeVerified(file, bytes, async (written) => {
    const verified = verifies ? await exported.verify({ ...options, readFrom: written }) : null;
    const latency = await latencyOf(options, bytes);
    // Before the model has its name: when this fails, no model stands there that the record knows nothing of.
    if (bits !== undefined) writeFileAtomically(bits, `${JSON.stringify(bitsFile(network), null, 2)}\n`);
    return latency === null || verified === null ? verified : { ...verified, latency };
  });
  return {
    form,
    input,
    file,
    bytes: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    ...(opset !== undefined && { opset }),
    notes: [...exported.notes],
    verification,
  };
}

/** Null where none is wanted, where there is nothing to measure against, or the runtime has no Quant nodes. */
async function latencyOf(options: ExportOptions, bytes: Uint8Array): Promise<Latency[] | null> {
  const { unpruned, latency = LATENCY_SECONDS, form, input, test, file, threads } = options;
  if (unpruned === undefined || latency === false || !isTimed(form) || input === "int8") return null;
  const first = await firstImages(test);
  if (first === null) return null;
  const images: Timed["images"] = (count) => {
    const { forFile, shape } = batchOf(repeated(first, count), options);
    return { values: forFile, shape };
  };
  const fp32 = lower(unpruned, "fp32", { input, metadata: {} }).bytes;
  return measureLatency({ file, threads, seconds: latency }, { bytes, images }, { bytes: fp32, images });
}

/** As many as `count` of a batch's images, each several times where it has fewer. */
function repeated({ images, count: there }: ByteBatch, count: number): Pick<ByteBatch, "images" | "count"> {
  const size = images.length / there;
  return { count, images: new Uint8Array(count * size).map((_, at) => images[at % images.length]!) };
}

/** Forms that onnxruntime runs as they are. */
const isTimed = (form: ExportForm): boolean => onnxForms.some((one) => one === form && one !== "qonnx");

/** The first batch in which an image could be read. */
async function firstImages(test: TestImages): Promise<ByteBatch | null> {
  for await (const batch of test.batches({ batchSize: 32 })) if (batch.count > 0) return batch;
  return null;
}
