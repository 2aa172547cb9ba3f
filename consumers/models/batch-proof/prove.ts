import { obstacleInGraph } from './graph.js';
import { Difference, Rejection, Unverified } from './findings.js';
import { Proof } from './proof.js';
import type { ProvenModel } from './proof-runs.js';
import { startClock, type ProofClock, type ProofLimits } from './proof-clock.js';
import { ESSENTIAL_ROWS } from './plan.js';
import { SizeSearch } from './sizes.js';
import { valueKinds } from './values.js';
import { obstacleToBatching, type BatchingVerdict, type Finality } from './verdict.js';

/** A verdict with its finality. */
export interface ProvenVerdict extends BatchingVerdict {
  readonly finality: Finality;
}

/** Maximum size of a two-row request, since copying larger ones would block the node. */
const MAX_REQUEST_BYTES = 32 * 2 ** 20;

/**
 * Runs random requests alone, together in both orders, and split, and compares each row with its output alone. If the model
 * rejects some values, others are drawn. Stops at the first difference.
 */
export async function proveBatching(model: ProvenModel, limits: ProofLimits): Promise<ProvenVerdict> {
  const { source } = limits;
  const obstacle = obstacleToBatching(model.signature) ?? (source && (await obstacleInGraph(source)));
  if (obstacle !== undefined) return verdict(false, obstacle);
  try {
    const proof = await finishedProof(model, startClock(limits), limits.maxBatchRows);
    return verdict(true, proof.summary, proof.isCutShort ? 'cut-short' : 'final');
  } catch (error) {
    if (error instanceof Difference) return verdict(false, error.message);
    if (error instanceof Unverified) return verdict(false, `not verified: ${error.message}`, error.finality);
    throw error;
  }
}

function verdict(batchable: boolean, reason: string, finality: Finality = 'final'): ProvenVerdict {
  return { batchable, reason, finality };
}

/**
 * Runs the proof with the first informative values that the model accepts: if all outputs are identical, other values are
 * tried.
 * @throws Unverified if the model accepts no values
 */
async function finishedProof(model: ProvenModel, clock: ProofClock, maxBatchRows: number): Promise<Proof> {
  const { signature } = model;
  const search = new SizeSearch(signature, MAX_REQUEST_BYTES / ESSENTIAL_ROWS);
  let rejection: string | undefined;
  for (let shapes = search.next(); shapes; shapes = search.next()) {
    let inconclusive: Proof | undefined;
    let rejected: string | undefined;
    for (const kind of valueKinds(signature)) {
      if (inconclusive && clock.now() >= clock.budgetEnd) break;
      const proof = new Proof(model, kind, shapes, clock);
      const failure = (await proof.runEssential()) ?? (await runFurtherIfInformative(proof, maxBatchRows));
      if (!failure && !proof.areOutputsIdentical) return proof;
      if (!failure) inconclusive ??= proof;
      else if (failure instanceof Rejection) rejected ??= failure.message;
      else if (inconclusive) break;
      else throw failure;
    }
    if (inconclusive && !(await inconclusive.runFurther(maxBatchRows))) return inconclusive;
    if (rejected !== undefined) search.observe(shapes, rejected);
    rejection ??= rejected;
  }
  throw new Unverified(
    rejection === undefined ? 'rows are too large' : `the model rejects random inputs: ${rejection}`,
    'final',
  );
}

async function runFurtherIfInformative(proof: Proof, maxBatchRows: number): Promise<Rejection | undefined> {
  return proof.areOutputsIdentical ? undefined : proof.runFurther(maxBatchRows);
}
