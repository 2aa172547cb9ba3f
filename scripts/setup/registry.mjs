// Fetches Apicurio Registry from Maven Central on first use, for tests and `partitura up --registry`.
// As a program it prints the path of the jar.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { runMain } from './errors.mjs';
import { run } from './run.mjs';

/** The last version for Java 17. */
const version = '3.0.9';
/** The last release line of the plugin that accepts an archive whose parent POM is not published. */
const unpack = 'org.apache.maven.plugins:maven-dependency-plugin:2.10:unpack';

/** Returns the path of the registry's jar. */
async function fetchRegistry(log) {
  const folder = await cached(`apicurio-${version}`, async (draft) => {
    log(`fetching Apicurio Registry ${version} from Maven Central (109 MB)`);
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
    const args = ['-B', '-q', unpack, `-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`]
      // Without a POM the plugin would leave a folder named `${project.basedir}` in the checkout.
      .concat(`-DmarkersDirectory=${join(draft, 'markers')}`);
    await run('mvn', args, { what: 'fetching the schema registry', limitMs: 10 * 60_000 });
  });
  const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar'));
  return join(folder, jar);
}

await runMain(async () => {
  console.log(await fetchRegistry((line) => console.error(`setup: ${line}`)));
});
