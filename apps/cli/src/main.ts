#!/usr/bin/env node
import { runCli } from './run-cli.js';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second one ends at once, whatever is going on.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
});

// `hopscope --help | head -1`: the reader has seen enough. Answers are watched by their writer.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
});
// A standard input that is still open must not keep the program alive.
process.stdin.destroy();
