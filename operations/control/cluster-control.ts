import {
  modelRecord,
  nodeRecord,
  type Directive,
  type ModelDirective,
} from '../../cluster/control/directives.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { LiveNodes } from '../../cluster/live-nodes.js';
import { sleep } from '../../core/time.js';
import { KafkaError, type KafkaProducer, type OutgoingRecord } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import { checkModelName } from '../../schemas/model-name.js';
import {
  judgeDrain,
  judgeLoad,
  judgeUnload,
  outcomeOf,
  type DirectiveOutcome,
  type JudgeNode,
} from './outcome.js';

const POLL_MS = 100;
/** Time until a directive that was written is read back. */
const READ_BACK_MS = 10_000;

export interface ControlParts {
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly directives: LiveDirectives;
  readonly nodes: LiveNodes;
  /** The control topic. */
  readonly topic: string;
}

/** Options of a command. */
export interface CommandOptions {
  /** Person or program that asks. */
  readonly requestedBy: string;
  /** Time to wait for the nodes, milliseconds. */
  readonly limitMs: number;
}

/**
 * Writes directives and waits for what becomes of them. A directive stays when waiting ends: nodes that come later
 * follow it, too.
 */
export class ClusterControl {
  constructor(readonly parts: ControlParts) {}

  /** Loads a model on all nodes, or tries again where loading failed. */
  load(model: string, options: CommandOptions): Promise<DirectiveOutcome> {
    return this.#changeModel(model, { loaded: true }, judgeLoad(model), options);
  }

  unload(model: string, options: CommandOptions): Promise<DirectiveOutcome> {
    return this.#changeModel(model, { loaded: false }, judgeUnload(model), options);
  }

  /** Changes version policy or labels of a model. @throws PartituraError INVALID_REQUEST for an unknown version */
  configure(
    model: string,
    change: Partial<Pick<ModelDirective, 'versionPolicy' | 'labels'>>,
    options: CommandOptions,
  ): Promise<DirectiveOutcome> {
    return this.#changeModel(model, change, judgeLoad(model), options);
  }

  /** Unloads all models of a node and gives its partitions to others, or ends that. */
  async drain(node: string, drained: boolean, options: CommandOptions): Promise<DirectiveOutcome> {
    if (drained && !this.parts.nodes.nodes().some((known) => known.node === node))
      throw this.#unknownNode(node);
    const { requestedBy } = options;
    const value = { drained, requestedBy, requestedAt: Date.now() };
    const record = nodeRecord(this.parts.topic, node, value);
    const offset = await this.#write(record, { kind: 'node', name: node, requestedAt: value.requestedAt });
    return this.#wait(offset, judgeDrain(node, drained), options);
  }

  async #changeModel(
    model: string,
    change: Partial<ModelDirective>,
    judge: JudgeNode,
    options: CommandOptions,
  ): Promise<DirectiveOutcome> {
    checkModelName(model);
    const { requestedBy } = options;
    const value = { ...this.parts.directives.model(model), ...change, requestedBy, requestedAt: Date.now() };
    const record = modelRecord(this.parts.topic, model, value);
    const offset = await this.#write(record, { kind: 'model', name: model, requestedAt: value.requestedAt });
    return this.#wait(offset, judge, options);
  }

  /** Writes a record and waits until it, or a later one that supersedes it, is read back. @returns its offset */
  async #write(record: OutgoingRecord, target: Target): Promise<number> {
    const before = this.parts.directives.all().find((one) => isOf(one, target))?.offset ?? -1;
    await this.parts.producer.send([record]);
    for (const giveUpAt = Date.now() + READ_BACK_MS; Date.now() < giveUpAt; await sleep(POLL_MS)) {
      const written = this.parts.directives
        .all()
        .find(
          (one) => isOf(one, target) && one.offset > before && one.value.requestedAt >= target.requestedAt,
        );
      if (written) return written.offset;
    }
    throw new KafkaError('unavailable', `a directive was written but not read within ${READ_BACK_MS} ms`);
  }

  async #wait(offset: number, judge: JudgeNode, { limitMs }: CommandOptions): Promise<DirectiveOutcome> {
    const giveUpAt = Date.now() + limitMs;
    for (;;) {
      const outcome = outcomeOf(this.parts.nodes.nodes(), offset, judge);
      if (outcome.settled || Date.now() >= giveUpAt) return outcome;
      await sleep(POLL_MS);
    }
  }

  #unknownNode(node: string): PartituraError {
    const known = this.parts.nodes.nodes().map((one) => `'${one.node}'`);
    return new PartituraError(
      'INVALID_REQUEST',
      `node: expected one of ${known.join(', ') || 'none'}, got '${node}'`,
    );
  }
}

/** The model or node of a directive, and the time at which it was asked for. */
interface Target extends Pick<Directive, 'kind' | 'name'> {
  readonly requestedAt: number;
}

function isOf(directive: Directive, { kind, name }: Target): boolean {
  return directive.kind === kind && directive.name === name;
}
