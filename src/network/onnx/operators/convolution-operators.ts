import { at, first } from "../../../core/elements.ts";
import { tuple } from "../../../core/tuple.ts";
import { isPadded } from "../../../engine/op-options.ts";
import { channelsFirst, imageValue } from "../arrangement.ts";
import type { OnnxNode } from "../model-graph.ts";
import { layerName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { permute } from "../strided.ts";
import type { Operator, Translation } from "../translation.ts";
import { type Activation, checkedShape, type Floats, type Value } from "../value.ts";
import { addPadding, kernelOf, kernelsOf, readWindows } from "../window-attributes.ts";
import { denseLayer, requireWeight } from "./dense-operators.ts";

/** Convolutions over images, of all channels or of each by itself; weights come as [out, in, rows, columns]. */
export const conv: Operator = (node, translation) => {
  const windows = readWindows(node);
  const declared = kernelOf(node);
  const groups = node.attributes.int("group", 1);
  const weight = kernelsOf(translation.floats(node, 1));
  const bias = translation.has(node, 2) ? translation.floats(node, 2) : null;
  const [outputs, inputs, rows, columns] = tuple(weight.dims, 4);
  requireWeight(node, weight, translation);
  const kernel = [rows, columns] as const;
  if (declared && (declared[0] !== rows || declared[1] !== columns)) {
    throw new Damaged(`its kernel_shape is ${declared.join(" x ")}, its weight is [${weight.dims}]`);
  }
  if (bias !== null && (bias.dims.length !== 1 || bias.dims[0] !== outputs)) {
    throw new Damaged(`its bias is [${bias.dims}], expected [${outputs}]`);
  }
  if (!(groups >= 1)) throw new Damaged(`it has ${groups} groups, expected at least 1`);
  if (outputs % groups !== 0) throw new Damaged(`its ${outputs} outputs do not divide into ${groups} groups`);
  const depthwise = groups > 1 && inputs === 1 && outputs === groups;
  const image = translation.image(node, { keepPadding: true });
  const { value, channels } = image;
  if (channels !== inputs * groups) {
    throw new Damaged(
      `its weight [${weight.dims}] in ${groups} groups is for ${inputs * groups} channels, it reads ${channels}`,
    );
  }
  const { strides, dilations, padding: own, size: sides } = windows(image, kernel);
  const shape = checkedShape([sides.height, sides.width, outputs]);
  if (value.shape.length === 1)
    return onVector(node, translation, value, {
      weight,
      bias,
      isPointwise: groups === 1 && rows * columns === 1 && !isPadded({ padding: own }),
    });

  const id = translation.writer.name(layerName(node, node.inputs[1]));
  const geometry = { id, strides, dilations, padding: addPadding(own, value.padding) };
  const layer = translation.writer.layer(
    depthwise ? { kind: "depthwise-conv2d", ...geometry } : { kind: "conv2d", ...geometry, groups },
    value.node,
    {
      values: permute(weight.values, weight.dims, [2, 3, 1, 0]),
      shape: [rows, columns, inputs, outputs],
      fanIn: rows * columns * inputs,
    },
  );
  const end = bias === null ? layer : translation.writer.bias(translation.writer.openLayer(layer)!, bias.values);
  return { ...imageValue(value, end, shape, channelsFirst), padding: null };
};

/** Behind global pooling a 1 x 1 convolution is a dense layer. */
function onVector(
  node: OnnxNode,
  translation: Translation,
  vector: Activation,
  { weight, bias, isPointwise }: { weight: Floats; bias: Floats | null; isPointwise: boolean },
): Value {
  if (!isPointwise) throw new Unsupported("it reads globally pooled channels with more than a 1 x 1 kernel");
  const [outputs, inputs] = [first(weight.dims), at(weight.dims, 1)];
  const values = permute(weight.values, [outputs, inputs], [1, 0]);
  return denseLayer(node, translation, { x: vector, axis: 1 }, { values, inputs, outputs, bias: bias?.values ?? null });
}
