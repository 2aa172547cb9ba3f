/** Adds one header's value under its name; a name that occurs several times has a list. */
export function addHeader<V>(byName: Record<string, V | V[]>, name: string, value: V): void {
  // Most names are new and no object has them by nature: this is the hot path.
  if (byName[name] === undefined) byName[name] = value;
  else addRepeated(byName, name, value);
}

function addRepeated<V>(byName: Record<string, V | V[]>, name: string, value: V): void {
  const known = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (known === undefined) define(byName, name, value);
  else if (Array.isArray(known)) known.push(value);
  else define(byName, name, [known, value]);
}

/** Plain assignment would take a header named `__proto__` for the prototype. */
function define(byName: object, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(byName, name, { value, enumerable: true, writable: true, configurable: true });
  else (byName as Record<string, unknown>)[name] = value;
}
