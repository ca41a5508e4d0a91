import { z } from 'zod';
import type { CloudApi } from './cloud-api.js';
import { CloudCallError } from './cloud-call-error.js';
import type { CallParameters, SdkAction } from './sdk-calls.js';

/** A list that goes on for longer than this has a cycle in it, or is more than a diagnosis should hold. */
const MAX_PAGES = 500;

/** Whole numbers come as numbers or as text, depending on the call. */
const WireNumber = z.coerce.number().int();

export interface PagedCall<T> {
  readonly action: SdkAction;
  readonly parameters: CallParameters;
  /** The page's own list. */
  readonly schema: z.ZodType<readonly T[]>;
  readonly pageSize: number;
  /** How this call spells the size of a page, and its number. */
  readonly sizeName?: string;
  readonly numberName?: string;
  /** How the answer spells the number of all items. */
  readonly totalName?: string;
}

/** All pages of a call with NextToken, each as the schema makes it. */
export async function pagesByToken<P>(
  api: CloudApi,
  call: Omit<PagedCall<unknown>, 'schema'> & { readonly schema: z.ZodType<P> },
): Promise<readonly P[]> {
  const marks = z.looseObject({ NextToken: z.string().nullish() });
  const pages: P[] = [];
  let nextToken: string | undefined;
  while (pages.length < MAX_PAGES) {
    const parameters = { ...call.parameters, [call.sizeName ?? 'maxResults']: call.pageSize, nextToken };
    const answer = await api.call(call.action, parameters, z.preprocess(asBoth, z.tuple([marks, call.schema])));
    pages.push(answer[1]);
    nextToken = answer[0].NextToken ?? undefined;
    if (nextToken === undefined || nextToken === '') return pages;
  }
  throw tooManyPages(call.action);
}

/** All items of a call with NextToken. */
export async function allByToken<T>(api: CloudApi, call: PagedCall<T>): Promise<readonly T[]> {
  return (await pagesByToken(api, call)).flat();
}

/** All items of a call with page numbers. The cloud may give smaller pages than were asked for. */
export async function allByNumber<T>(api: CloudApi, call: PagedCall<T>): Promise<readonly T[]> {
  const marks = z.looseObject({ [call.totalName ?? 'TotalCount']: WireNumber });
  const items: T[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const parameters = {
      ...call.parameters,
      [call.sizeName ?? 'pageSize']: call.pageSize,
      [call.numberName ?? 'pageNumber']: page,
    };
    const [mark, found] = await api.call(call.action, parameters, z.preprocess(asBoth, z.tuple([marks, call.schema])));
    items.push(...found);
    // An empty page ends the list, too: objects may have gone while we turned pages.
    if (found.length === 0 || items.length >= WireNumber.parse(mark[call.totalName ?? 'TotalCount'])) return items;
  }
  throw tooManyPages(call.action);
}

const asBoth = (answer: unknown): readonly [unknown, unknown] => [answer, answer];

function tooManyPages(action: string): CloudCallError {
  return new CloudCallError('malformed', action, `${action} did not end after ${MAX_PAGES} pages`);
}
