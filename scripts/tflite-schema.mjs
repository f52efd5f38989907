// Makes src/export/tflite/generated/tflite_generated.ts of the schema beside it, with flatc (Debian: flatbuffers-compiler).
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const folder = "src/export/tflite/generated";
const file = `${folder}/tflite_generated.ts`;

execFileSync("flatc", ["--ts", "--ts-flat-files", "-o", folder, `${folder}/tflite.fbs`], { stdio: "inherit" });
const version = execFileSync("flatc", ["--version"], { encoding: "utf8" }).trim();
const header = `// The TensorFlow Lite file format is by The TensorFlow Authors, under the Apache License, Version 2.0.
// Made by ${version} of tflite.fbs; its style is not ours.
// @ts-nocheck
`;
writeFileSync(file, header + readFileSync(file, "utf8"));
