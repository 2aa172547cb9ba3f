/** Something the user can mend: printed as its sentence alone, without a stack. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Runs a script's main function; its number is the exit code, a SetupError is one sentence and exit code 1. */
export async function runMain(main) {
  // Exiting by ourselves lets the 'exit' hooks end children and remove temporary folders.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = 1;
  }
}
