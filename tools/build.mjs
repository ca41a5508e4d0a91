#!/usr/bin/env node
// `npm run build`: the generated Prisma client, then every TypeScript file into dist/ at the same path. Types are checked by `npm run check`.
import './require-node.mjs';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, isMain } from './root.mjs';
import { ensureInstalled } from './install.mjs';
import { endChildrenOnSignal, runChild } from './run-child.mjs';
import { COMPILED, hashFiles, isBuilt, listSources } from './sources.mjs';

const stampPath = (root) => join(root, 'dist', '.build-stamp');
const prismaStampPath = (root) => join(root, 'node_modules', '.hopscope-prisma');
const SETTINGS = ['.swcrc', 'package.json', 'tools/build.mjs'];

const sourcesHash = (root) => hashFiles(root, [...SETTINGS, ...listSources(root).filter(isBuilt)]);
const readIfThere = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

export const isFresh = (root) => isPrismaFresh(root) && readIfThere(stampPath(root)) === sourcesHash(root);

const prismaHash = (root) =>
  hashFiles(root, ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json']);
const usesPrisma = (root) => existsSync(join(root, 'prisma', 'schema.prisma'));

function isPrismaFresh(root) {
  if (!usesPrisma(root)) return true;
  const generated = join(root, 'libs', 'persistence', 'src', 'generated');
  return existsSync(generated) && readIfThere(prismaStampPath(root)) === prismaHash(root);
}

async function generatePrisma(root) {
  const done = await runChild(
    process.execPath,
    [join(root, 'node_modules', 'prisma', 'build', 'index.js'), 'generate'],
    {
      cwd: root,
      title: 'generating the Prisma client',
      // `generate` does not use this engine, but looks for it and would fetch it from the internet; any existing file will do.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath },
    },
  );
  if (done.code !== 0) {
    console.error(`${done.tail}\n\nThe Prisma client could not be generated from prisma/schema.prisma (see above).`);
    return false;
  }
  writeFileSync(prismaStampPath(root), prismaHash(root));
  return true;
}

/** Never leaves half a file: another process may be loading from dist/ right now. */
function writeWhole(path, text) {
  if (readIfThere(path) === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  // npm links bin files and expects them to be executable.
  writeFileSync(temporary, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  renameSync(temporary, path);
}

async function compile(root) {
  const swc = (await import(pathToFileURL(join(root, 'node_modules', '@swc', 'core', 'index.js')).href)).default;
  const problems = [];
  const kept = new Set();
  await Promise.all(
    listSources(root)
      .filter(isBuilt)
      .map(async (source) => {
        const target = source.replace(/\.ts$/, '.js');
        kept.add(target).add(`${target}.map`);
        try {
          const { code, map } = await swc.transformFile(join(root, source), {
            cwd: root,
            configFile: join(root, '.swcrc'),
            sourceMaps: true,
            outputPath: join(root, 'dist', target),
          });
          const name = target.slice(target.lastIndexOf('/') + 1);
          writeWhole(join(root, 'dist', `${target}.map`), map);
          writeWhole(join(root, 'dist', target), `${code.trimEnd()}\n//# sourceMappingURL=${name}.map\n`);
        } catch (error) {
          problems.push(`${source}: ${error.message}`);
        }
      }),
  );
  removeStale(root, kept);
  return problems.sort();
}

/** What was built from a source that is gone must not be found by an import any more. */
function removeStale(root, kept) {
  const visit = (folder) => {
    for (const item of readdirSync(join(root, 'dist', folder), { withFileTypes: true })) {
      const path = `${folder}/${item.name}`;
      if (item.isDirectory()) visit(path);
      else if (/\.js(\.map)?$/.test(item.name) && !kept.has(path)) rmSync(join(root, 'dist', path), { force: true });
    }
  };
  for (const folder of COMPILED) if (existsSync(join(root, 'dist', folder))) visit(folder);
}

/** Builds what is not up to date. False when it failed; the reason has been printed. */
export async function ensureBuilt(root) {
  if (isFresh(root)) return true;
  const began = Date.now();
  if (!isPrismaFresh(root) && !(await generatePrisma(root))) return false;
  // Taken before compiling: a file that changes meanwhile makes the next build start again.
  const hash = sourcesHash(root);
  const problems = await compile(root);
  if (problems.length > 0) {
    console.error(`${problems.join('\n')}\n\nThe build failed: ${problems.length} file(s) could not be compiled.`);
    return false;
  }
  writeFileSync(stampPath(root), hash);
  console.error(`Built in ${((Date.now() - began) / 1000).toFixed(1)} s.`);
  return true;
}

if (isMain(import.meta.url)) {
  endChildrenOnSignal();
  process.exitCode = (await ensureInstalled(ROOT)) && (await ensureBuilt(ROOT)) ? 0 : 1;
}
