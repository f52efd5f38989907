import { channelsOf, elementsOf } from "../../../graph/shape.ts";
import {
  type ExecutionOrder,
  executionOrder,
  type Operation,
  type StoredValue,
} from "../../../memory/execution-order.ts";
import type { RunRecord } from "../../../runs/record.ts";
import { type Box, boxesOf } from "../network/boxes.ts";

/** How many bits an element of an activation takes where it is stored, given those that it has. */
type Storage = (bits: number) => number;

/** How a network's memory is counted: at the bits that it has, in whole bytes, or in float32 and unpruned. */
const storages = {
  packed: { storage: (bits) => bits, pruned: true },
  bytes: { storage: (bits) => Math.max(bits, 8), pruned: true },
  float32: { storage: () => 32, pruned: false },
} as const satisfies Record<string, { readonly storage: Storage; readonly pruned: boolean }>;

export type ActivationMemory = { readonly [Name in keyof typeof storages]: ExecutionOrder };

/**
 * The memory that the activations of one image take in the best order of execution, in bytes. An operation is a box of the
 * network's picture with all that follows it before the next: bias, normalization, ReLU and quantizer are part of it, and
 * its outputs are written as they are read, so that raw sums take 32 bits. Null where the record has no graph.
 */
export function activationMemory(record: RunRecord): ActivationMemory | null {
  if (record.network.graph === undefined) return null;
  const boxes = boxesOf(record);
  const of = ({ storage, pruned }: (typeof storages)[keyof typeof storages]) =>
    executionOrder(operationsOf(boxes, storage, pruned ? keptChannels(boxes) : new Map()));
  return { packed: of(storages.packed), bytes: of(storages.bytes), float32: of(storages.float32) };
}

function operationsOf(
  boxes: readonly Box[],
  storage: Storage,
  kept: ReadonlyMap<string, number>,
): readonly Operation[] {
  const bits = new Map<string, Map<string, number>>();
  for (const { wires } of boxes)
    for (const wire of wires) {
      const values = bits.get(wire.from) ?? new Map<string, number>();
      bits.set(wire.from, values.set(wire.value, Math.max(values.get(wire.value) ?? 0, wire.bits ?? 32)));
    }
  return boxes.map((box) => {
    // What nothing reads is the network's output: sums, as the last layer leaves them.
    const values = bits.get(box.id) ?? new Map([[box.id, 32]]);
    const elements = elementsLeft(box, kept.get(box.id));
    return {
      id: box.id,
      reads: box.wires.map(({ value }) => value),
      writes: Array.from(
        values,
        ([id, width]): StoredValue => ({ id, bytes: Math.ceil((elements * storage(width)) / 8) }),
      ),
    };
  });
}

function elementsLeft({ shape }: Box, kept: number | undefined): number {
  const channels = channelsOf(shape);
  return (elementsOf(shape) / channels) * (kept ?? channels);
}

/**
 * Channels that are left of what each box gives: of a layer those that export keeps; of a sum all that one of its addends
 * has, side by side those of all, and elsewhere those of the input, beside channels that were added, as by padding.
 */
export function keptChannels(boxes: readonly Box[]): ReadonlyMap<string, number> {
  const kept = new Map<string, number>();
  const channels = new Map(boxes.map(({ id, shape }) => [id, channelsOf(shape)]));
  for (const { id, state, wires } of boxes) {
    const own = channels.get(id) ?? 1;
    const read = wires.map(({ from }) => ({ kept: kept.get(from) ?? 0, of: channels.get(from) ?? 0 }));
    const sum = read.reduce((total, one) => ({ kept: total.kept + one.kept, of: total.of + one.of }), {
      kept: 0,
      of: 0,
    });
    const isSum = read.length > 1 && sum.of !== own;
    kept.set(id, state ? (state.kept ?? state.outputs) : isSum ? mostKept(read, own) : own - sum.of + sum.kept);
  }
  return kept;
}

/** Of what has as many channels as a sum or a mean; others, as tokens, are read for something else. */
function mostKept(read: readonly { readonly kept: number; readonly of: number }[], own: number): number {
  const alike = read.filter((one) => one.of === own).map((one) => one.kept);
  return alike.length === 0 ? own : Math.max(...alike);
}
