#!/usr/bin/env node
// `npm ci` refuses a lock file that lacks an optional package, also one for another platform; a registry mirror that does not
// carry those makes `npm install` leave them out. This adds the missing ones, and takes download addresses out of the lock, so
// that everybody installs from the registry that is configured. `--check` only looks. Run it after every change of dependencies.
import './require-node.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, isMain } from './root.mjs';
import { isInstalled, stampInstalled } from './install.mjs';

const SYSTEMS = ['linux', 'darwin', 'win32', 'freebsd', 'openbsd', 'netbsd', 'android', 'openharmony', 'sunos', 'aix'];
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'wasm32', 'mips64el'];
/** How package names spell a processor when it is not Node's word. */
const SPELLINGS = {
  armv7: 'arm',
  armhf: 'arm',
  x86_64: 'x64',
  aarch64: 'arm64',
  i686: 'ia32',
  mipsel: 'mipsel',
  universal: undefined,
};

/** What a platform package's name says: `@swc/core-linux-arm64-musl` is for linux, arm64, musl. Undefined when it names none. */
export function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, '').split(/[-.]/);
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words
    .map((word) => (word in SPELLINGS ? SPELLINGS[word] : word))
    .find((word) => PROCESSORS.includes(word));
  if (os === undefined && cpu !== 'wasm32') return undefined;
  const musl = words.some((word) => word.startsWith('musl'));
  const glibc = words.some((word) => word.startsWith('gnu') || word === 'glibc');
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(os === undefined ? {} : { os: [os] }),
    ...(os === 'linux' && (musl || glibc) ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
  };
}

/** The place in the lock where `parent` would find `name`, as Node resolves, or undefined. */
function findFrom(packages, parent, name) {
  for (let at = parent; ;) {
    const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (at === '') return undefined;
    const up = at.lastIndexOf('/node_modules/');
    at = up < 0 ? '' : at.slice(0, up);
  }
}

/** Answers a completed copy, and what was wrong with the original. */
export function completeLock(lock) {
  const packages = structuredClone(lock.packages);
  const problems = [];
  for (const [place, entry] of Object.entries(packages)) {
    if (entry.resolved !== undefined && /^https?:/.test(entry.resolved)) {
      problems.push(`${place} names a download address (${new URL(entry.resolved).host})`);
      delete entry.resolved;
    }
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (findFrom(packages, place, name) !== undefined) continue;
      const platform = platformOf(name);
      if (platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) {
        problems.push(`${name}@${version}, optional for ${place}, is missing and cannot be completed: run npm install`);
        continue;
      }
      problems.push(`${name}@${version}, optional for ${place}, is missing`);
      packages[`node_modules/${name}`] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
    }
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
  return { lock: { ...lock, packages: problems.length > 0 ? sorted : packages }, problems };
}

/** package.json and the lock's own copy of it must say the same, or `npm ci` fails for whoever clones next. */
export function findDrift(manifest, lock) {
  const own = lock.packages[''] ?? {};
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) => {
    const names = new Set([...Object.keys(manifest[kind] ?? {}), ...Object.keys(own[kind] ?? {})]);
    return [...names]
      .filter((name) => manifest[kind]?.[name] !== own[kind]?.[name])
      .map(
        (name) =>
          `${kind}.${name}: package.json says ${manifest[kind]?.[name] ?? 'nothing'}, the lock ${own[kind]?.[name] ?? 'nothing'}`,
      );
  });
}

if (isMain(import.meta.url)) {
  const lockPath = join(ROOT, 'package-lock.json');
  const original = JSON.parse(readFileSync(lockPath, 'utf8'));
  const { lock, problems } = completeLock(original);
  const drift = findDrift(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')), original);
  for (const line of [...problems, ...drift]) console.log(line);
  if (drift.length > 0) console.log('package.json and package-lock.json disagree: run npm install');
  if (!process.argv.includes('--check') && problems.length > 0) {
    const installed = isInstalled(ROOT);
    writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`);
    // Entries for other platforms change nothing here: what is installed stays installed.
    if (installed) stampInstalled(ROOT);
    console.log(`package-lock.json completed (${problems.length} place(s)).`);
    process.exitCode = drift.length > 0 || problems.some((line) => line.includes('cannot be completed')) ? 1 : 0;
  } else {
    if (problems.length > 0) console.log('package-lock.json is not complete: run npm run complete-lock');
    process.exitCode = problems.length + drift.length > 0 ? 1 : 0;
  }
}
