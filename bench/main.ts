import { parseArgs } from 'node:util';
import { Laboratory, type Prepared } from './laboratory.js';
import { comparePeers, type Plan } from './peers.js';
import { record } from './report.js';
import { SYSTEMS } from './systems/index.js';
import { MODELS } from './workloads.js';

const FULL = { models: MODELS, inflight: [1, 64, 1_000, 10_000], rows: [1, 64], runs: 1 };

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      python: { type: 'string', default: '' },
      models: { type: 'string', default: '' },
      model: { type: 'string' },
      inflight: { type: 'string' },
      rows: { type: 'string' },
      runs: { type: 'string' },
    },
  });
  const prepared: Prepared = { python: values.python, modelsFolder: values.models };
  const numbers = (text: string | undefined): number[] | undefined => text?.split(',').map(Number);
  const plan: Plan = {
    systems: SYSTEMS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    models: values.model ? MODELS.filter((name) => name === values.model) : FULL.models,
    inflight: numbers(values.inflight) ?? FULL.inflight,
    rows: numbers(values.rows) ?? FULL.rows,
    runs: Number(values.runs ?? FULL.runs),
    warmUpMs: 1_500,
    measureMs: 3_500,
  };
  const laboratory = await Laboratory.open(prepared);
  try {
    const results = await comparePeers(laboratory, plan, (line) => process.stdout.write(`${line}\n`));
    if (positionals.length === 0) record('peers', plan, results);
  } finally {
    await laboratory.close();
  }
}

await main();
