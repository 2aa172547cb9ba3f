/** Content types, as senders write them: https://www.rfc-editor.org/rfc/rfc9110#name-media-type */

const OF_ANYTHING = new Set(['application/octet-stream', 'binary/octet-stream', '*/*']);

/**
 * Type and subtype in lower case, without parameters. Some serializers of headers put text into quotes.
 * @returns undefined where there is no content type, or one that says no more than none does
 */
export function mediaType(contentType: string | undefined): string | undefined {
  const type = contentType
    ?.replace(/^[\s"]+/, '')
    .split(/[;"]/, 1)[0]
    ?.trim()
    .toLowerCase();
  return type === undefined || type === '' || OF_ANYTHING.has(type) ? undefined : type;
}

/** Whether documents of a media type are JSON: https://www.rfc-editor.org/rfc/rfc6839#section-3.1 */
export function isJsonType(type: string | undefined): boolean {
  return type === 'application/json' || type === 'text/json' || /^[^/]+\/[^/]+\+json$/.test(type ?? '');
}
