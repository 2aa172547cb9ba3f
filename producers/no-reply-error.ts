/** Why no reply came: its time was up, the caller gave up, the client was closed, or the request never reached the cluster. */
export type NoReplyReason = 'timeout' | 'aborted' | 'closed' | 'unsent';

/** There is no reply. The request may have been computed all the same. Errors that a node answers with are `PartituraError`s. */
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
