import { idxBytes } from "../fixtures/idx.ts";
import { npy } from "../fixtures/npy.ts";
import {
  arrays,
  CONFIG_SIZE,
  deepRecord,
  emptyItems,
  filled,
  filledConfig,
  grid,
  gzipZeros,
  header,
  jsonBombs,
  nested,
  none,
  numberedConfig,
  overlapping,
  passes,
  png,
  SIZE,
  signed,
  state,
  tensors,
  text,
  zipZeros,
} from "./bomb-makers.ts";
import type { Bombs } from "./fuzzed-parser.ts";

/**
 * Inputs of less than 1 MB, by parser, that ask for gigabytes, minutes or megabytes of messages. Wheels (`zip`) and packages have
 * none: only those with a pinned hash are unpacked.
 */
export const bombsBySize: Readonly<Record<string, Bombs>> = {
  "idx-images": {
    "a gigabyte of zeros, packed": () => gzipZeros(idxBytes([1_300_000, 28, 28], none), 1_300_000 * 784),
    "more than announced": () => gzipZeros(idxBytes([1, 28, 28], none), 2 ** 29),
    "one image of a gigabyte": () => gzipZeros(idxBytes([1, 32_000, 32_000], none), 32_000 * 32_000),
  },
  "idx-labels": {
    "a gigabyte of zeros, packed": () => gzipZeros(idxBytes([1_000_000_000], none), 1_000_000_000),
    "as many as may be": () => gzipZeros(idxBytes([260_000_000], none), 260_000_000),
  },
  npz: {
    "images of half a gigabyte": () => arrays([10_000, 128, 128, 3]),
    "images that may be": () => arrays([2600, 128, 128, 3]),
    "images of one element": () => arrays([130_000_000, 1, 1, 1]),
    "as many images of one element as may be": () => arrays([7_000_000, 1, 1, 1]),
    "labels alone": () => arrays([1, 1, 1, 1], [260_000_000]),
    "an array in a thousand directories": () =>
      zipZeros(
        Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`${i}.npy`, { start: none as Buffer, zeros: 0 }])),
      ),
  },
  "npy-header": {
    "a shape of a thousand axes": () => header("|u1", new Array(15_000).fill(1)),
    digits: () => npy("|u1", [1], none, (line) => line.replace("(1,)", `(${"9".repeat(60_000)},)`)),
    spaces: () => npy("|u1", [1], none, (line) => line.replace("(1,)", `(${" ,".repeat(30_000)}`)),
    names: () => npy("|u1", [1], none, () => "'descr':".repeat(8000)),
  },
  image: {
    "a large picture": () => png(8192, 8192),
    "a picture beyond all measure": () => png(16_000, 16_000),
    "a wide picture": () => png(2 ** 20, 300),
    "a large picture in passes": () => png(8192, 8192, { interlaced: true }),
    "a large photograph in passes": () => passes(8192),
  },
  mask: {
    "a large mask": () => png(8192, 8192, { gray: true }),
    "a mask beyond all measure": () => png(16_000, 16_000, { gray: true }),
  },
  "label-table": {
    "columns without end": () => text("a,".repeat(250_000)),
    "lines without end": () => text(`image,value\n${"a,1\n".repeat(200_000)}`),
    quotes: () => text('"'.repeat(500_000)),
  },
  "cifar-sheet": { "a sheet of many rows": () => png(1024, 200_000), "a square": () => png(16_000, 16_000) },
  "cifar-labels": jsonBombs(),
  config: {
    ...jsonBombs(CONFIG_SIZE),
    "flow in flow": () => filledConfig("[", "a: "),
    "mappings in mappings": () => text(Array.from({ length: 700 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")),
    "keys in keys": () => text(Array.from({ length: 700 }, (_, depth) => `${" ".repeat(depth)}?\n`).join("")),
    "a billion laughs": () =>
      text(
        Array.from(
          { length: 30 },
          (_, i) => `l${i}: &l${i} [${new Array(9).fill(i === 0 ? "lol" : `*l${i - 1}`).join()}]`,
        ).join("\n"),
      ),
    anchors: () => numberedConfig((i) => `k${i}: &a${i} 1`),
    "aliases of one anchor": () => filledConfig("*a,", "a: &a 1\nb: [", "*a]"),
    "aliases of aliases": () => numberedConfig((i) => `k${i + 1}: &k${i + 1} [*k${i}]`, "k0: &k0 1\n"),
    "mappings merged": () => filledConfig("*a,", "a: &a {b: 1}\nc:\n <<: [", "*a]"),
    "unknown keys": () => numberedConfig((i) => `training.k${i}: 1`),
    "unknown keys of one section": () => numberedConfig((i) => ` k${i}: 1`, "training:\n"),
    "long keys": () => numberedConfig((i) => `${"k".repeat(1000)}${i}: 1`),
    "one key without end": () => filledConfig("k", "", ": 1"),
    "a number without end": () => filledConfig("9", "seed: "),
    "an exponent without end": () => filledConfig("9", "seed: 1e"),
    "runs that are none": () => filledConfig("{},", "sweep: { list: [", "{}] }"),
    "a section of nothings": () => filledConfig("{},", "data: [", "{}]"),
    colons: () => filledConfig(": "),
    dashes: () => filledConfig("- "),
    commas: () => filledConfig(",", "a: [", "]"),
    "closing brackets": () => filledConfig("]"),
    quotes: () => filledConfig('"'),
    "open quotes, line by line": () => filledConfig('"\n', "a: ["),
    "apostrophes, line by line": () => filledConfig("'a\n"),
    "keys of open quotes": () => filledConfig('a: "\n'),
    "quotes in a list": () => filledConfig('"', "a: ["),
    "lines that go on": () => filledConfig("\\\n", 'a: "b\n', ' "'),
    "escapes that are none": () => filledConfig("\\q", 'a: "', '"'),
    "texts of no lines": () => filledConfig("|\n", "a: "),
    "lines of nothing": () => filledConfig("\n"),
    "lines of nothing in a text": () => filledConfig("\n", "a: |\n b"),
    spaces: () => filledConfig(" ", "a: b", "b"),
    tabs: () => filledConfig("\t\n", "a:\n"),
    "tabs of indentation": () => filledConfig("\ta: b\n"),
    documents: () => filledConfig("---\n"),
    directives: () => filledConfig("%YAML 1.2\n"),
    tags: () => filledConfig("!a ", "a: "),
    "anchors of nothing": () => filledConfig("&a\n"),
    "larger than may be": () => filled("#\n"),
  },
  setting: {
    "a deep path": () => text(`${"a.".repeat(60_000)}a=1`),
    "a deep value": () => text(`training=${"[".repeat(100_000)}`),
    "a wide value": () => text(`training={${Array.from({ length: 15_000 }, (_, i) => `k${i}: 1`).join()}}`),
    "a long value": () => filled("x", "name="),
    quotes: () => filled('"', "name=", "", 2 ** 17),
  },
  sweep: {
    "a grid beyond all numbers": () => grid(6, 25_000),
    "a long grid": () => grid(1, 100_000),
    "a square": () => grid(2, 300),
    "as many draws": () =>
      text(JSON.stringify({ sweep: { random: { count: 1e15, settings: { seed: { int: [1, 9] } } } } })),
    "a list of runs": () => filledConfig('{"seed":1},', '{"sweep":{"list":[', '{"seed":1}]}}'),
    brackets: () => text(`sweep: ${nested("[", "]", CONFIG_SIZE - 8)}`),
  },
  "sweep-state": {
    ...jsonBombs(),
    "runs that are none": () =>
      filled(
        "{},",
        '{"format":"bayesian-bits-sweep","version":1,"name":"s","runner":"local","jobs":[],"runs":[',
        "{}]}",
      ),
    "jobs that are none": () =>
      filled(
        "{},",
        '{"format":"bayesian-bits-sweep","version":1,"name":"s","runner":"local","runs":[],"jobs":[',
        "{}]}",
      ),
  },
  record: {
    ...jsonBombs(),
    "a deep configuration": () => text(deepRecord()),
    "epochs that are none": () => emptyItems("epochs"),
    "epochs that are none, of the first version": () =>
      text(
        emptyItems("epochs")
          .toString()
          .replace(/"version":\d+/, '"version":1'),
      ),
    "environments that are none": () => emptyItems("laterEnvironments"),
    "quantizers that are none": () => emptyItems("quantizers"),
    "exports that are none": () => emptyItems("exports"),
    "layers that are none": () => emptyItems("network", { before: '{"layers":[', after: "{}]}" }),
    "metrics that are none": () => emptyItems("task", { before: '{"metrics":[', after: "{}]}" }),
    "times that are none": () => emptyItems("times", { before: '{"epochSeconds":[', part: '"",', after: '""]}' }),
    "what quantizers that are none have learned": () => {
      const learned = Array.from({ length: 80_000 }, (_, id) => `"${id}":{}`).join();
      return emptyItems("postTraining", { before: `{"quantizers":{${learned}`, part: " ", after: "}}" });
    },
  },
  "epoch-log": {
    "lines of nothing": () => filled("{}\n"),
    "epochs that are none": () => filled('{"epoch":{}}\n'),
    "lines that are none": () => filled("\n"),
    brackets: () => text(nested("[", "]")),
  },
  "image-log": {
    "lines of nothing": () => filled("{}\n"),
    "images without end": () => filled(`{"name":"","bytes":0,"sha256":"${"0".repeat(64)}"}\n`),
    "images that are none": () => filled('{"name":""}\n'),
    brackets: () => text(nested("[", "]")),
  },
  "quantize-progress": {
    "lines of nothing": () => filled("{}\n"),
    brackets: () => text(nested("[", "]")),
    "a long line": () => filled("\\u0000", '{"key":"', '","value":1}\n'),
  },
  safetensors: {
    "tensors of the same bytes": overlapping,
    "a shape of many axes": () =>
      tensors(`{"a":{"dtype":"F32","shape":[${"1,".repeat(400_000)}1],"data_offsets":[0,4]}}`, 4),
    "a header of brackets": () => tensors(nested("[", "]"), 0),
    "tensors of nothing": () =>
      tensors(
        `{${Array.from({ length: 14_000 }, (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join()}}`,
        0,
      ),
    "names that are none": () => tensors(`{${Array.from({ length: 80_000 }, (_, i) => `"${i}":1`).join()}}`, 0),
  },
  checkpoint: { "a state of brackets": () => signed(text(nested("[", "]"))) },
  "checkpoint-state": {
    "epochs that are none": () => state(emptyItems("epochs", { room: SIZE - 100 }).toString()),
    "a deep record": () => state(deepRecord()),
    brackets: () => text(nested("[", "]")),
  },
  lock: jsonBombs(),
};
