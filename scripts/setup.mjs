// Prepares a fresh clone: npm packages, TensorFlow addon, Kafka jars, compiled sources. Completed steps are skipped.
import { pathToFileURL } from 'node:url';
import { compile, isCompiled } from './setup/compile.mjs';
import { installDependencies, isInstalled } from './setup/dependencies.mjs';
import { runMain } from './setup/errors.mjs';
import { fetchKafkaJars, haveKafkaJars, isKafkaReady } from './setup/kafka.mjs';
import { withCheckoutLocked } from './setup/lock.mjs';
import { checkPrerequisites, hasJava } from './setup/prerequisites.mjs';
import { haveTensorFlow, isBuiltHere, isProven, isWanted, setUpTensorFlow } from './setup/tensorflow.mjs';

/**
 * Runs the setup. `dev` also compiles tests, benchmarks and examples; otherwise only the sources of `partitura`.
 * Calls `log` with one line per executed step. Throws SetupError with a message for the user.
 */
export async function setup({ dev, log }) {
  const usesOwnBroker = (process.env.KAFKA_BROKERS ?? '') === '';
  checkPrerequisites({
    broker: usesOwnBroker,
    kafkaJars: usesOwnBroker && !haveKafkaJars(),
    addon: isWanted() && isBuiltHere && !haveTensorFlow(),
  });
  if (isDone({ dev, usesOwnBroker })) return;
  await withCheckoutLocked(log, async () => {
    const packages = installDependencies(log);
    await Promise.all([
      packages.then(() => compile({ dev, log })),
      setUpTensorFlow(log, packages),
      usesOwnBroker && runsBrokerInJava() ? fetchKafkaJars(log) : undefined,
    ]);
  });
}

function isDone({ dev, usesOwnBroker }) {
  if (!isInstalled() || !isCompiled({ dev })) return false;
  return (!isWanted() || isProven()) && (!usesOwnBroker || isKafkaReady() || !hasJava());
}

/** Without Java the broker runs in Docker, whose image contains the jars. */
const runsBrokerInJava = () => haveKafkaJars() || hasJava();

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  await runMain(() => setup({ dev: true, log: (line) => console.error(`setup: ${line}`) }));
