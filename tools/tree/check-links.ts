import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';

/** GitHub's way to make an anchor from a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[`*]/g, '')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function listPages(root: string): readonly string[] {
  const docs = existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) =>
        posix.join('docs', name.replaceAll('\\', '/')),
      )
    : [];
  return ['README.md', 'CONTRIBUTING.md', ...docs].filter(
    (path) => path.endsWith('.md') && existsSync(join(root, path)),
  );
}

/** Prose without code: links in examples are not links. */
function proseOf(text: string): string {
  return text.replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2\s*$/gm, '').replace(/`[^`\n]*`/g, '');
}

function anchorsOf(text: string): ReadonlySet<string> {
  const withoutCode = text.replace(/^( *)(```+|~~~+)[\s\S]*?^\1\2\s*$/gm, '');
  return new Set([...withoutCode.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading]) => anchorOf(heading ?? '')));
}

/** Links of our pages to files and headings of this repository lead somewhere. Links to other sites are not followed. */
export function checkLinks(root: string): readonly string[] {
  return listPages(root).flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
      if (target === undefined || /^[a-z]+:/i.test(target)) return [];
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : posix.join(posix.dirname(page), path);
      if (!existsSync(join(root, file))) return [`${page}: the link to ${target} leads nowhere`];
      if (anchor === undefined || anchor === '' || !file.endsWith('.md')) return [];
      if (anchorsOf(readFileSync(join(root, file), 'utf8')).has(anchor)) return [];
      return [`${page}: ${file} has no heading for #${anchor}`];
    });
  });
}
