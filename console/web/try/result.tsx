import type { JSX } from 'preact';
import type { TensorView } from '../../api/views.js';
import { formatMs, formatNumber, formatShape } from '../shared/format.js';
import type { Answer, OutputTensor } from './infer.js';
import type { Element } from './tensors.js';

const MAX_BARS = 64;
const MAX_VALUES = 256;

interface ResultProps {
  readonly answer: Answer;
  readonly outputs: readonly TensorView[];
}

/** The answer to a request: its outputs, and how it was computed. */
export function Result({ answer, outputs }: ResultProps): JSX.Element {
  return (
    <div class="result">
      {answer.outputs.map((output) => (
        <Output
          key={output.name}
          output={output}
          labels={outputs.find(({ name }) => name === output.name)?.labels ?? []}
        />
      ))}
      <Journey answer={answer} />
    </div>
  );
}

/** Time, node and batch of an answer, as far as they are known. */
export function Journey({ answer }: { readonly answer: Answer }): JSX.Element {
  const { elapsedMs, queueMs, computeMs, node, batchSize, version, id } = answer;
  const facts: [string, string | undefined][] = [
    ['Round trip', formatMs(elapsedMs)],
    ['In the queue', queueMs === undefined ? undefined : formatMs(queueMs)],
    ['Computing', computeMs === undefined ? undefined : formatMs(computeMs)],
    ['Requests in the batch', batchSize === undefined ? undefined : String(batchSize)],
    ['Node', node],
    ['Version', version],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      {id !== '' && (
        <div>
          <dt>Request</dt>
          <dd>
            <a href={`/console/requests/${encodeURIComponent(id)}`}>Timeline</a>
          </dd>
        </div>
      )}
    </dl>
  );
}

function Output({
  output,
  labels,
}: {
  readonly output: OutputTensor;
  readonly labels: readonly string[];
}): JSX.Element {
  const { name, datatype, shape, data } = output;
  return (
    <section class="output">
      <h3>
        {name} <span class="muted">{`${datatype} ${formatShape(shape)}`}</span>
      </h3>
      {data === undefined ? (
        <p>Binary data, which JSON cannot hold.</p>
      ) : areProbabilities(shape, data) ? (
        <Bars name={name} values={data as readonly number[]} labels={labels} />
      ) : (
        <Values shape={shape} data={data} />
      )}
    </section>
  );
}

/** Returns true for one row of values from 0 to 1 that add up to 1. */
function areProbabilities(shape: readonly number[], data: readonly Element[]): boolean {
  if (data.length < 2 || data.length > MAX_BARS || shape.at(-1) !== data.length) return false;
  const isProbable = data.every((value) => typeof value === 'number' && value >= 0 && value <= 1.0001);
  return isProbable && Math.abs((data as number[]).reduce((sum, value) => sum + value, 0) - 1) < 0.01;
}

interface BarsProps {
  readonly name: string;
  readonly values: readonly number[];
  readonly labels: readonly string[];
}

/** Probabilities as bars; the largest is marked. */
export function Bars({ name, values, labels }: BarsProps): JSX.Element {
  const best = values.indexOf(Math.max(...values));
  return (
    <table class="bars">
      <caption class="hidden">{name}</caption>
      <tbody>
        {values.map((value, index) => (
          <tr key={index} class={index === best && value > 0 ? 'best' : ''}>
            <th scope="row">{labels[index] ?? index}</th>
            <td class="track" aria-hidden="true">
              <span style={{ width: `${Math.max(0, value) * 100}%` }} />
            </td>
            <td class="number">{`${(value * 100).toFixed(1)} %`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Values as text, one line per row. */
function Values({
  shape,
  data,
}: {
  readonly shape: readonly number[];
  readonly data: readonly Element[];
}): JSX.Element {
  const width = Math.max(1, shape.at(-1) ?? 1);
  const shown = data.slice(0, MAX_VALUES);
  const lines = Array.from({ length: Math.ceil(shown.length / width) }, (_, row) =>
    shown
      .slice(row * width, (row + 1) * width)
      .map((value) => (typeof value === 'number' ? formatNumber(value) : String(value)))
      .join('  '),
  );
  const more = data.length - shown.length;
  return (
    <pre tabIndex={0} aria-label="Values">
      {lines.join('\n')}
      {more > 0 ? `\n… ${more} more` : ''}
    </pre>
  );
}
