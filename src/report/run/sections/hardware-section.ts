import type { ExecutionOrder } from "../../../memory/execution-order.ts";
import type { RunRecord, RunResult } from "../../../runs/record.ts";
import { bytes } from "../../page/format.ts";
import { foreign, type Markup, markup } from "../../page/markup.ts";
import { later, type Section } from "../../page/section.ts";
import { type Column, table } from "../../page/table.ts";
import { type ActivationMemory, activationMemory } from "../hardware/activation-memory.ts";
import { type Flash, flashOf, flashTotal, floatFlash } from "../hardware/flash.ts";
import { floatParts } from "../hardware/float-parts.ts";

/** What the network takes on hardware that has little: flash, memory for activations, and whether it is integers alone. */
export function hardwareSection(record: RunRecord): Section {
  const { result } = record;
  return {
    id: "hardware",
    title: "On small hardware",
    body: result ? needs(record, result) : later("What the network takes is counted when the run ends."),
  };
}

interface Row {
  readonly what: string;
  readonly packed: number;
  readonly bytes: number;
  readonly float32: number;
}

function needs(record: RunRecord, result: RunResult): Markup {
  const flash = {
    packed: flashOf(record, result, "packed"),
    bytes: flashOf(record, result, "bytes"),
    float32: floatFlash(record),
  };
  const activations = activationMemory(record);
  const row = (what: string, of: (flash: Flash) => number): Row => ({
    what,
    packed: of(flash.packed),
    bytes: of(flash.bytes),
    float32: of(flash.float32),
  });
  const column = (title: string, value: (row: Row) => number): Column<Row> => ({
    title,
    kind: "number",
    value,
    show: (row) => bytes(value(row)),
  });
  return markup`<p><strong>${bytes(flashTotal(flash.packed))} of flash${activations && `, ${bytes(activations.packed.peak)} of memory for activations`}</strong>, bits packed${activations && markup`; most is in memory while ${foreign(activations.packed.at, 60)} runs`}.</p>
${integers(record)}
${table<Row>({
  id: "hardware-table",
  caption: "Bytes for one image",
  columns: [
    { title: "Of", value: ({ what }) => what },
    column("Bits packed", ({ packed }) => packed),
    column("Whole bytes", ({ bytes }) => bytes),
    column("Float32, unpruned", ({ float32 }) => float32),
  ],
  rows: [
    row("Weights", ({ weights }) => weights),
    row("Biases", ({ biases }) => biases),
    row("Scales", ({ scales }) => scales),
    row("Flash in all", flashTotal),
    ...(activations ? [activationRow(activations)] : []),
  ],
})}
<p class="note">${activations ? memoryNote(activations) : "This run’s record has no graph of the network, from which memory for activations could be counted."} Without the program, its kernels and what a runtime keeps for itself. Whole bytes: what kernels for microcontrollers mostly store, at least 8 bits for each number.</p>`;
}

const activationRow = ({ packed, bytes, float32 }: ActivationMemory): Row => ({
  what: "Activations at their peak",
  packed: packed.peak,
  bytes: bytes.peak,
  float32: float32.peak,
});

const isProven = ({ peak, bound }: ExecutionOrder): boolean => peak === bound;

function memoryNote(memory: ActivationMemory): string {
  const open = Object.values(memory).filter((one) => !isProven(one));
  const order =
    open.length === 0
      ? "in the order of execution that needs least: no order needs less"
      : `in the best order of execution that was found: no order needs less than ${bytes(Math.min(...open.map(({ bound }) => bound)))}`;
  return `Activations are counted ${order}. Each layer is computed with its bias, ReLU and quantizer, nothing in place; sums that are read before they are quantized take 32 bits.`;
}

function integers(record: RunRecord): Markup {
  const parts = floatParts(record);
  return parts.length === 0
    ? markup`<p><strong>Integers alone: yes.</strong> Every weight, and every activation that is read, is a code of 16 bits or less.</p>`
    : markup`<p><strong>Integers alone: no.</strong> In float32: ${foreign(parts.join("; "), 400)}.</p>`;
}
