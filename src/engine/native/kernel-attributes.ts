import { dataTypes } from "./binding.ts";

/** Attributes that most kernels share. */
export const float = { T: { dtype: dataTypes.float32 } } as const;
export const index = { dtype: dataTypes.int32 } as const;

/** Marks a kernel that oneDNN brings and TensorFlow's graph optimizer would otherwise choose. */
export const oneDnn = { _kernel: "MklNameChangeOp" } as const;
