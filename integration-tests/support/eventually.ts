/** Asks again and again until it is true. @throws Error that says what was waited for */
export async function eventually(
  what: string,
  isTrue: () => Promise<boolean> | boolean,
  limitMs = 30_000,
): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
