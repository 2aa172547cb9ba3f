import type { GroupMembership, Position } from '../../port.js';
import type { Cluster } from '../transport/cluster.js';
import { Coordinator, type Group, type Joined } from './group.js';

const OUTSIDE = { memberId: '', generation: -1 };

/** A fixed list of partitions without group membership. Offsets can be committed under the group's name. */
export class FixedAssignment implements Group {
  readonly #coordinator: Coordinator;
  #left: () => void = () => undefined;
  readonly #closed = new Promise<void>((resolve) => (this.#left = resolve));

  constructor(
    readonly cluster: Cluster,
    readonly group: string,
    readonly partitions: readonly number[],
  ) {
    this.#coordinator = new Coordinator(cluster, 'GROUP', group);
  }

  join(): Promise<Joined> {
    return Promise.resolve({ partitions: this.partitions, isNew: true });
  }

  async over(): Promise<readonly number[]> {
    await this.#closed;
    return this.partitions;
  }

  notePartitionCount(): void {
    // The assignment is fixed.
  }

  async commit(positions: readonly Position[]): Promise<void> {
    await this.#coordinator.commit(this.membership(), positions);
  }

  membership(): GroupMembership {
    return { group: this.group, ...OUTSIDE };
  }

  leave(): Promise<void> {
    this.#left();
    return Promise.resolve();
  }
}
