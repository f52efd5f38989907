import {
  codebookProblem,
  type ExportForm,
  type ExportInput,
  exportForms,
  inputProblem,
  type OnnxForm,
} from "../config/sections/export-settings.ts";
import { UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import type { Verification } from "../runs/record.ts";
import { type FrozenNetwork, isFrozenLayer } from "./frozen-network.ts";
import { lower } from "./onnx/lower.ts";
import type { LowerOptions } from "./onnx/model-frame.ts";
import { opsetOf, readModel } from "./onnx/read-model.ts";
import { bytesOfArray, cArray } from "./tflite/c-array.ts";
import { liteRtMissing } from "./tflite/litert.ts";
import { lowerTflite } from "./tflite/lower-tflite.ts";
import { verifyTflite } from "./tflite/verify-tflite.ts";
import { readBytes, type VerifyOptions, verify } from "./verify.ts";

/** A network in one form of file. */
interface Exported {
  /** Of the file. */
  readonly bytes: Uint8Array;
  /** What the user should know of it: what was widened, what moved. */
  readonly notes: readonly string[];
  /** The operator set of an ONNX file. */
  readonly opset?: number;
  /** Reads the file that was written, and compares it with the trainer. */
  verify(options: Omit<VerifyOptions, "lowered">): Promise<Verification>;
}

interface FormOptions extends Omit<LowerOptions, "input"> {
  readonly input: ExportInput;
}

interface FileForm {
  /** Why its runtime is not here; null where it is. */
  missing(): string | null;
  /** @throws UserError where its files do not take such images. */
  export(network: FrozenNetwork, options: FormOptions): Exported;
}

const onnx = (form: OnnxForm): FileForm => ({
  missing: () => null,
  export(network, { input, ...options }) {
    if (input === "int8") throw new UserError(`cannot export ${form}: ${inputProblem(form, input)}`);
    const lowered = lower(network, form, { ...options, input });
    const { bytes, notes } = lowered;
    return {
      bytes,
      notes,
      opset: opsetOf(readModel(bytes, form)),
      verify: (verified) => verify({ ...verified, lowered }),
    };
  },
});

const tflite: FileForm = {
  missing: liteRtMissing,
  export(network, options) {
    const lowered = lowerTflite(network, options);
    const { bytes, notes } = lowered;
    return {
      bytes,
      notes,
      verify: ({ readFrom, ...verified }) =>
        verifyTflite(readBytes(readFrom ?? verified.file), { ...verified, lowered }),
    };
  },
};

const array: FileForm = {
  missing: liteRtMissing,
  export(network, options) {
    const lowered = lowerTflite(network, options);
    return {
      bytes: cArray(network, lowered, options),
      notes: lowered.notes,
      verify: ({ readFrom, ...verified }) => {
        const { file } = verified;
        return verifyTflite(bytesOfArray(readBytes(readFrom ?? file), file), { ...verified, lowered });
      },
    };
  },
};

/** How each form of file is written and verified. */
const forms: Readonly<Record<ExportForm, FileForm>> = {
  compact: onnx("compact"),
  packed: onnx("packed"),
  int8: onnx("int8"),
  nbits: onnx("nbits"),
  fp32: onnx("fp32"),
  qonnx: onnx("qonnx"),
  tflite,
  "c-array": array,
};

/**
 * A network in one form of file.
 *
 * @throws UserError where files of that form cannot hold its weights, or do not take such images.
 */
export function exportForm(network: FrozenNetwork, form: ExportForm, options: FormOptions): Exported {
  const problem = hasCodebooks(network) ? codebookProblem(form) : null;
  if (problem !== null) throw new UserError(`cannot export ${form}: ${problem}`);
  return forms[form].export(network, options);
}

const hasCodebooks = ({ nodes }: FrozenNetwork): boolean =>
  nodes.some((node) => isFrozenLayer(node) && node.weight.bits === 32 && node.weight.codebook !== undefined);

/**
 * Whether files of a form can be verified here.
 *
 * @throws UserError when they cannot, and nobody has said that they may be written all the same.
 */
export function canVerify(
  form: ExportForm,
  { unverified = false }: { readonly unverified?: boolean | undefined },
): boolean {
  const missing = forms[form].missing();
  if (missing !== null && !unverified)
    throw new UserError(`cannot export ${form}: ${missing}; or write it --unverified`);
  return missing === null;
}

/** Every form, the run's own first; without those whose runtime is not here, which are named, unless they may be unverified. */
export function allForms(
  own: ExportForm,
  {
    unverified = false,
    codebooks,
    reporter,
  }: { readonly unverified?: boolean | undefined; readonly codebooks: boolean; readonly reporter: Reporter },
): readonly ExportForm[] {
  return [own, ...exportForms.filter((form) => form !== own)].filter((form) => {
    const problem = codebooks ? codebookProblem(form) : null;
    if (problem !== null) {
      reporter.warn(`no file of form ${form}: ${problem}`);
      return false;
    }
    const missing = forms[form].missing();
    if (missing === null || unverified) return true;
    reporter.warn(`no file of form ${form}: ${missing}; or write it --unverified`);
    return false;
  });
}
