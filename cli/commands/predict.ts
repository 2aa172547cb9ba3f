import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { startTracing } from '../../core/tracing.js';
import { connect, type Inputs, type OutputTensor, type Prediction } from '../../producers/index.js';
import { fromTensor } from '../../producers/tensors.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { BASE64_PARAMETERS, oipJson } from '../../schemas/framing/index.js';
import { CONNECTION, integer, withOptions, type ConfigOf } from '../options.js';
import { print, printJson } from '../output.js';

interface PredictFlags {
  readonly file?: string;
  readonly input: readonly string[];
  readonly key?: string;
  /** A version of the model; named to avoid the program's own `--version`. */
  readonly modelVersion?: string;
  /** A signature of a SavedModel. */
  readonly signature?: string;
  readonly timeout: number;
  readonly json: boolean;
}

/** Adds `predict`. */
export function addPredictCommand(
  program: Command,
  configOf: ConfigOf,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  const predict = program
    .command('predict')
    .argument('<model>')
    .description('send one request and print its reply');
  withOptions(predict, CONNECTION)
    .option('--file <file>', 'inputs as an Open Inference Protocol body (JSON)')
    .option(
      '--input <name=list>',
      'an input as nested JSON lists; repeatable',
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option('--key <key>', 'key of the record')
    .option('--model-version <version>', 'version of the model')
    .option('--signature <name>', 'signature of a SavedModel (default: its default signature)')
    .option('--timeout <ms>', 'time to wait for the reply', integer(1), 30_000)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      "\nExamples:\n  partitura predict digits --file examples/digits/request.json\n  partitura predict sum --input 'values=[[1,2,3]]' --json",
    )
    .action((model: string, flags: PredictFlags) =>
      runPredict(configOf({ ...flags }), model, flags, environment),
    );
}

/** Sends one request and prints its reply. @throws PartituraError or NoReplyError */
async function runPredict(
  config: Config,
  model: string,
  flags: PredictFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const inputs = await readInputs(model, flags);
  const log = createLogger('partitura', config.logLevel);
  const tracing = await startTracing(environment, 'partitura-cli', String(process.pid), log);
  try {
    await ask(config, model, inputs, flags);
  } finally {
    await tracing?.stop();
  }
}

async function ask(config: Config, model: string, inputs: Inputs, flags: PredictFlags): Promise<void> {
  const client = await connect({ ...config, timeoutMs: flags.timeout });
  try {
    const { key, modelVersion: version, signature } = flags;
    const options = {
      ...(key !== undefined && { key }),
      ...(version !== undefined && { version }),
      ...(signature !== undefined && { parameters: { signature } }),
    };
    const prediction = await client.predict(model, inputs, options);
    if (flags.json) printJson(toPlain(prediction));
    else printPrediction(prediction);
  } finally {
    await client.close();
  }
}

async function readInputs(model: string, { file, input }: PredictFlags): Promise<Inputs> {
  if (file !== undefined) return fromOip(model, await readFile(file).catch(unreadable(file)));
  if (input.length > 0) return Object.fromEntries(input.map(parseInput));
  throw invalidRequest(
    "predict: expected --file with an Open Inference Protocol body, or --input name='[[…]]'",
  );
}

const unreadable = (file: string) => (cause: unknown) => {
  throw new PartituraError('INVALID_REQUEST', `--file: expected a readable file, got '${file}'`, { cause });
};

function fromOip(model: string, body: Buffer): Inputs {
  const { inputs } = oipJson.decodeRequest(body, model);
  return Object.fromEntries(inputs.map((tensor) => [tensor.name, fromTensor(tensor)]));
}

function parseInput(text: string): [string, number[][]] {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    if (name !== undefined && Array.isArray(parsed)) return [name, parsed as number[][]];
  } catch {
    // Falls through to the common error for anything but name=list.
  }
  throw invalidRequest(`--input: expected name=[[…]] with a JSON list, got '${text}'`);
}

function printPrediction({ model, version, node, timing, outputs }: Prediction): void {
  print(
    `${model} version ${version} answered by ${node} (batch of ${timing?.batchSize}, computed in ${timing?.computeMicros} µs)`,
  );
  for (const [name, { datatype, shape, data }] of Object.entries(outputs)) {
    print(`${name} ${datatype} [${shape.join(',')}]: ${Array.from<unknown>(data).map(shorten).join(' ')}`);
  }
}

function shorten(element: unknown): string {
  if (Buffer.isBuffer(element)) return `0x${element.toString('hex')}`;
  return typeof element === 'number' && !Number.isInteger(element) ? element.toPrecision(4) : String(element);
}

function toPlain({ outputs, ...rest }: Prediction): object {
  const plain = ([name, { datatype, shape, data }]: [string, OutputTensor]): object => {
    const elements = Array.from<unknown>(data);
    const isBinary = elements.some((element) => Buffer.isBuffer(element));
    return {
      name,
      datatype,
      shape,
      ...(isBinary && { parameters: BASE64_PARAMETERS }),
      data: elements.map((element) => (Buffer.isBuffer(element) ? element.toString('base64') : element)),
    };
  };
  return { ...rest, outputs: Object.entries(outputs).map(plain) };
}
