import type { LoadedModel } from '../../engine/engine.js';
import { obstacleInGraph } from './graph.js';
import { Difference, Refusal, Untried } from './findings.js';
import { Proof } from './proof.js';
import { startClock, type ProofClock, type ProofLimits } from './proof-clock.js';
import { ESSENTIAL_ROWS } from './plan.js';
import { SizeSearch } from './sizes.js';
import { valueKinds } from './values.js';
import { obstacleToBatching, type BatchingVerdict, type Standing } from './verdict.js';

/** A verdict, and how far the next start may rely on it. */
export interface ProvenVerdict extends BatchingVerdict {
  readonly standing: Standing;
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
    return verdict(true, proof.summary, proof.isCut ? 'cut' : 'final');
  } catch (error) {
    if (error instanceof Difference) return verdict(false, error.message);
    if (error instanceof Untried)
      return verdict(false, `could not be tried: ${error.message}`, error.standing);
    throw error;
  }
}

function verdict(batchable: boolean, reason: string, standing: Standing = 'final'): ProvenVerdict {
  return { batchable, reason, standing };
}

/**
 * Proves it with the first values that the model accepts and that tell something: where all answers are alike, others
 * are tried.
 * @throws Untried where the model accepts none
 */
async function finishedProof(model: ProvenModel, clock: ProofClock, maxBatchRows: number): Promise<Proof> {
  const { signature } = model;
  const search = new SizeSearch(signature, MAX_REQUEST_BYTES / ESSENTIAL_ROWS);
  let refusal: string | undefined;
  for (let shapes = search.next(); shapes; shapes = search.next()) {
    let alike: Proof | undefined;
    let refused: string | undefined;
    for (const kind of valueKinds(signature)) {
      if (alike && clock.now() >= clock.budgetEnd) break;
      const proof = new Proof(model, kind, shapes, clock);
      const failure = (await proof.runEssential()) ?? (await goOnIfTelling(proof, maxBatchRows));
      if (!failure && !proof.areAnswersAlike) return proof;
      if (!failure) alike ??= proof;
      else if (failure instanceof Refusal) refused ??= failure.message;
      else if (alike) break;
      else throw failure;
    }
    if (alike && !(await alike.goOn(maxBatchRows))) return alike;
    if (refused !== undefined) search.learn(shapes, refused);
    refusal ??= refused;
  }
  throw new Untried(
    refusal === undefined ? 'too large' : `the model refuses random inputs: ${refusal}`,
    'final',
  );
}

async function goOnIfTelling(proof: Proof, maxBatchRows: number): Promise<Refusal | undefined> {
  return proof.areAnswersAlike ? undefined : proof.goOn(maxBatchRows);
}
