import { z } from 'zod';
import { HopscopeError } from '#libs/model';
import type { Page, PageRequest } from './repositories.js';

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;

/** Where a page starts: after this row, newest first. */
export interface Cursor {
  readonly at: Date;
  readonly key: string;
}

const Token = z.tuple([z.iso.datetime(), z.string().max(512)]);

export interface Window {
  readonly size: number;
  readonly after: Cursor | undefined;
}

/** Throws INVALID_PAGE_SIZE and INVALID_PAGE_TOKEN. */
export function pageWindow(page: PageRequest = {}): Window {
  const size = page.pageSize ?? DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE_SIZE)
    throw invalid('INVALID_PAGE_SIZE', '/pageSize', `${size} is not a number from 1 to ${MAX_PAGE_SIZE}`);
  return { size, after: page.pageToken === undefined ? undefined : readToken(page.pageToken) };
}

/** `rows` holds one more than the page when there is a next one. */
export function cutPage<R, T>(
  rows: readonly R[],
  size: number,
  cursor: (row: R) => Cursor,
  item: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, size);
  const last = rows.length > size ? shown.at(-1) : undefined;
  return { items: shown.map(item), nextPageToken: last === undefined ? null : writeToken(cursor(last)) };
}

function writeToken({ at, key }: Cursor): string {
  return Buffer.from(JSON.stringify([at.toISOString(), key])).toString('base64url');
}

function readToken(token: string): Cursor {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    content = undefined;
  }
  const parsed = Token.safeParse(content);
  // A token of our making never holds what PostgreSQL refuses.
  if (!parsed.success || parsed.data[1].includes('\0'))
    throw invalid('INVALID_PAGE_TOKEN', '/pageToken', 'is not one that a list has given: start without it');
  return { at: new Date(parsed.data[0]), key: parsed.data[1] };
}

function invalid(code: string, path: string, message: string): HopscopeError {
  return new HopscopeError(code, `${path.slice(1)} ${message}`, { problems: [{ path, code, message }] });
}
