import { readBindings } from '../../cluster/bindings/store.js';
import { readCancellation } from '../../cluster/cancellations.js';
import { deadLetterTopic } from '../../cluster/bindings/definition.js';
import type { Config } from '../../core/config/config.js';
import { readDeadLetter, type DeadLetter } from '../dead-letters/dead-letter.js';
import type { KafkaAdmin, KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { scanRanges, topicRanges } from '../../kafka/reading/scan-topic.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { topicNames } from '../../cluster/topics.js';
import type { ReplySummary } from '../../schemas/framing/framing.js';
import type { InferenceRequest } from '../../schemas/generated.js';
import { requestIn, replyIn, RequestId } from './request-id.js';

/** The role of a topic in the life of a request. */
type Role = 'request' | 'reply' | 'dead letter' | 'cancellation' | 'source' | 'result';

interface SearchedTopic {
  readonly topic: string;
  readonly role: Role;
  /** The model of a topic with requests. */
  readonly model?: string;
}

/** A record that matches the searched id. */
export interface TraceMatch {
  readonly role: Role;
  readonly record: KafkaRecord;
  readonly model: string | undefined;
  readonly request: InferenceRequest | undefined;
  readonly reply: ReplySummary | undefined;
  readonly letter: DeadLetter | undefined;
}

export interface TraceResult {
  /** In the order of their timestamps. */
  readonly matches: readonly TraceMatch[];
  readonly topics: readonly string[];
  /** True if there are more matches than listed. */
  readonly isCut: boolean;
}

export interface SearchedCluster {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly config: Config;
}

export interface SearchOptions {
  /** Milliseconds since the epoch of the oldest records to search. */
  readonly since: number;
  /** Reply topics in addition to those of the cluster and those named by requests. */
  readonly replyTopics: readonly string[];
}

const READ_LIMIT_MS = 30_000;
const TOPICS_AT_ONCE = 4;
const MAX_FOUND = 1_000;
/** Tolerated skew between the clocks of producers. */
const SKEW_MS = 60_000;

/**
 * Searches all topics of the cluster for a request by one of its ids, then for its replies, including the topics that it names.
 * @throws KafkaError if the cluster is unavailable
 */
export async function search(
  cluster: SearchedCluster,
  id: string,
  options: SearchOptions,
): Promise<TraceResult> {
  const existing = new Set(await cluster.admin.listTopics());
  const { first, second } = await topicsOf(cluster, existing);
  const found: TraceMatch[] = [];
  const searchIn = async (topics: readonly SearchedTopic[], requestId: RequestId): Promise<void> => {
    const present = topics.filter(({ topic }) => existing.has(topic));
    await inGroups(present, (topic) => scan(cluster, topic, { requestId, since: options.since, found }));
  };
  const requestId = RequestId.of(id);
  await searchIn(first, requestId);
  const requests = found.map(({ record, request }) => ({ record, id: request?.id }));
  const named = [...options.replyTopics, ...requests.flatMap(({ record }) => replyTopicOf(record) ?? [])];
  const answers = distinct([...second, ...named.map((topic) => ({ topic, role: 'reply' as const }))], first);
  await searchIn(answers, requestId.with(requests));
  const topics = [...first, ...answers].map(({ topic }) => topic).filter((topic) => existing.has(topic));
  found.sort((a, b) => a.record.timestamp - b.record.timestamp);
  return { matches: found.slice(0, MAX_FOUND), topics, isCut: found.length > MAX_FOUND };
}

function replyTopicOf({ headers }: KafkaRecord): string | undefined {
  return detectDialect(headers).read(headers).topic;
}

function distinct(topics: readonly SearchedTopic[], but: readonly SearchedTopic[]): SearchedTopic[] {
  const byName = new Map(topics.map((topic) => [topic.topic, topic]));
  for (const { topic } of but) byName.delete(topic);
  return [...byName.values()];
}

/** Returns the topics to search first, with requests and binding sources, and second, with their outcomes. */
async function topicsOf(
  { kafka, config }: SearchedCluster,
  existing: ReadonlySet<string>,
): Promise<{ first: SearchedTopic[]; second: SearchedTopic[] }> {
  const names = topicNames(config.prefix);
  const models = [...existing].flatMap((topic) => names.modelOf(topic) ?? []);
  const bindings = [...(await readBindings(kafka, config)).values()].map(({ definition }) => definition);
  return {
    first: [
      ...models.map((model) => ({ topic: names.requests(model), role: 'request' as const, model })),
      ...bindings.map(({ source, model }) => ({ topic: source.topic, role: 'source' as const, model })),
    ],
    second: [
      ...models.map((model) => ({ topic: names.replies(model), role: 'reply' as const, model })),
      { topic: names.clientReplies, role: 'reply' },
      { topic: names.cancellations, role: 'cancellation' },
      ...models.map((model) => ({ topic: names.deadLetters(model), role: 'dead letter' as const, model })),
      ...bindings.map(({ output, model }) => ({ topic: output.topic, role: 'result' as const, model })),
      ...bindings.map((binding) => ({ topic: deadLetterTopic(binding), role: 'dead letter' as const })),
    ],
  };
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += TOPICS_AT_ONCE)
    await Promise.all(items.slice(start, start + TOPICS_AT_ONCE).map(work));
}

/** One pass over the topics; `found` collects the matches of all passes. */
interface Pass {
  readonly requestId: RequestId;
  readonly since: number;
  readonly found: TraceMatch[];
}

async function scan(
  { kafka, admin, config }: SearchedCluster,
  searched: SearchedTopic,
  { requestId, since, found }: Pass,
): Promise<void> {
  const ranges = (await topicRanges(admin, searched.topic, since - SKEW_MS)) ?? [];
  const begun = found.map(({ record }) => record);
  await scanRanges(kafka, searched.topic, ranges, {
    limitMs: READ_LIMIT_MS,
    fetchMaxBytes: config.fetchMaxBytes,
    onRecords: (records) => {
      for (const record of records) {
        const match = found.length > MAX_FOUND ? undefined : matchOf(record, searched, requestId, begun);
        if (match) found.push(match);
      }
    },
  });
}

function matchOf(
  record: KafkaRecord,
  { role, model }: SearchedTopic,
  requestId: RequestId,
  begun: readonly KafkaRecord[],
): TraceMatch | undefined {
  if (role === 'cancellation') return cancellationOf(record, requestId);
  const isAnswer = role === 'reply' || role === 'result';
  const reply = (): ReplySummary | undefined => (isAnswer ? replyIn(record) : undefined);
  const request = (): InferenceRequest | undefined => (isAnswer ? undefined : requestIn(record, model ?? ''));
  const isMatch = requestId.matches(record, () => reply()?.id ?? request()?.id) !== undefined;
  const letter = role === 'dead letter' ? readDeadLetter(record) : undefined;
  if (!isMatch && !(letter && isOf(letter, begun))) return undefined;
  return {
    role,
    record,
    model,
    request: role === 'request' ? request() : undefined,
    reply: reply(),
    letter,
  };
}

function cancellationOf(record: KafkaRecord, requestId: RequestId): TraceMatch | undefined {
  if (!requestId.isAmong(readCancellation(record))) return undefined;
  return {
    role: 'cancellation',
    record,
    model: undefined,
    request: undefined,
    reply: undefined,
    letter: undefined,
  };
}

/** Returns true if it is the dead letter of one of these records. */
export function isOf({ origin }: DeadLetter, records: readonly KafkaRecord[]): boolean {
  return records.some(
    ({ topic, partition, offset }) =>
      origin?.topic === topic && origin.partition === partition && origin.offset === offset,
  );
}
