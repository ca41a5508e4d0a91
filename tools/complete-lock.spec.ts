import { completeLock, findDrift, platformOf } from './complete-lock.mjs';

describe('platformOf', () => {
  it.each([
    { name: '@swc/core-darwin-arm64', says: { os: ['darwin'], cpu: ['arm64'] } },
    { name: '@oxlint/binding-linux-x64-musl', says: { os: ['linux'], cpu: ['x64'], libc: ['musl'] } },
    { name: '@oxc-parser/binding-linux-arm-gnueabihf', says: { os: ['linux'], cpu: ['arm'], libc: ['glibc'] } },
    { name: '@unrs/resolver-binding-win32-ia32-msvc', says: { os: ['win32'], cpu: ['ia32'] } },
    { name: '@oxc-resolver/binding-wasm32-wasi', says: { cpu: ['wasm32'] } },
    { name: 'msgpackr-extract', says: undefined },
  ])('$name', ({ name, says }) => {
    expect(platformOf(name)).toEqual(says);
  });
});

describe('completeLock', () => {
  const lock = (packages: Readonly<Record<string, object>>) => ({
    lockfileVersion: 3,
    packages: { '': {}, ...packages },
  });

  it('adds the optional packages for other platforms that are missing', () => {
    const { lock: completed, problems } = completeLock(
      lock({
        'node_modules/a': {
          version: '1.0.0',
          dev: true,
          optionalDependencies: { 'a-linux-x64-gnu': '1.0.0', 'a-darwin-x64': '1.0.0' },
        },
        'node_modules/a-linux-x64-gnu': { version: '1.0.0', optional: true },
      }),
    );

    expect(problems).toEqual(['a-darwin-x64@1.0.0, optional for node_modules/a, is missing']);
    expect(completed.packages['node_modules/a-darwin-x64']).toEqual({
      version: '1.0.0',
      cpu: ['x64'],
      os: ['darwin'],
      dev: true,
      optional: true,
    });
    expect(completeLock(completed).problems).toEqual([]);
  });

  it('finds what a nested package finds further up', () => {
    const nested = lock({
      'node_modules/a/node_modules/b': { version: '1.0.0', optionalDependencies: { 'b-linux-x64': '1.0.0' } },
      'node_modules/b-linux-x64': { version: '1.0.0' },
    });

    expect(completeLock(nested).problems).toEqual([]);
  });

  it('takes download addresses out', () => {
    const { lock: completed, problems } = completeLock(
      lock({ 'node_modules/a': { version: '1.0.0', resolved: 'https://mirror.example/a.tgz' } }),
    );

    expect(problems).toEqual(['node_modules/a names a download address (mirror.example)']);
    expect(completed.packages['node_modules/a']).toEqual({ version: '1.0.0' });
  });

  it('says what it cannot guess', () => {
    const { problems } = completeLock(
      lock({ 'node_modules/a': { version: '1.0.0', optionalDependencies: { b: '^1.0.0' } } }),
    );

    expect(problems).toEqual([
      'b@^1.0.0, optional for node_modules/a, is missing and cannot be completed: run npm install',
    ]);
  });
});

describe('findDrift', () => {
  it('names each dependency that package.json and the lock see differently', () => {
    const manifest = { dependencies: { a: '1.0.0', b: '2.0.0' }, devDependencies: { c: '1.0.0' } };
    const lock = {
      packages: { '': { dependencies: { a: '1.0.0', b: '1.0.0', d: '1.0.0' }, devDependencies: { c: '1.0.0' } } },
    };

    expect(findDrift(manifest, lock)).toEqual([
      'dependencies.b: package.json says 2.0.0, the lock 1.0.0',
      'dependencies.d: package.json says nothing, the lock 1.0.0',
    ]);
  });
});
