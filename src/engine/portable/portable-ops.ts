import { first } from "../../core/elements.ts";
import { wholePower } from "../../core/powers.ts";
import { composedConvolutions } from "../composed-convolution.ts";
import { composedQuantizer } from "../composed-quantizer.ts";
import type { Extensions } from "../extensions.ts";
import type { Ops } from "../ops.ts";
import { Arena, held, of, PortableVariable, type Tfjs } from "./arena.ts";
import { convolutions } from "./portable-convolution.ts";
import { elementwise } from "./portable-elementwise.ts";
import { images } from "./portable-images.ts";
import { leastSquares } from "./portable-least-squares.ts";
import { nonlinearities } from "./portable-nonlinear.ts";
import { rounding } from "./portable-rounding.ts";
import { rows } from "./portable-rows.ts";
import { softmax } from "./portable-softmax.ts";

/** The same operations on WebAssembly kernels: everywhere, slowly. */
export function portableOps(tf: Tfjs): Ops {
  const arena = new Arena(tf);
  const basic = { ...memory(arena), ...elementwise(arena) };
  const moving = { ...basic, ...images(arena), ...rows(arena) };
  const simple = convolutions(arena);
  const extensions: Extensions = {
    leastSquares: leastSquares(basic),
    rounding: rounding(arena),
    softmax: softmax(arena),
  };
  return {
    ...moving,
    ...composedQuantizer(basic),
    ...simple,
    ...composedConvolutions(moving, simple),
    ...nonlinearities(arena),
    ...variables(arena),
    extension: (name) => extensions[name],
  };
}

/** Tensors in and out of the engine, and when they are freed. */
function memory(arena: Arena): Pick<Ops, "tensor" | "read" | "scalar" | "scope" | "release" | "liveTensors"> {
  return {
    tensor(values, shape) {
      // TensorFlow.js has no bytes: pixels are int32 there.
      const held = values instanceof Uint8Array ? Int32Array.from(values) : values;
      return arena.own(arena.tf.tensor(held, [...shape], held instanceof Float32Array ? "float32" : "int32"));
    },
    // Tensors here are of one or the other.
    read: (x) => of(x).dataSync().slice() as Float32Array | Int32Array,
    scalar: (x) => first(of(x).dataSync()),
    scope: (body, keep) => arena.scope(body, keep),
    release: (x) => of(x).dispose(),
    liveTensors: () => arena.tf.memory().numTensors,
  };
}

type Variables = Pick<Ops, "variable" | "value" | "assign" | "dispose" | "adam" | "momentum">;

/** Trained tensors and their optimizers, composed. */
function variables(arena: Arena): Variables {
  return {
    variable: (name, values, shape) =>
      new PortableVariable(name, arena.tf.tensor(Float32Array.from(values), [...shape])),
    value: (variable) => arena.own(arena.tf.clone(held(variable).value)),
    assign: (variable, values) =>
      arena.update(variable, (tf) => tf.tensor(Float32Array.from(values), [...variable.shape])),
    dispose: (variable) => held(variable).value.dispose(),
    adam(variable, moments, gradient, { learningRate, beta1, beta2, epsilon, step }) {
      const [first, second] = [held(moments[0]), held(moments[1])];
      arena.update(first, (tf) => tf.add(tf.mul(first.value, beta1), tf.mul(of(gradient), 1 - beta1)));
      arena.update(second, (tf) => tf.add(tf.mul(second.value, beta2), tf.mul(tf.square(of(gradient)), 1 - beta2)));
      arena.update(variable, (tf) => {
        const deviation = tf.sqrt(tf.div(second.value, 1 - wholePower(beta2, step)));
        const change = tf.mul(
          tf.div(first.value, tf.add(deviation, epsilon)),
          learningRate / (1 - wholePower(beta1, step)),
        );
        return tf.sub(held(variable).value, change);
      });
    },
    momentum(variable, velocity, gradient, { learningRate, momentum, nesterov }) {
      const moving = held(velocity);
      arena.update(moving, (tf) => tf.add(tf.mul(moving.value, momentum), of(gradient)));
      arena.update(variable, (tf) => {
        const step = nesterov ? tf.add(of(gradient), tf.mul(moving.value, momentum)) : moving.value;
        return tf.sub(held(variable).value, tf.mul(step, learningRate));
      });
    },
  };
}
