import t from "tap";
import { type RunRecord, recordSchema } from "../../src/runs/record.ts";
import { sampleRecord } from "../fixtures/sample-record.ts";

type Path = readonly (string | number)[];
type Node = Record<string | number, unknown>;

/** A record with everything that a record can hold, of each list the first two items. */
function wholeRecord(): RunRecord {
  const shortened = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.slice(0, 2).map(shortened);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
  };
  const record = shortened(sampleRecord()) as RunRecord;
  const [epoch] = record.epochs as [RunRecord["epochs"][number]];
  const result = record.result!;
  const verification = record.exports[0]!.verification!;
  return {
    ...record,
    network: { ...record.network, file: { name: "model.onnx", bytes: 1, sha256: "0" } },
    epochs: [{ ...epoch, phase: "training", priorStrength: 0.1 }],
    postTraining: {
      images: 512,
      floatMetrics: { top1: 99 },
      bits: { "conv1.weight.quantizer": 3 },
      layers: [
        {
          name: "conv1",
          bits: 3,
          nearestError: 0.2,
          error: 0.1,
          flipped: 0.5,
          settled: 1,
          iterations: 1000,
          dead: false,
        },
      ],
      quantizers: epoch.quantizers,
    },
    result: {
      ...result,
      macs: { kept: 1.5, of: 2 },
      layers: result.layers.map((layer) => ({ ...layer, bopsAuthors: 1 })),
    },
    exports: [
      {
        ...record.exports[0]!,
        input: "uint8",
        verification: {
          ...verification,
          kernels: { integer: 3, float: ["conv1"] },
          layers: verification.layers.map((layer) => ({ ...layer, boundaryDistance: 0.1 })),
        },
      },
    ],
    times: { ...record.times, layerSeconds: [1] },
  };
}

const whole = wholeRecord();

/** All paths below a value: of lists the first item, of maps from names the first entry; settings are anything. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null || path[0] === "config") return [];
  const named = /^(quantizers|bits)$/.test(String(path.at(-1)));
  const keys = Array.isArray(value) ? [0] : Object.keys(value).slice(0, named ? 1 : undefined);
  return keys.flatMap((key) => [[...path, key], ...pathsOf((value as Node)[key], [...path, key])]);
}

const at = (path: Path): unknown => path.reduce<unknown>((node, key) => (node as Node)[key], whole);

/** Where the record is refused with another value at a path, or without one. */
function complaints(path: Path, value?: unknown): string[] {
  const changed = structuredClone(whole);
  const parent = path.slice(0, -1).reduce<unknown>((node, key) => (node as Node)[key], changed) as Node;
  if (value === undefined) delete parent[path.at(-1)!];
  else parent[path.at(-1)!] = value;
  return recordSchema.safeParse(changed).error?.issues.map((issue) => issue.path.join(".")) ?? [];
}

const paths = pathsOf(whole);
const fields = paths.filter((path) => typeof path.at(-1) === "string");
/** Without the numbers of lists: what is common to all items has one name. */
const nameOf = (path: Path) => path.filter((part) => typeof part === "string").join(".");
const names = (which: readonly Path[]) => [...new Set(which.map(nameOf))];
const isAccepted = (path: Path, value: unknown) => complaints(path, value).length === 0;

t.test("nothing of a record is lost in reading", async (t) => {
  t.strictSame(recordSchema.parse(whole), whole);
  t.ok(paths.length > 150, `${paths.length} places`);
});

t.test("what is of another kind is refused, with its place", async (t) => {
  for (const path of paths) {
    const kind = (value: unknown) => (Array.isArray(value) ? "list" : typeof value);
    const wrong = kind(at(path)) === "object" ? [] : {};
    t.ok(
      complaints(path, wrong).some((place) => place.startsWith(path.join("."))),
      path.join("."),
    );
  }
});

