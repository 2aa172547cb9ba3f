import type { LoadedModel } from '../../engine/engine.js';
import { obstacleInGraph } from './graph.js';
import {
  Difference,
  Proof,
  Refusal,
  startClock,
  Untried,
  type ProofClock,
  type ProofLimits,
} from './proof.js';
import { ESSENTIAL_ROWS } from './plan.js';
import { bytesOfRow, openSizes, valueKinds } from './values.js';
import { obstacleToBatching, type BatchingVerdict } from './verdict.js';

/** A verdict, and whether the next start may rely on it: what the load of the machine decided is tried again. */
export interface ProvenVerdict extends BatchingVerdict {
  readonly isLasting: boolean;
}

/** A request of two rows: copies of larger ones would hold up the node. */
const MAX_REQUEST_BYTES = 32 * 2 ** 20;

type ProvenModel = Pick<LoadedModel, 'run' | 'signature'>;

/**
 * Runs random requests alone, together in both orders, and cut, and compares each row with what it was alone. The
 * model may refuse some values; then others are drawn. Ends with the first difference.
 */
export async function proveBatching(model: ProvenModel, limits: ProofLimits): Promise<ProvenVerdict> {
  const { source } = limits;
  const obstacle = obstacleToBatching(model.signature) ?? (source && (await obstacleInGraph(source)));
  if (obstacle !== undefined) return verdict(false, obstacle);
  try {
    const proof = await finishedProof(model, startClock(limits), limits.maxBatchRows);
    return verdict(true, proof.summary, !proof.isCut);
  } catch (error) {
    if (error instanceof Difference) return verdict(false, error.message);
    if (error instanceof Untried)
      return verdict(false, `could not be tried: ${error.message}`, error.isLasting);
    throw error;
  }
}

function verdict(batchable: boolean, reason: string, isLasting = true): ProvenVerdict {
  return { batchable, reason, isLasting };
}

/**
 * Proves it with the first values that the model accepts and that tell something: where all answers are alike, others
 * are tried.
 * @throws Untried where the model accepts none
 */
async function finishedProof(model: ProvenModel, clock: ProofClock, maxBatchRows: number): Promise<Proof> {
  const { signature } = model;
  const sizes = openSizes(signature).filter(
    (size) => ESSENTIAL_ROWS * bytesOfRow(signature, size) <= MAX_REQUEST_BYTES,
  );
  if (sizes.length === 0) throw new Untried('too large', true);
  let refusal: string | undefined;
  for (const openSize of sizes) {
    let alike: Proof | undefined;
    for (const kind of valueKinds(signature)) {
      if (alike && clock.now() >= clock.budgetEnd) break;
      const proof = new Proof(model, kind, openSize, clock);
      const failure = (await proof.runEssential()) ?? (await goOnIfTelling(proof, maxBatchRows));
      if (!failure && !proof.areAnswersAlike) return proof;
      if (!failure) alike ??= proof;
      else if (failure instanceof Refusal) refusal ??= failure.message;
      else if (alike) break;
      else throw failure;
    }
    if (alike && !(await alike.goOn(maxBatchRows))) return alike;
  }
  throw new Untried(`the model refuses random inputs: ${refusal}`, true);
}

async function goOnIfTelling(proof: Proof, maxBatchRows: number): Promise<Refusal | undefined> {
  return proof.areAnswersAlike ? undefined : proof.goOn(maxBatchRows);
}
