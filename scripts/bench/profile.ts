import type { Engine } from "../../src/engine/load-engine.ts";
import type { Ops } from "../../src/engine/ops.ts";
import type { Node } from "../../src/kinds/index.ts";
import { kindOf } from "../../src/kinds/index.ts";
import { createOurs, type OurOptions } from "./cases/ours.ts";
import type { Workload } from "./workload.ts";

/** Time of one part of a step. */
export interface Share {
  /** Node kind and direction, as `conv2d backward`; or what is outside of nodes. */
  readonly part: string;
  /** Operation of the engine; null for the part as a whole. */
  readonly op: string | null;
  readonly msPerStep: number;
  readonly callsPerStep: number;
}

const OUTSIDE = "outside of nodes";
const WARM_UP_STEPS = 5;

/** Adds up time by part and operation. Kernels of a CPU run within the call, so a call's time is its kernel's. */
class Clock {
  readonly spent = new Map<string, { ms: number; calls: number }>();
  part = OUTSIDE;
  running = false;

  time<T>(key: string, body: () => T): T {
    const start = performance.now();
    try {
      return body();
    } finally {
      if (this.running) {
        const entry = this.spent.get(key) ?? { ms: 0, calls: 0 };
        this.spent.set(key, { ms: entry.ms + performance.now() - start, calls: entry.calls + 1 });
      }
    }
  }
}

/** Where a step of this project spends its time: by node kind and direction, and by operation within each. */
export async function profile(
  engine: Engine,
  workload: Workload,
  options: OurOptions,
  steps: number,
): Promise<Share[]> {
  const clock = new Clock();
  const created = createOurs(timedEngine(engine, clock), workload, options);
  if (created === null) return [];
  const restore = timeNodes(created.trainer.inPhase.network.nodes, clock);
  try {
    await created.run(WARM_UP_STEPS);
    clock.running = true;
    const total = (await created.run(steps)).reduce((sum, ms) => sum + ms, 0);
    const shares = Array.from(clock.spent, ([key, { ms, calls }]) => {
      const [part, op] = key.split("/") as [string, string | undefined];
      return { part, op: op ?? null, msPerStep: ms / steps, callsPerStep: calls / steps };
    });
    const inNodes = shares.reduce((sum, { op, msPerStep }) => sum + (op === null ? msPerStep : 0), 0);
    const outside = { part: OUTSIDE, op: null, msPerStep: total / steps - inNodes, callsPerStep: 1 };
    return [...shares, outside];
  } finally {
    restore();
    created.dispose();
  }
}

/** The same engine with its operations timed, in every precision. */
const timedEngine = (engine: Engine, clock: Clock): Engine => ({
  ...engine,
  ops: timedOps(engine.ops, clock),
  atPrecision: (precision) => timedOps(engine.atPrecision(precision), clock),
});

/** The same operations with each call timed; scopes are not: they hold other calls. */
function timedOps(ops: Ops, clock: Clock): Ops {
  return new Proxy(ops, {
    get(target, name: keyof Ops & string) {
      const member = target[name] as (...args: unknown[]) => unknown;
      if (name === "scope") return member.bind(target);
      return (...args: unknown[]) => clock.time(`${clock.part}/${name}`, () => member.apply(target, args));
    },
  });
}

/** Puts a clock around the forward and the backward of each kind of node that a network has. */
function timeNodes(nodes: readonly Node[], clock: Clock): () => void {
  const kinds = new Map(nodes.map((node) => [node.kind, kindOf(node)]));
  const originals = new Map(Array.from(kinds.values(), (kind) => [kind, { ...kind }]));
  const within = <T>(part: string, body: () => T): T => {
    clock.part = part;
    try {
      return clock.time(part, body);
    } finally {
      clock.part = OUTSIDE;
    }
  };
  for (const [name, kind] of kinds) {
    const { forward, backward } = kind;
    kind.forward = (...args) => within(`${partOf(name, args[0])} forward`, () => forward(...args));
    kind.backward = (...args) => within(`${partOf(name, args[0])} backward`, () => backward(...args));
  }
  return () => {
    for (const [kind, original] of originals) Object.assign(kind, original);
  };
}

const partOf = (kind: string, node: Node): string => (node.kind === "quantizer" ? `${node.role} ${kind}` : kind);
