/**
 * Reason for a missing reply: the timeout passed, the caller aborted, the client was closed, or the request never
 * reached the cluster.
 */
export type NoReplyReason = 'timeout' | 'aborted' | 'closed' | 'unsent';

/** A missing reply, although the request may have been computed. Error replies of nodes are `PartituraError`s. */
export class NoReplyError extends Error {
  override readonly name = 'NoReplyError';

  constructor(
    readonly reason: NoReplyReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
