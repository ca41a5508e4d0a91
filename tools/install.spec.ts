import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cureOf, isInstalled, stampInstalled, withoutUsage } from './install.mjs';
import { isAtLeast } from './require-node.mjs';

describe('isAtLeast', () => {
  it.each([
    { version: '20.19.0', least: '20.19', answer: true },
    { version: '20.18.3', least: '20.19', answer: false },
    { version: '18.20.4', least: '20.19', answer: false },
    { version: '22.0.0', least: '20.19', answer: true },
    { version: '20.9.0', least: '20.19', answer: false },
  ])('$version is at least $least: $answer', ({ version, least, answer }) => {
    expect(isAtLeast(version, least)).toBe(answer);
  });
});

describe('isInstalled', () => {
  let root: string;
  const lock = () => join(root, 'package-lock.json');
  const record = () => join(root, 'node_modules', '.package-lock.json');
  const at = (path: string, seconds: number) => utimesSync(path, seconds, seconds);
  beforeEach(() => {
    // A name with a space, as user directories have them.
    root = mkdtempSync(join(tmpdir(), 'hopscope install '));
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(lock(), '{}');
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it("is false without npm's record, which is written last", () => {
    expect(isInstalled(root)).toBe(false);
  });

  it('is true when the record is newer than the lock, false when it is older', () => {
    writeFileSync(record(), '{}');
    at(lock(), 1000);
    at(record(), 2000);
    expect(isInstalled(root)).toBe(true);

    at(lock(), 3000);
    expect(isInstalled(root)).toBe(false);
  });

  it('goes by content when the stamp names it, whatever the times', () => {
    writeFileSync(record(), '{}');
    stampInstalled(root);
    at(record(), 1000);
    expect(isInstalled(root)).toBe(true);

    writeFileSync(lock(), '{"changed": true}');
    expect(isInstalled(root)).toBe(false);
  });
});

describe('cureOf', () => {
  it.each([
    { tail: 'npm error code EACCES', cure: 'not writable' },
    { tail: 'npm error code ENOSPC', cure: 'disk is full' },
    { tail: 'npm error code ENOTFOUND', cure: 'registry cannot be reached' },
    { tail: 'npm error Missing: a@1.0.0 from lock file', cure: 'npm run complete-lock' },
    { tail: 'npm error something else', cure: 'npm ci' },
  ])('$tail', ({ tail, cure }) => {
    expect(cureOf(tail)).toContain(cure);
  });
});

describe('withoutUsage', () => {
  it('keeps the reason and leaves out the usage that follows', () => {
    const tail =
      'npm error Missing: a@1.0.0 from lock file\nnpm error\nnpm error Clean install a project\nnpm error   --foo';

    expect(withoutUsage(tail)).toBe('npm error Missing: a@1.0.0 from lock file\nnpm error');
  });
});
