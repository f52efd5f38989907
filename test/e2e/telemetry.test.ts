import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { npy, npyLabels, npz } from "../fixtures/npy.ts";
import { encodePlain, type PlainNode, type PlainTensor } from "../fixtures/onnx/plain-model.ts";

// `npm run test:telemetry` sets it: sessions that live for long enough that the collector would be looked up, after five to
// ten seconds. Without it they are short: the database would be written all the same.
const LONG = process.env.BAYESIAN_BITS_LONG_SESSIONS === "1" ? 12 : 0;

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const required = process.env.BAYESIAN_BITS_REQUIRE_STRACE === "1";
const skip = !hasStrace && !required && "strace, which tells of sockets and files, is missing";

const [CHANNELS, CLASSES] = [256, 4];
const filter = (name: string, dims: readonly number[]): PlainTensor => {
  const values = Float32Array.from({ length: dims.reduce((product, size) => product * size) }, (_, at) => (at % 7) - 3);
  return { name, dims, dataType: 1, rawData: new Uint8Array(values.buffer) };
};
const conv = (input: string, weight: string, output: string): PlainNode => ({
  opType: "Conv",
  ...{ input: [input, weight], output: [output] },
  attribute: [{ name: "pads", type: 7, ints: [1, 1, 1, 1] }],
});

/** A slow classifier of gray images in 28 x 28 pixels, and as many images; a configuration that names them. */
function slowFile(folder: string, images: number): { readonly model: string; readonly data: string } {
  const [model, data, pixels] = ["slow.onnx", "data.yaml", "images.npz"].map((name) => join(folder, name)) as [
    ...[string, string, string],
  ];
  const file = encodePlain({
    opset: 17,
    nodes: [
      conv("x", "first", "a"),
      conv("a", "second", "b"),
      conv("b", "third", "c"),
      { opType: "GlobalAveragePool", input: ["c"], output: ["d"] },
      { opType: "Flatten", input: ["d"], output: ["y"] },
    ],
    tensors: [
      filter("first", [CHANNELS, 1, 3, 3]),
      filter("second", [CHANNELS, CHANNELS, 3, 3]),
      filter("third", [CLASSES, CHANNELS, 3, 3]),
    ],
    inputs: [{ name: "x", shape: ["n", 1, 28, 28] }],
    outputs: [{ name: "y" }],
  });
  writeFileSync(model, file);
  const arrays = {
    images: npy("|u1", [images, 28, 28, 1], new Uint8Array(images * 784)),
    labels: npyLabels(images, CLASSES),
  };
  writeFileSync(pixels, npz(arrays));
  writeFileSync(
    data,
    JSON.stringify({
      data: { name: "npz", train: pixels, test: pixels, batchSize: 32, normalization: { mean: [0], deviation: [1] } },
    }),
  );
  return { model, data };
}

interface Traced {
  /** From when the model was opened on. */
  readonly seconds: number;
  /** Sockets other than to this machine, by their calls. */
  readonly sockets: readonly string[];
  /** What lies in the home that was empty. */
  readonly left: readonly string[];
  /** Files that were opened for writing, made, or given other names. */
  readonly written: readonly string[];
}

/** Calls that make sockets, look for somebody, or change files. */
const calls = [
  ...["socket", "connect", "sendto", "sendmsg", "open", "openat", "openat2", "creat", "mkdir", "mkdirat"],
  ...["rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mknod", "mknodat", "unlink"],
];

/** What a program does with an empty home. */
function trace(folder: string, model: string, program: readonly string[]): Traced {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const log = join(folder, "trace");
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  const { status, stderr } = spawnSync(
    "strace",
    [
      ...["-f", "--seccomp-bpf", "-ttt", "-s", "300", "-e", `trace=${calls.join()}`, "-o", log],
      // With which the test runner would follow the program, and write.
      ...["-E", "NODE_OPTIONS", process.execPath, ...program],
    ],
    {
      encoding: "utf8",
      env: { ...env, HOME: home, XDG_CACHE_HOME: join(home, "cache") },
    },
  );
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
  const lines = readFileSync(log, "utf8").split("\n").filter(Boolean);
  const timeOf = (line: string) => Number(/^\d+ +([\d.]+)/.exec(line)?.[1]);
  const opened = lines.find((line) => line.includes(model)) ?? "";
  return {
    seconds: timeOf(lines.at(-1) ?? "") - timeOf(opened),
    left: readdirSync(home, { recursive: true, encoding: "utf8" }),
    sockets: lines.filter((line) => /(socket\(AF_|sa_family=AF_)(?!UNIX|UNSPEC)/.test(line)),
    written: lines.filter((line) => /O_WRONLY|O_RDWR|O_CREAT|creat\(|mkdir|rename|link|mknod/.test(line)),
  };
}

/** Of those lines that begin with a call and its process, the files; what every program of Node opens is left out. */
const own = (lines: readonly string[]): readonly string[] => lines.filter((line) => !/"\/dev\/(null|tty)"/.test(line));

const programs = {
  "the command evaluate": (_: string, model: string, data: string) => [
    ...["dist/main.js", "evaluate", model, "--data", data],
  ],
  "the library": (folder: string, model: string, data: string) => {
    const program = join(folder, "program.mjs");
    writeFileSync(
      program,
      `import { readFileSync } from "node:fs";
      import { evaluateOnnx } from ${JSON.stringify(resolve("dist/index.js"))};
      const { data } = JSON.parse(readFileSync(${JSON.stringify(data)}, "utf8"));
      await evaluateOnnx(${JSON.stringify(model)}, { data });`,
    );
    return [program];
  },
};

for (const [what, program] of Object.entries(programs)) {
  t.test(`${what} opens no socket to anywhere and writes no file`, { skip, timeout: 300_000 }, async (t) => {
    const folder = t.testdir();
    for (let images = 8, seconds = 0; ; images = Math.ceil((1.2 * images * LONG) / seconds)) {
      const { model, data } = slowFile(folder, images);
      const traced = trace(folder, model, program(folder, model, data));
      t.strictSame(traced.sockets, [], "sockets");
      t.strictSame(traced.left, [], "nothing is left");
      t.strictSame(own(traced.written), [], "files");
      seconds = traced.seconds;
      if (seconds < LONG) continue;
      t.comment(`${images} images, ${seconds.toFixed(1)} s`);
      return;
    }
  });
}
