import { floatRounding } from "../compare-codes.ts";
import type { FileRuntime } from "../file-runtime.ts";
import { RuntimeModel, type RuntimeOptions, runtimeName } from "../runtime.ts";
import { encodeModelProto, type Model, withOutputs } from "./read-model.ts";

interface OnnxFileOptions extends RuntimeOptions {
  /** Its name in messages. */
  readonly file: string;
  /** What the runtime runs. */
  readonly model: Model;
  /** The same as bytes, where they are at hand. */
  readonly bytes?: Uint8Array | undefined;
}

/** An ONNX file in onnxruntime. */
export const onnxFile = ({ file, model, bytes, ...options }: OnnxFileOptions): FileRuntime => ({
  name: runtimeName,
  channelsLast: false,
  rounding: floatRounding,
  load: (shown) => {
    const runnable = shown.length > 0 ? withOutputs(model, shown, file) : (bytes ?? encodeModelProto(model));
    return RuntimeModel.load(runnable, file, options);
  },
});
