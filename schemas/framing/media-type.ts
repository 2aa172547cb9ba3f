/** Content types, as senders write them: https://www.rfc-editor.org/rfc/rfc9110#name-media-type */

const UNSPECIFIC_TYPES = new Set(['application/octet-stream', 'binary/octet-stream', '*/*']);

/**
 * Returns type and subtype in lower case, without parameters. Some header serializers put text in quotes.
 * @returns undefined for a missing or unspecific content type
 */
export function mediaType(contentType: string | undefined): string | undefined {
  const type = contentType
    ?.replace(/^[\s"]+/, '')
    .split(/[;"]/, 1)[0]
    ?.trim()
    .toLowerCase();
  return type === undefined || type === '' || UNSPECIFIC_TYPES.has(type) ? undefined : type;
}

/** Returns true for media types of JSON documents: https://www.rfc-editor.org/rfc/rfc6839#section-3.1 */
export function isJsonType(type: string | undefined): boolean {
  return type === 'application/json' || type === 'text/json' || /^[^/]+\/[^/]+\+json$/.test(type ?? '');
}
