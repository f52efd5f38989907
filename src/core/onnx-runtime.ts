import { createRequire } from "node:module";

// onnxruntime collects telemetry: a database under the cache folder, and a connection to its collector once a session has
// lived for some seconds. It reads this variable when it is loaded, so nothing else may load it (docs/export.md, "No
// telemetry").
process.env.ORT_DISABLE_TELEMETRY = "1";

/** onnxruntime for Node, loaded with its telemetry switched off. */
export const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");
