import { HopscopeError } from '#libs/model';
import type { Page, PageRequest } from '#libs/persistence';
import type { Request, Response } from 'express';
import { once } from 'node:events';

const NDJSON = 'application/x-ndjson';
const STREAM_PAGE = 200;

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

export interface ListSource<T> {
  readonly page: (page: PageRequest) => Promise<Page<T>>;
  /** All items for an export; page by page unless given. */
  readonly all?: () => AsyncIterable<T>;
  readonly show: (item: T) => unknown;
}

/** A page as JSON, or everything as one JSON value a line when the client asks for application/x-ndjson. */
export async function answerList<T>({ request, response }: Exchange, source: ListSource<T>, page: PageRequest) {
  const type = request.accepts(['application/json', NDJSON]);
  if (type === false)
    throw new HopscopeError('NOT_ACCEPTABLE', `this list can be had as application/json or ${NDJSON}`);
  if (type !== NDJSON) {
    const { items, nextPageToken } = await source.page(page);
    response.json({ items: items.map(source.show), nextPageToken });
    return;
  }
  const items = source.all?.() ?? allPages(source.page);
  let started = false;
  for await (const item of items) {
    // The type is set with the first item: until then an error can still be told.
    if (!started) response.type(NDJSON);
    started = true;
    if (response.destroyed) return;
    if (!response.write(`${JSON.stringify(source.show(item))}\n`))
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  if (!started) response.type(NDJSON);
  response.end();
}

async function* allPages<T>(page: ListSource<T>['page']): AsyncGenerator<T> {
  let pageToken: string | undefined;
  do {
    const { items, nextPageToken } = await page({
      pageSize: STREAM_PAGE,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    yield* items;
    pageToken = nextPageToken ?? undefined;
  } while (pageToken !== undefined);
}
