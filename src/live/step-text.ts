import { timeText } from "../core/time-text.ts";
import { integer, significant } from "../report/page/format.ts";
import type { StepProgress } from "../runner/step-progress.ts";

/** "Epoch 1 of 30, step 12 of 14,070: loss 2.31, 4m10s left", in one line. */
export function stepText({ step, steps, epoch, epochs, loss, secondsLeft }: StepProgress): string {
  const said = [
    ...(loss === null ? [] : [`loss ${significant(loss, 4)}`]),
    ...(secondsLeft > 0 ? [`${timeText(secondsLeft)} left`] : []),
  ];
  const where = `Epoch ${integer(epoch)} of ${integer(epochs)}, step ${integer(step)} of ${integer(steps)}`;
  return said.length === 0 ? where : `${where}: ${said.join(", ")}`;
}
