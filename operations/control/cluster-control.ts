import { modelRecords, nodeRecord, type ModelChange } from '../../cluster/control/directives.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { LiveNodes } from '../../cluster/live-nodes.js';
import { sleep } from '../../core/time.js';
import type { KafkaProducer, OutgoingRecord } from '../../kafka/port.js';
import { type PartituraError, invalidRequest } from '../../schemas/errors.js';
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
    change: Pick<ModelChange, 'versionPolicy' | 'labels'>,
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
    const offset = await this.#write([nodeRecord(this.parts.topic, node, value)]);
    return this.#wait(offset, judgeDrain(node, drained), options);
  }

  async #changeModel(
    model: string,
    change: ModelChange,
    judge: JudgeNode,
    options: CommandOptions,
  ): Promise<DirectiveOutcome> {
    checkModelName(model);
    const { requestedBy } = options;
    const by = { requestedBy, requestedAt: Date.now() };
    const offset = await this.#write(modelRecords(this.parts.topic, model, change, by));
    return this.#wait(offset, judge, options);
  }

  /** Writes records and waits until they are read back. @returns the offset of the last directive by then */
  async #write(records: readonly OutgoingRecord[]): Promise<number> {
    await this.parts.producer.send(records);
    return (await this.parts.directives.readToEnd()) - 1;
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
    return invalidRequest(`node: expected one of ${known.join(', ') || 'none'}, got '${node}'`);
  }
}
