import type { RequestChannel } from '../producers/request-channel.js';
import { statedError } from '../schemas/errors.js';
import type { SendPart } from './dispatch/dispatcher.js';

/** Returns the function that sends parts to nodes as ordinary requests. @param timeoutMs time for the answer to one part */
export function sendThrough(
  channel: Pick<RequestChannel, 'request'>,
  timeoutMs: number,
): (priority: string) => SendPart {
  return (priority) => async (part, signal) => {
    const request = {
      id: '',
      model: part.model,
      modelVersion: null,
      inputs: [...part.inputs],
      outputs: [],
      parameters: { priority },
      deadline: Date.now() + timeoutMs,
    };
    const { error, outputs } = await channel.request(request, { timeoutMs, signal });
    if (!error) return outputs;
    throw statedError(error);
  };
}
