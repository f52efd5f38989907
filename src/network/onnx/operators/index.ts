import type { Operator } from "../translation.ts";
import { arithmetic } from "./arithmetic-operators.ts";
import { concat } from "./concat-operators.ts";
import { cast, castLike, constant, dropout, identity, softmax } from "./constants-operators.ts";
import { conv } from "./convolution-operators.ts";
import { gemm, matMul } from "./dense-operators.ts";
import { add, clip, div, max, min, mul, relu, sub } from "./elementwise-operators.ts";
import { flatten, pad, reshape, squeeze, transpose, unsqueeze } from "./layout-operators.ts";
import { nonlinearities } from "./nonlinear-operators.ts";
import { batchNormalization } from "./normalization-operators.ts";
import { averagePool, globalAveragePool, maxPool, reduceMean } from "./pooling-operators.ts";
import { constantOfShape, expand, gather, shape, size, slice } from "./views-operators.ts";

/** The operators that can be taken over, by name. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...arithmetic,
    ...nonlinearities,
    Add: add,
    AveragePool: averagePool,
    BatchNormalization: batchNormalization,
    Cast: cast,
    CastLike: castLike,
    Clip: clip,
    Concat: concat,
    Constant: constant,
    ConstantOfShape: constantOfShape,
    Conv: conv,
    Div: div,
    Dropout: dropout,
    Expand: expand,
    Flatten: flatten,
    Gather: gather,
    Gemm: gemm,
    GlobalAveragePool: globalAveragePool,
    Identity: identity,
    LogSoftmax: softmax,
    MatMul: matMul,
    Max: max,
    MaxPool: maxPool,
    Min: min,
    Mul: mul,
    Pad: pad,
    ReduceMean: reduceMean,
    Relu: relu,
    Reshape: reshape,
    Shape: shape,
    Size: size,
    Slice: slice,
    Softmax: softmax,
    Squeeze: squeeze,
    Sub: sub,
    Sum: add,
    Transpose: transpose,
    Unsqueeze: unsqueeze,
  } satisfies Record<string, Operator>),
);
