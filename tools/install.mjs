import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './run-child.mjs';

const TAIL_SHOWN = 40;

const lockPath = (root) => join(root, 'package-lock.json');
const installedPath = (root) => join(root, 'node_modules', '.package-lock.json');
const stampPath = (root) => join(root, 'node_modules', '.hopscope-lock');

const lockHash = (root) =>
  createHash('sha256')
    .update(readFileSync(lockPath(root)))
    .digest('hex');

/**
 * True when node_modules was installed from this very lock file: npm wrote its own record after the lock was written, or our
 * stamp names the lock's content (a checkout of another branch and back changes the time, not the content).
 */
export function isInstalled(root) {
  // npm writes this record last, so that an installation that was cut off does not count.
  if (!existsSync(installedPath(root))) return false;
  if (existsSync(stampPath(root)) && readFileSync(stampPath(root), 'utf8') === lockHash(root)) return true;
  return statSync(installedPath(root)).mtimeMs >= statSync(lockPath(root)).mtimeMs;
}

/** Records that what is installed belongs to the lock file as it is now. */
export function stampInstalled(root) {
  writeFileSync(stampPath(root), lockHash(root));
}

function npmCommand() {
  // Under `npm start` the very npm that runs us is known; on its own, the one on PATH.
  const own = process.env.npm_execpath;
  return own?.endsWith('.js') ? { command: process.execPath, first: [own] } : { command: 'npm', first: [] };
}

export function cureOf(tail) {
  if (/EACCES|EPERM|EROFS/.test(tail))
    return 'The directory is not writable for this user: correct its owner, or run as the user who owns it.';
  if (/ENOSPC/.test(tail)) return 'The disk is full: make room and try again.';
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i.test(tail))
    return 'The npm registry cannot be reached: check the network, the proxy and `npm config get registry`, then try again.';
  if (/can only install packages when your package.json and package-lock.json|Missing: .* from lock file/.test(tail))
    return 'package.json and package-lock.json disagree: run `npm install && npm run complete-lock`, and commit both.';
  return 'Look at the lines above; `npm ci` in this directory shows all of them.';
}

/** npm ends some errors with the whole usage of the command, which would bury the reason. */
export function withoutUsage(tail) {
  // Warnings about engines say nothing about the failure.
  const lines = tail.split('\n').filter((line) => !line.startsWith('npm warn EBADENGINE'));
  const usage = lines.findIndex((line) => /Clean install a project|^npm error Usage:/.test(line));
  return (usage < 0 ? lines : lines.slice(0, usage)).slice(-TAIL_SHOWN).join('\n').trimEnd();
}

/** Installs what package-lock.json names, if that is not there yet. False when it failed; the reason has been printed. */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return true;
  console.error('Installing the dependencies (once; about a minute) …');
  const { command, first } = npmCommand();
  const done = await runChild(
    command,
    [...first, 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'],
    {
      cwd: root,
      title: 'npm ci',
      tailLines: 400,
      // Prisma's packages try to fetch a native engine at install time when npm runs their scripts; nothing here uses it.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath },
    },
  );
  if (done.code !== 0) {
    console.error(`${withoutUsage(done.tail)}\n\nnpm ci failed (exit code ${done.code}). ${cureOf(done.tail)}`);
    return false;
  }
  stampInstalled(root);
  console.error(`Installed in ${done.seconds.toFixed(0)} s.`);
  return true;
}
