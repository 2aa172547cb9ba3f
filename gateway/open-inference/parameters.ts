import { invalidRequest } from '../../schemas/errors.js';

/** Parameters that the gateway reads and nodes do not. */
const GATEWAY_PARAMETERS = ['binary_data_output', 'timeout', 'triton_enable_empty_final_response'];

/** Removes parameters that only the gateway reads. */
export function nodeParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name]) => !GATEWAY_PARAMETERS.includes(name)),
  );
}

/**
 * Reads Triton's parameter `timeout`, in microseconds, as milliseconds; 0 and no parameter are no timeout.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_schedule_policy.md
 * @throws PartituraError INVALID_REQUEST
 */
export function tritonTimeoutMs({ timeout }: Readonly<Record<string, string>>): number | undefined {
  if (timeout === undefined || timeout === '0') return undefined;
  const micros = Number(timeout);
  if (Number.isFinite(micros) && micros > 0) return micros / 1_000;
  throw invalidRequest(`parameters.timeout: expected microseconds, got '${timeout}'`);
}
