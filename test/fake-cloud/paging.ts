import type { Params } from './params.js';
import { Refusal } from './refusal.js';

export interface Page<T> {
  readonly items: readonly T[];
  /** What the answer says beside the list. */
  readonly marks: Readonly<Record<string, unknown>>;
}

/** Limits of one call, and a smaller limit that a test may set so that few objects make many pages. */
export interface PageLimits {
  readonly default: number;
  readonly max: number;
  readonly min?: number;
  /** Some calls spell MaxResults, MaxResult; PageNumber, Page. */
  readonly sizeName?: string;
  readonly numberName?: string;
}

/** NextToken and MaxResults. Tokens are opaque, belong to one call, and the last page has none. */
export function pageByToken<T>(all: readonly T[], params: Params, limits: PageLimits, smallPage: number): Page<T> {
  const size = sizeOf(params, limits.sizeName ?? 'MaxResults', limits, smallPage);
  const start = fromToken(params.get('NextToken'));
  const end = start + size;
  return {
    items: all.slice(start, end),
    marks: { NextToken: end < all.length ? toToken(end) : '', MaxResults: size, TotalCount: all.length },
  };
}

/** PageNumber and PageSize, as the older calls have them. */
export function pageByNumber<T>(all: readonly T[], params: Params, limits: PageLimits, smallPage: number): Page<T> {
  const size = sizeOf(params, limits.sizeName ?? 'PageSize', limits, smallPage);
  const number = params.number(limits.numberName ?? 'PageNumber') ?? 1;
  if (number < 1) throw new Refusal(400, 'InvalidParameter.PageNumber', 'The specified PageNumber is invalid.');
  return {
    items: all.slice((number - 1) * size, number * size),
    marks: { PageNumber: number, PageSize: size, TotalCount: all.length },
  };
}

function sizeOf(params: Params, name: string, limits: PageLimits, smallPage: number): number {
  const asked = params.number(name) ?? limits.default;
  if (asked > limits.max || asked < (limits.min ?? 1)) {
    throw new Refusal(
      400,
      `InvalidParameter.${name}`,
      `The specified ${name} has to be ${limits.min ?? 1} to ${limits.max}.`,
    );
  }
  return Math.min(asked, smallPage);
}

const toToken = (start: number): string => Buffer.from(`next:${start}`).toString('base64url');

function fromToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const match = /^next:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match?.[1] === undefined)
    throw new Refusal(400, 'InvalidParameter.NextToken', 'The specified NextToken is invalid.');
  return Number(match[1]);
}
