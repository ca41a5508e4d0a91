import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const TAIL_LINES = 40;
const FIRST_NOTE_MS = 2000;
const NOTE_EVERY_MS = 4000;

const running = new Set();
let stopping = false;

/**
 * Runs a command to its end and answers `{ code, tail, seconds }`. With a `title` its output is kept back (only the tail is
 * remembered) and a line every few seconds says that it is still at work; without, the output goes straight through.
 * After `timeoutMs` it is ended, which shows as code 124.
 */
export function runChild(command, args, { cwd, env = process.env, title, timeoutMs, tailLines = TAIL_LINES } = {}) {
  const began = Date.now();
  const quiet = title !== undefined;
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  running.add(child);
  let tail = [];
  const remember = (chunk) => {
    tail = (tail.join('\n') + String(chunk)).split('\n').slice(-tailLines);
  };
  child.stdout?.on('data', remember);
  child.stderr?.on('data', remember);
  const note = () => console.error(`  … ${title} (${Math.round((Date.now() - began) / 1000)} s)`);
  let timer = quiet ? setTimeout(again, FIRST_NOTE_MS) : undefined;
  function again() {
    note();
    timer = setTimeout(again, NOTE_EVERY_MS);
  }
  let late = false;
  const limit =
    timeoutMs === undefined ? undefined : setTimeout(() => ((late = true), child.kill('SIGKILL')), timeoutMs);
  return new Promise((resolve) => {
    const finish = (code, problem) => {
      clearTimeout(timer);
      clearTimeout(limit);
      running.delete(child);
      if (problem) remember(`\n${problem}`);
      resolve({ code, tail: tail.join('\n').trim(), seconds: (Date.now() - began) / 1000 });
    };
    child.on('error', (error) => finish(127, `${command}: ${error.message}`));
    child.on('close', (code, signal) => finish(late ? 124 : (code ?? 128 + (constants.signals[signal] ?? 0))));
  });
}

/** While children run, a signal ends them first and then us, with the exit code that shells expect. */
export function endChildrenOnSignal() {
  const end = (signal) => {
    if (stopping) return;
    stopping = true;
    const children = [...running];
    for (const child of children) child.kill(signal);
    // Ctrl-C reaches the children from the terminal too; whoever ignores it is not waited for longer than this.
    const deadline = setTimeout(() => process.exit(128 + constants.signals[signal]), 3000);
    void Promise.all(children.map((child) => new Promise((done) => child.once('exit', done)))).then(() => {
      clearTimeout(deadline);
      process.exit(128 + constants.signals[signal]);
    });
  };
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => end(signal)]);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return function letGo() {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}
