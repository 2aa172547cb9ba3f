import { headerText, type Framing } from './framing.js';
import { oipJson } from './oip-json.js';

/**
 * Records in the format of MLServer's Kafka handler: the same JSON, but model and version are headers and the
 * record's key is the request id. Replies have the same key.
 */
const MODEL = 'mlserver-model';
const VERSION = 'mlserver-version';

export const mlserverJson: Framing = {
  name: 'mlserver-json',
  headers: oipJson.headers,
  headersOf: oipJson.headersOf,

  detects: (value, headers) => headers[MODEL] !== undefined && oipJson.detects(value, headers),

  decodeRequest(value, model, { key, headers }) {
    const request = oipJson.decodeRequest(value, model);
    request.model = headerText(headers, MODEL) || model;
    request.modelVersion = headerText(headers, VERSION) || null;
    if (key && key.length > 0) request.id = key.toString('utf8');
    return request;
  },

  encodeReply: (reply) => oipJson.encodeReply(reply),

  readReply: (value, headers) => oipJson.readReply(value, headers),
};
