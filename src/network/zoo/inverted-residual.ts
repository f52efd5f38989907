import type { NodeId } from "../../graph/graph.ts";
import { evenPadding, type NetworkBuilder } from "../builder.ts";

/** What stands behind a normalization; `id` is the layer's. */
export type Activate = (id: string, x: NodeId) => NodeId;

export interface ConvolvedOptions {
  readonly kernel: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride?: number;
}

export interface InvertedResidualOptions {
  /** Of the depthwise convolution. */
  readonly kernel: number;
  readonly inputs: number;
  /** Channels in between. */
  readonly hidden: number;
  readonly outputs: number;
  readonly stride: number;
  readonly activate: Activate;
  /** What multiplies each channel in between; absent: nothing. */
  readonly excitation?: Excitation;
}

/** Squeeze-and-excitation (Hu et al., 2018): dense layers on each channel's mean, whose outputs multiply the channels. */
export interface Excitation {
  readonly squeezed: number;
  /** Behind the first dense layer. */
  readonly activate: Activate;
  /** Behind the second one. */
  readonly gate: Activate;
}

/** A convolution over images of the same size, or smaller by its stride, with batch normalization. */
export function convolved(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  { kernel, inputs, outputs, stride = 1 }: ConvolvedOptions,
): NodeId {
  const options = { kernel, inputs, outputs, stride, padding: evenPadding((kernel - 1) / 2), bias: false };
  return network.batchNorm(`${id}.norm`, network.conv2d(id, x, options), { channels: outputs });
}

/** The block of MobileNetV2 (Sandler et al., 2018): expanded, convolved by channel, projected, added to what came in. */
export function invertedResidual(
  network: NetworkBuilder,
  block: string,
  x: NodeId,
  { kernel, inputs, hidden, outputs, stride, activate, excitation }: InvertedResidualOptions,
): NodeId {
  const expand = `${block}.expand`;
  const wide =
    hidden === inputs ? x : activate(expand, convolved(network, expand, x, { kernel: 1, inputs, outputs: hidden }));
  const depthwise = `${block}.depthwise`;
  const options = { kernel, channels: hidden, stride, padding: evenPadding((kernel - 1) / 2), bias: false };
  const norm = network.batchNorm(`${depthwise}.norm`, network.depthwiseConv2d(depthwise, wide, options), {
    channels: hidden,
  });
  const filtered = activate(depthwise, norm);
  const gated = excitation ? excited(network, `${block}.excite`, filtered, hidden, excitation) : filtered;
  const narrow = convolved(network, `${block}.project`, gated, { kernel: 1, inputs: hidden, outputs });
  return stride === 1 && inputs === outputs ? network.add(`${block}.sum`, narrow, x) : narrow;
}

function excited(
  network: NetworkBuilder,
  id: string,
  x: NodeId,
  channels: number,
  { squeezed, activate, gate }: Excitation,
): NodeId {
  const pooled = network.globalAveragePool(`${id}.pool`, x);
  const reduced = network.dense(`${id}.reduce`, pooled, { inputs: channels, outputs: squeezed });
  const expanded = network.dense(`${id}.expand`, activate(id, reduced), { inputs: squeezed, outputs: channels });
  return network.multiply(`${id}.product`, x, gate(id, expanded));
}
