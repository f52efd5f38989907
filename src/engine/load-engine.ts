import { dirname } from "node:path";
import { messageOf, UserError } from "../core/errors.ts";
import type { Reporter } from "../core/progress.ts";
import { setUpCommand } from "../core/set-up-command.ts";
import { defaultThreads, hasBfloat16 } from "./environment.ts";
import { loadBinding } from "./native/binding.ts";
import { createNativeOps } from "./native/native-ops.ts";
import type { Ops, Precision } from "./ops.ts";
import { markingLoad } from "./provision/load-marker.ts";
import { type EngineLocation, locateEngine } from "./provision/locate.ts";

export interface EngineInfo {
  readonly engine: "native" | "wasm";
  readonly tensorflow: string;
  readonly device: string;
  readonly threads: number;
  /** Why this engine and no other. */
  readonly reason: string;
}

export interface Engine {
  readonly ops: Ops;
  /** The same engine with convolutions and matrix products in a precision; float32 where it lacks the kernels. */
  atPrecision(precision: Precision): Ops;
  readonly info: EngineInfo;
}

/**
 * Loads the engine that is there; fetches nothing.
 *
 * @throws UserError when `native` is asked for and cannot be had.
 */
export async function loadEngine({
  kind = "auto",
  threads = defaultThreads(),
  reporter,
  locate = locateEngine,
}: {
  kind?: "auto" | "native" | "wasm";
  threads?: number;
  reporter?: Reporter;
  /** Finds the native engine; tests bring their own. */
  locate?: () => EngineLocation;
} = {}): Promise<Engine> {
  const location = kind === "wasm" ? ({ kind: "wasm", reason: "engine.kind is wasm" } as const) : locate();
  if (location.kind === "native") {
    try {
      const binding = markingLoad(dirname(location.binding), () => loadBinding(location.binding, { threads }));
      const device = binding.isUsingGpuDevice() ? "gpu" : "cpu";
      const info = {
        engine: "native",
        tensorflow: binding.TF_Version,
        device,
        threads,
        reason: location.reason,
      } as const;
      const native = createNativeOps(binding);
      const atPrecision = (precision: Precision): Ops => {
        if (precision === "float32" || device === "gpu" || hasBfloat16()) return native.atPrecision(precision);
        reporter?.warn("this processor has no bfloat16 instructions: training in float32");
        return native.atPrecision("float32");
      };
      return { ops: atPrecision("float32"), atPrecision, info };
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(
        `cannot load the native engine ${location.binding}: ${messageOf(error)}; remove its folder and run ${setUpCommand()}`,
        { cause: error },
      );
    }
  }
  if (kind === "native") {
    throw new UserError(
      process.env.BAYESIAN_BITS_ENGINE === "wasm"
        ? `engine.kind is native, but BAYESIAN_BITS_ENGINE=wasm rules it out: unset it, and run ${setUpCommand()} if need be`
        : `engine.kind is native, but there is ${location.reason}`,
    );
  }
  reporter?.warn(`${location.reason}: using WebAssembly, which trains some 20 times slower`);
  const { createPortableOps, portableVersion } = await import("./portable/create-portable-ops.ts");
  const info = {
    engine: "wasm",
    tensorflow: portableVersion,
    device: "cpu",
    threads: 1,
    reason: location.reason,
  } as const;
  const ops = await createPortableOps();
  const atPrecision = (precision: Precision): Ops => {
    if (precision !== "float32") reporter?.warn("WebAssembly has no bfloat16: training in float32");
    return ops;
  };
  return { ops, atPrecision, info };
}