t.test("what a record of an earlier version lacks may be missing, all else may not", async (t) => {
  // A map may lack any of its names.
  const named = /quantizers\..*quantizer$|postTraining\.bits\./;
  t.strictSame(
    names(fields.filter((path) => path[0] !== "config" && isAccepted(path, undefined))).filter(
      (name) => !named.test(name),
    ),
    [
      "task.loss.chance",
      "data.normalization",
      "data.damaged",
      "network.file",
      "network.graph",
      "epochs.train.metrics.top1",
      "epochs.phase",
      "epochs.priorStrength",
      "result.layers.bopsAuthors",
      "result.macs",
      "findings.calibration",
      "findings.worst",
      "findings.float",
      "exports.opset",
      "exports.verification.layers.boundaryDistance",
      "exports.verification.latency",
      "exports.verification.kernels",
      "exports.input",
      "times.waitingForData",
      "times.layerSeconds",
      "analysis",
      "analysis.sensitivity",
      "postTraining",
    ],
  );
  const { normalization: _, damaged: __, ...data } = whole.data;
  const { file: ___, ...network } = whole.network;
  const { waitingForData: ____, ...times } = whole.times;
  t.match(recordSchema.parse({ ...whole, data, network, times }), {
    data: { normalization: null, damaged: [] },
    network: { file: null },
    times: { waitingForData: [] },
  });
});

t.test("counts, shares and percents have their bounds", async (t) => {
  const numbers = paths.filter((path) => typeof at(path) === "number" && path[0] !== "config");
  const accepting = (value: number) =>
    new Set(numbers.filter((path) => isAccepted(path, value)).map((path) => String(path.findLast(isName))));
  const [below, half, more, hundred, beyond] = [-1, 0.5, 7, 100, 100.5].map(accepting) as Set<string>[];
  const onlyIn = (one: Set<string>, other: Set<string>) => [...one].filter((name) => !other.has(name)).toSorted();
  t.strictSame([...below!].toSorted(), measures, "only measures may be negative");
  t.strictSame(onlyIn(half!, more!), shares);
  t.strictSame(
    onlyIn(hundred!, beyond!).filter((name) => half!.has(name)),
    percents,
  );
});

const isName = (part: string | number) => typeof part === "string";
const measures = [
  ...["bops", "bopsAuthors", "boundaryDistance", "chance", "complexity", "deviation", "epochSeconds", "error"],
  ...["fp32MedianMs", "gates", "keepProbability", "kept", "layerSeconds", "limit", "loss", "mean", "medianMs"],
  ...["nearestError", "priorStrength", "probabilities", "ranges", "relativeBops", "relativeBopsAuthors", "seconds"],
  ...["signalToNoise", "taskLoss", "value", "weights", "xMax"],
];
const shares = ["accuracy", "confidence", "expectedError", "flipped", "floatConfidence", "settled", "truthProbability"];
const percents = ["equalCodes", "share", "top1", "waitingForData"];

t.test("each word that a run writes is read", async (t) => {
  const words: readonly (readonly [path: Path, words: readonly unknown[]])[] = [
    [["status"], ["running", "stopped", "failed", "finished"]],
    [
      ["environment", "engine"],
      ["native", "wasm"],
    ],
    [
      ["network", "layers", 0, "kind"],
      ["conv2d", "depthwise-conv2d", "dense"],
    ],
    [
      ["quantizers", 0, "role"],
      ["weight", "activation"],
    ],
    [
      ["epochs", 0, "phase"],
      ["pretraining", "training", "settling", "fine-tuning"],
    ],
    [
      ["epochs", 0, "evaluation", "split"],
      ["test", "validation"],
    ],
    [
      ["analysis", "sensitivity", "from"],
      ["validation", "train"],
    ],
    [
      ["analysis", "sensitivity", "tensors", 0, "choices", 0, "bits"],
      [2, 4, 8, 16, 32],
    ],
    [
      ["exports", 0, "form"],
      ["compact", "packed", "int8", "nbits", "fp32", "qonnx", "tflite", "c-array"],
    ],
    [
      ["exports", 0, "input"],
      ["uint8", "float"],
    ],
    [
      ["result", "layers", 0, "weightBits"],
      [2, 3, 4, 8, 16, 32],
    ],
  ];
  for (const [path, all] of words) {
    t.strictSame(
      all.filter((word) => !isAccepted(path, word)),
      [],
      path.join("."),
    );
    for (const wrong of ["", "other", 5]) t.notOk(isAccepted(path, wrong), `${path.join(".")}: ${wrong}`);
  }
  for (const path of [["format"], ["version"]]) t.notOk(isAccepted(path, "other"), `${path}`);
});
