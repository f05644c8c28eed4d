// SPDX-License-Identifier: GPL-2.0-only

function textOf(error: unknown): string {
  const whole = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const parts = whole instanceof AggregateError ? [whole, ...whole.errors] : [whole];
  return parts.map((part) => (part instanceof Error ? part.message : String(part))).join('\n');
}

/** Runs a command to its end. The exit status is 1 where `main` returns false or throws, for which the reason is said. */
export async function command(main: () => Promise<boolean>): Promise<void> {
  try {
    if (!(await main())) process.exitCode = 1;
  } catch (error) {
    process.stderr.write(`${textOf(error)}\n`);
    process.exitCode = 1;
  }
}
