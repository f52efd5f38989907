// The direction of imports: a folder may import the folders before it in this list, never one after it.
const order = [
  "core", "onnx", "config", "quantization", "engine", "graph", "kinds", "network", "data", "tasks", "runs",
  "quantizers", "methods", "training", "memory", "export", "ptq", "report", "runner", "preview", "live", "sweep", "commands",
];

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...order.slice(0, -1).map((folder, index) => ({
      name: `${folder}-imports-only-what-comes-before-it`,
      severity: "error",
      from: { path: `^src/${folder}/` },
      to: { path: `^src/(${order.slice(index + 1).join("|")}|main\\.ts|index\\.ts)` },
    })),
    {
      name: "configuration-without-tensorflow",
      severity: "error",
      from: { path: "^src/(core|config|quantization)/" },
      to: { path: "@tensorflow" },
    },
    {
      name: "the-browser-takes-from-nowhere-else",
      severity: "error",
      from: { path: "^src/report/browser/" },
      to: { pathNot: "^src/report/browser/" },
    },
    ...["browser", "page", "charts", "run", "comparison"].map((folder, index, folders) => ({
      name: `report-${folder}-imports-only-what-comes-before-it`,
      severity: "error",
      from: { path: `^src/report/${folder}/` },
      to: { path: `^src/report/(${[...folders, "quantized"].slice(index + 1).join("|")})/` },
    })),
    {
      name: "onnxruntime-without-its-telemetry",
      severity: "error",
      from: { pathNot: "^src/core/onnx-runtime\\.ts$" },
      to: { path: "onnxruntime-node", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "only-main-starts-the-program",
      severity: "error",
      from: { path: "^src/(?!main\\.ts)" },
      to: { path: "^src/main\\.ts" },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" }, doNotFollow: { path: "node_modules" } },
};
