#!/usr/bin/env node
import { runCli } from './run-cli.js';

const interrupt = new AbortController();
process.on('SIGINT', () => {
  // The second one ends at once, whatever is going on.
  if (interrupt.signal.aborted) process.exit(130);
  interrupt.abort();
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
