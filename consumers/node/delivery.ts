import type { Delivery } from '../../core/config/node.js';
import { KafkaError, type KafkaAdmin } from '../../kafka/port.js';

/** The delivery of a model's requests to its nodes, and the reason if it is not the configured one. */
export interface ChosenDelivery {
  readonly delivery: Delivery;
  readonly note: string | undefined;
}

/** Falls back to `ordered` on clients and brokers without share groups. */
export async function chooseDelivery(
  wanted: Delivery,
  admin: Pick<KafkaAdmin, 'shareGroupProblem'>,
): Promise<ChosenDelivery> {
  const problem = wanted === 'queue' ? await admin.shareGroupProblem() : undefined;
  return problem === undefined
    ? { delivery: wanted, note: undefined }
    : { delivery: 'ordered', note: `not delivered as a queue: ${problem}` };
}

/**
 * Returns the delivery that the type of the existing group requires, if it is not the one that was tried: all nodes of a
 * model deliver alike, since a name is that of a consumer group or of a share group, never of both. Undefined for another
 * error, and for a group whose type was followed already.
 */
export function followGroup(
  { delivery, note }: ChosenDelivery,
  group: string,
  cause: unknown,
): ChosenDelivery | undefined {
  if (!(cause instanceof KafkaError) || cause.kind !== 'other-group-type' || note !== undefined)
    return undefined;
  return delivery === 'queue'
    ? {
        delivery: 'ordered',
        note: `not delivered as a queue: ${group} is a consumer group until it is deleted`,
      }
    : { delivery: 'queue', note: `delivered as a queue: ${group} is a share group until it is deleted` };
}
