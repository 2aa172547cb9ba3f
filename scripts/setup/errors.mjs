/** An error that the user can fix, printed without a stack trace. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Runs the main function of a script and sets the exit code to its result. A SetupError is printed as a message, with exit code 1. */
export async function runMain(main) {
  // An explicit exit runs the 'exit' hooks, which stop children and remove temporary folders.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = 1;
  }
}
