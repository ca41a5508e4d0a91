import { CommanderError } from 'commander';
import type { HopscopeError } from '#libs/model';
import { EXIT } from './exit-code.js';
import type { CliIo } from './io.js';
import { BrokenPipe } from './output/writer.js';
import { createProgram } from './program.js';

// Errors of this kind are about the world, not about what was typed.
const UNAVAILABLE = /^(CLUSTER|SERVER|CLOUD)_/;

/** Runs the command line and answers with its exit code. Never throws, never exits. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let status: number = EXIT.reachable;
  const program = createProgram(io, (code) => {
    status = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (io.signal.aborted) return EXIT.interrupted;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.reachable : EXIT.usage;
    if (error instanceof BrokenPipe) return error.status;
    // Loaded only when something went wrong: --help should not wait for it.
    const { HopscopeError } = await import('#libs/model');
    if (error instanceof HopscopeError) {
      io.stderr.write(explain(error));
      return UNAVAILABLE.test(error.code) ? EXIT.unavailable : EXIT.usage;
    }
    io.stderr.write(explainDefect(error, io));
    return EXIT.defect;
  }
}

function explain({ code, message, problems }: HopscopeError): string {
  if (code !== 'USAGE') return `hopscope: ${code}: ${message}\n`;
  const lines = problems.map(({ path, message: text }) => `  ${path}: ${text}\n`);
  return `hopscope: ${message}\n${lines.join('')}See \`hopscope --help\`.\n`;
}

function explainDefect(error: unknown, { env }: CliIo): string {
  const text = error instanceof Error ? error.message : String(error);
  const stack = env.HOPSCOPE_DEBUG !== undefined && error instanceof Error ? `${error.stack}\n` : '';
  return `hopscope: this is a defect of hopscope: ${text}\n${stack || 'Set HOPSCOPE_DEBUG=1 to see where, and report it.\n'}`;
}
