import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { BLANK, exampleDigit } from './digits.js';
import { Drawing } from './drawing.js';
import { infer, type Answer } from './infer.js';
import { bodyOf, fill, newId, pathOf, type RequestForm } from './request.js';
import { Bars, Journey } from './result.js';

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Drawing and its prediction, side by side; the prediction follows the drawing. */
export function DigitsPanel({ form }: { readonly form: RequestForm }): JSX.Element {
  const { pixels, answer, problem, draw } = usePrediction(form);
  return (
    <section class="digits" aria-label="Draw a digit">
      <Drawing pixels={pixels} onDraw={draw} />
      <Prediction answer={answer} problem={problem} />
    </section>
  );
}

interface PredictionProps {
  readonly answer: Answer | undefined;
  readonly problem: string;
}

function Prediction({ answer, problem }: PredictionProps): JSX.Element {
  const values = answer?.outputs[0]?.data as readonly number[] | undefined;
  const best = values && values.indexOf(Math.max(...values));
  return (
    <div class="prediction">
      <p class="verdict" role="status">
        {best === undefined ? 'Draw a digit to see the prediction' : 'Prediction '}
        {best !== undefined && <strong>{best}</strong>}
      </p>
      <Bars name="Probability of each digit" values={values ?? BLANK.slice(0, 10)} labels={DIGITS} />
      {answer && <Journey answer={answer} />}
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

interface Drawn extends PredictionProps {
  readonly pixels: readonly number[];
  readonly draw: (pixels: readonly number[]) => void;
}

/** Sends each drawing, beginning with an example, and puts it into the form. */
function usePrediction(form: RequestForm): Drawn {
  const pixels = useSignal<readonly number[]>(exampleDigit(3));
  const answer = useSignal<Answer | undefined>(undefined);
  const problem = useSignal('');
  const sender = useRef(new LatestOnly());
  const send = async (): Promise<void> => {
    try {
      answer.value = await infer(pathOf(form), bodyOf(form, newId()));
      problem.value = '';
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  const draw = (next: readonly number[]): void => {
    pixels.value = next;
    const [input] = form.inputs;
    if (input) fill(input, { shape: [1, next.length], data: [...next] }, 'drawing');
    if (next.every((value) => value === 0)) answer.value = undefined;
    else sender.current.run(send);
  };
  useEffect(() => draw(pixels.peek()), [form]);
  return { pixels: pixels.value, answer: answer.value, problem: problem.value, draw };
}

/** Runs one task at a time; of those that come meanwhile only the last. */
class LatestOnly {
  #next: (() => Promise<void>) | undefined;
  #running = false;

  run(task: () => Promise<void>): void {
    this.#next = task;
    if (!this.#running) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#next) {
      const task = this.#next;
      this.#next = undefined;
      await task();
    }
    this.#running = false;
  }
}
