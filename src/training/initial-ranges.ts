import { at } from "../core/elements.ts";
import { lookup } from "../core/lookup.ts";
import type { Tensor } from "../engine/ops.ts";
import type { NodeId } from "../graph/graph.ts";
import { forward } from "../network/passes.ts";
import { rangeFloor } from "../quantizers/range.ts";
import type { Model } from "./model.ts";
import { type GateSamples, passOf, soleInput } from "./pass.ts";

/**
 * Sets every range from one forward pass over a few images, as the authors do: a weight's from its largest element (a
 * channel's from its largest magnitude),
 * an activation's from its largest, each tensor seeing already quantized predecessors (docs/method.md, "Training").
 *
 * @param draw Gates for the ranges known so far: called before each quantizer is used.
 */
export function initializeRanges(model: Model, makeImages: () => Tensor, draw: () => GateSamples): void {
  const { ops, network, quantizers } = model;
  const readers = new Map<NodeId, NodeId[]>();
  for (const [id, { node }] of quantizers) {
    const source = node.inputs[0];
    readers.set(source, [...(readers.get(source) ?? []), id]);
  }
  ops.scope(
    () => {
      const first = passOf(model, draw(), soleInput(network, makeImages()), { training: true, momentum: 0 });
      const pass = {
        ...first,
        quantizer: (id: NodeId) => ({ ...first.quantizer(id), ...lookup(quantizers, id).rangeParameters }),
      };
      forward(network, pass, {
        keep: false,
        observe: (node, output) => {
          for (const id of readers.get(node.id) ?? []) {
            const { range, node: reader } = lookup(quantizers, id);
            range.fill(rangeFloor);
            ops.read(output).forEach((value, index) => {
              // Of a tensor the largest element, as the authors do; a channel may have no positive one.
              const size = range.length === 1 ? value : Math.abs(value);
              const channel = index % range.length;
              if (size > range[channel]!) range[channel] = size;
            });
            // It stands in the place of a ReLU6, behind which nothing is larger.
            if (reader.limit !== null) range[0] = Math.min(at(range, 0), reader.limit);
          }
        },
      });
    },
    () => [],
  );
}
