import { tuple } from "../../../core/tuple.ts";
import { transposedShape } from "../../../kinds/conv-transpose.ts";
import { channelsFirst, imageValue } from "../arrangement.ts";
import { layerName } from "../names.ts";
import { Damaged, Unsupported } from "../problems.ts";
import { permute } from "../strided.ts";
import type { Operator } from "../translation.ts";
import { checkedShape } from "../value.ts";
import { kernelOf, kernelsOf, readSpreading } from "../window-attributes.ts";
import { requireWeight } from "./dense-operators.ts";

/** Transposed convolutions over images; weights come as [in, out, rows, columns]. */
export const convTranspose: Operator = (node, translation) => {
  const spreading = readSpreading(node);
  const declared = kernelOf(node);
  const groups = node.attributes.int("group", 1);
  if (groups !== 1) throw new Unsupported(`it has ${groups} groups: transposed convolutions have one here`);
  const weight = kernelsOf(translation.floats(node, 1));
  const bias = translation.has(node, 2) ? translation.floats(node, 2) : null;
  const [inputs, outputs, rows, columns] = tuple(weight.dims, 4);
  requireWeight(node, weight, translation);
  if (declared && (declared[0] !== rows || declared[1] !== columns)) {
    throw new Damaged(`its kernel_shape is ${declared.join(" x ")}, its weight is [${weight.dims}]`);
  }
  if (bias !== null && (bias.dims.length !== 1 || bias.dims[0] !== outputs)) {
    throw new Damaged(`its bias is [${bias.dims}], expected [${outputs}]`);
  }
  const image = translation.image(node);
  const { value, height, width, channels } = image;
  if (channels !== inputs) {
    throw new Damaged(`its weight [${weight.dims}] is for ${inputs} channels, it reads ${channels}`);
  }
  if (value.shape.length === 1) throw new Unsupported("it reads globally pooled channels, expected images");
  const geometry = spreading(image, [rows, columns]);
  const { strides, outputPadding } = geometry;
  if (outputPadding[0] >= strides[0] || outputPadding[1] >= strides[1]) {
    throw new Unsupported(`its output_padding is ${outputPadding.join(", ")}, expected less than its strides`);
  }
  const weightShape = [rows, columns, inputs, outputs];
  const shape = checkedShape(transposedShape(geometry, [height, width, channels], weightShape));
  const id = translation.writer.name(layerName(node, node.inputs[1]));
  const layer = translation.writer.layer({ kind: "conv-transpose", id, ...geometry }, value.node, {
    values: permute(weight.values, weight.dims, [2, 3, 0, 1]),
    shape: weightShape,
    fanIn: rows * columns * inputs,
  });
  const open = translation.writer.openLayer(layer);
  const end = bias === null || open === null ? layer : translation.writer.bias(open, bias.values);
  return imageValue(value, end, shape, channelsFirst);
};
