/**
 * For each output channel the codes with the smaller error; ties keep the first. Channels are independent, so the
 * result is at least as good as either, channel by channel.
 */
export function keepBetter(
  first: { readonly codes: Int32Array; readonly errors: Float64Array },
  second: { readonly codes: Int32Array; readonly errors: Float64Array },
): { readonly codes: Int32Array; readonly errors: Float64Array } {
  const inputs = first.codes.length / first.errors.length;
  const takesSecond = (output: number) => second.errors[output]! < first.errors[output]!;
  return {
    codes: first.codes.map((code, index) => (takesSecond(Math.floor(index / inputs)) ? second.codes[index]! : code)),
    errors: first.errors.map((error, output) => (takesSecond(output) ? second.errors[output]! : error)),
  };
}
