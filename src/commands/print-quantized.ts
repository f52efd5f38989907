import { elementsOf } from "../graph/shape.ts";
import { budgetWidths } from "../ptq/harm-table.ts";
import { noiseText } from "../ptq/judge-outputs.ts";
import type { QuantizedRecord } from "../ptq/quantized-record.ts";
import type { Context } from "./context.ts";

/** Prints what became of a file; with `--json` as one line for machines. */
export function printQuantized(
  { folder, file }: { readonly folder: string; readonly file: string },
  record: QuantizedRecord,
  { json, print }: Pick<Context, "json" | "print">,
): void {
  const { layers, left, source, bytes, comparison, kernels, plan, seconds } = record;
  const outputs = comparison?.outputs ?? [];
  const measured = outputs.flatMap(({ sqnrDb }) => sqnrDb ?? []);
  const agreements = outputs.flatMap(({ agreement }) => agreement ?? []);
  const sqnrDb = measured.length > 0 ? Math.min(...measured) : null;
  const agreement = agreements.length > 0 ? Math.min(...agreements) : null;
  const of = layers.length + left.length;
  const relativeBops = plan?.plans[0]?.relativeBops ?? null;
  if (json) {
    const sizes = { before: source.bytes, after: bytes };
    const counted = { quantized: layers.length, of };
    const { top1 = null, top1Float = null } = outputs.find((output) => output.top1 !== null) ?? {};
    print(
      JSON.stringify({
        run: folder,
        layers: counted,
        bytes: sizes,
        averageBits: averageOf(layers),
        relativeBops,
        agreement,
        sqnrDb,
        top1,
        top1Float,
        seconds,
        verified: comparison !== null,
      }),
    );
    return;
  }
  print(`${file}: ${bytes} bytes, ${(source.bytes / bytes).toFixed(2)} times smaller`);
  print(
    `  layers     ${layers.length} of ${of} quantized, ${kernels.integer} kernels of integers, ${kernels.float.length} of floats`,
  );
  if (plan !== null) print(`  budget     ${describePlan(plan, layers)}`);
  for (const { name, operator, reason } of left) print(`             ${operator} ${name}: ${reason}`);
  if (comparison === null) print("  compared   with nothing: there is no data (--data)");
  for (const output of outputs) {
    const { name, agreement, top1, top1Float } = output;
    const noise = noiseText(output);
    const classes = agreement === null ? "" : `, the same class for ${agreement.toFixed(2)} %`;
    const right = top1 === null ? "" : `, top-1 ${top1.toFixed(2)} % (before: ${top1Float?.toFixed(2)} %)`;
    print(`  ${name}: ${noise}${classes}${right} (${comparison?.samples} samples that calibration did not see)`);
  }
  print(`  time       ${seconds.toFixed(1)} s`);
}

/** Bits of a number of the layers' weights. */
function averageOf(layers: QuantizedRecord["layers"]): number {
  const numbersOf = ({ shape }: (typeof layers)[number]) => elementsOf(shape);
  const all = layers.reduce((sum, layer) => sum + numbersOf(layer), 0);
  return layers.reduce((sum, layer) => sum + layer.bits * numbersOf(layer), 0) / all;
}

function describePlan(
  { budget, table, plans }: NonNullable<QuantizedRecord["plan"]>,
  layers: QuantizedRecord["layers"],
): string {
  const [best] = plans;
  const mixed = layers.filter(({ channelBits }) => channelBits !== undefined).length;
  const whole = layers.filter(({ channelBits }) => channelBits === undefined);
  const counts = [
    ...budgetWidths.map((width) => `${whole.filter(({ bits }) => bits === width).length} of ${width} bits`),
    ...(mixed === 0 ? [] : [`${mixed} with widths by output channel`]),
  ];
  const numbers = table.weights.reduce((sum, weight) => sum + weight.numbers, 0);
  const share = (25 * (best?.bytes ?? 0)) / numbers;
  const found = table.measured === "weights" ? ", by the error of the weights alone: there is no data" : "";
  return `${budget}: ${counts.join(", ")}; weights take ${share.toFixed(2)} % of float32${found}${describeBops(best)}`;
}

/** What a budget of bit operations came to. */
function describeBops(plan: NonNullable<QuantizedRecord["plan"]>["plans"][number] | undefined): string {
  if (plan === undefined || plan.relativeBops === null) return "";
  const { activations, relativeBops } = plan;
  const counts = ([8, 16, 32] as const).flatMap((width) => {
    const count = activations.filter((bits) => bits === width).length;
    return count === 0 ? [] : `${count} ${width === 32 ? "in float" : `of ${width} bits`}`;
  });
  const chosen = counts.length === 0 ? "" : `; activations: ${counts.join(", ")}`;
  return `${chosen}; ${relativeBops.toFixed(3)} % of the bit operations at 32 bits`;
}
