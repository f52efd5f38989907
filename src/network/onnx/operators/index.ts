import { decomposedNorm } from "../decomposed-layer-norm.ts";
import { guardedSoftmax as decomposedSoftmax } from "../decomposed-softmax.ts";
import type { Operator } from "../translation.ts";
import { arithmetic } from "./arithmetic-operators.ts";
import { clip, max, min, prelu, relu } from "./clamp-operators.ts";
import { concat } from "./concat-operators.ts";
import { cast, castLike, constant, dropout, identity } from "./constants-operators.ts";
import { conv } from "./convolution-operators.ts";
import { gemm, matMul } from "./dense-operators.ts";
import { add, and, div, mul, neg, not, pow, sub, where } from "./elementwise-operators.ts";
import { flatten, reshape, squeeze, transpose, unsqueeze } from "./layout-operators.ts";
import { overLines } from "./line-operators.ts";
import { nonlinearities } from "./nonlinear-operators.ts";
import {
  batchNormalization,
  decomposedLayerNormalization,
  groupNormalization,
  instanceNormalization,
  layerNormalization,
} from "./normalization-operators.ts";
import { pad } from "./pad-operators.ts";
import { averagePool, maxPool } from "./pooling-operators.ts";
import { globalAveragePool, globalMaxPool, reduceL2, reduceMax, reduceMean, reduceSum } from "./reduction-operators.ts";
import { resize } from "./resize-operators.ts";
import { gather, gatherNd, slice, split } from "./slice-operators.ts";
import { guardedSoftmax, softmax } from "./softmax-operators.ts";
import { convTranspose } from "./transposed-operators.ts";
import { constantOfShape, expand, gatherElements, range, shape, size } from "./views-operators.ts";

/** Those that files have, by name. */
const ofFiles = {
  ...arithmetic,
  ...nonlinearities,
  Add: add,
  And: and,
  AveragePool: overLines(averagePool),
  BatchNormalization: batchNormalization,
  Cast: cast,
  CastLike: castLike,
  Clip: clip,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Conv: overLines(conv),
  ConvTranspose: overLines(convTranspose),
  Div: div,
  Dropout: dropout,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Gemm: gemm,
  GlobalAveragePool: overLines(globalAveragePool),
  GlobalMaxPool: overLines(globalMaxPool),
  GroupNormalization: groupNormalization,
  Identity: identity,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LogSoftmax: softmax,
  MatMul: matMul,
  Max: max,
  MaxPool: overLines(maxPool),
  Min: min,
  Mul: mul,
  Neg: neg,
  Not: not,
  PRelu: prelu,
  Pad: pad,
  Pow: pow,
  Range: range,
  ReduceL2: reduceL2,
  ReduceMax: reduceMax,
  ReduceMean: reduceMean,
  ReduceSum: reduceSum,
  Relu: relu,
  Reshape: reshape,
  Resize: resize,
  Shape: shape,
  Size: size,
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Squeeze: squeeze,
  Sub: sub,
  Sum: add,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: resize,
  Where: where,
} satisfies Record<string, Operator>;

/** Their names. */
export const operatorNames: readonly string[] = Object.keys(ofFiles).toSorted();

/** The operators that can be taken over, also those that several of a file's become. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries<Operator>({
    ...ofFiles,
    [decomposedNorm]: decomposedLayerNormalization,
    [decomposedSoftmax]: guardedSoftmax,
  }),
);
