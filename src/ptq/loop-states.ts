import type { GraphProto, NodeProto } from "../onnx/generated/onnx_pb.ts";
import { isStandardDomain } from "../onnx/onnx-model.ts";
import { readsOf, subgraphsOf } from "./value-names.ts";

/** A state of a Loop that its body passes on as it gets it: a value of outside, for all that happens inside. */
export interface PassedState {
  readonly loop: NodeProto;
  readonly body: GraphProto;
  /** Among the states. */
  readonly index: number;
  /** In the body. */
  readonly name: string;
  /** Outside. */
  readonly outside: string;
}

/** Loop takes (trips, condition, states…), its body (iteration, condition, states…), which gives (condition, states…, scans…). */
export function passedStates(loop: NodeProto): readonly PassedState[] {
  const [body] = subgraphsOf(loop);
  if (loop.opType !== "Loop" || !isStandardDomain(loop.domain) || body === undefined) return [];
  return loop.input.slice(2).flatMap((outside, index) => {
    const name = body.input[2 + index]?.name;
    const isPassed = name !== undefined && name === body.output[1 + index]?.name;
    return isPassed ? [{ loop, body, index, name, outside }] : [];
  });
}

/**
 * Takes a state out of its Loop where nothing inside reads it any more, nor anything outside what comes of it.
 *
 * @param isRead Whether a value of the graph that the Loop lies in has a reader.
 */
export function dropUnread({ loop, body, index, name }: PassedState, isRead: (value: string) => boolean): void {
  // A Loop has a result, even one that nobody reads.
  if (loop.output.length < 2) return;
  const uses = body.output.filter((output) => output.name === name).length;
  if (uses > 1 || body.node.some((node) => readsOf(node).has(name)) || isRead(loop.output[index] ?? "")) return;
  loop.input.splice(2 + index, 1);
  loop.output.splice(index, 1);
  body.input.splice(2 + index, 1);
  body.output.splice(1 + index, 1);
}
