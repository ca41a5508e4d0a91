import { MAYBE, NO, YES } from '../match.js';
import { matchSelector, prefixSelector } from './match-selector.js';
import { parseSelector } from './parse-selector.js';

const labels = (entries: Readonly<Record<string, string>>, complete = true) => ({
  labels: new Map(Object.entries(entries)),
  complete,
});
const WEB = labels({
  app: 'web',
  tier: 'front-end',
  'projectcalico.org/namespace': 'prod',
  'a.b/c-d_e': 'x',
  empty: '',
});

describe('parseSelector', () => {
  it.each([
    { selector: '', matches: true },
    { selector: ' \t', matches: true },
    { selector: 'all()', matches: true },
    { selector: 'all( )', matches: true },
    { selector: '!all()', matches: false },
    { selector: 'global()', matches: false },
    { selector: '!global()', matches: true },
    { selector: "app == 'web'", matches: true },
    { selector: 'app=="web"', matches: true },
    { selector: "app == 'db'", matches: false },
    { selector: "app != 'db'", matches: true },
    { selector: "app != 'web'", matches: false },
    { selector: "missing == 'web'", matches: false },
    { selector: "missing != 'web'", matches: true },
    { selector: "app in {'db', 'web'}", matches: true },
    { selector: 'app in{"web"}', matches: true },
    { selector: "app in {'db',}", matches: false },
    { selector: 'app in {}', matches: false },
    { selector: "app not in {'db'}", matches: true },
    { selector: "app notin {'db'}", matches: true },
    { selector: "app not in {'web'}", matches: false },
    { selector: "missing in {'a'}", matches: false },
    { selector: "missing not in {'a'}", matches: true },
    { selector: 'has(app)', matches: true },
    { selector: 'has( app )', matches: true },
    { selector: 'has(missing)', matches: false },
    { selector: '!has(missing)', matches: true },
    { selector: '!!has(missing)', matches: false },
    { selector: 'has(a.b/c-d_e)', matches: true },
    { selector: "empty == ''", matches: true },
    { selector: "tier contains 'nt-e'", matches: true },
    { selector: "tier contains 'nte'", matches: false },
    { selector: "tier starts with 'front'", matches: true },
    { selector: "tier startswith 'end'", matches: false },
    { selector: "tier ends with 'end'", matches: true },
    { selector: "tier ends with 'front'", matches: false },
    { selector: "app == 'web' && tier == 'x'", matches: false },
    { selector: "app == 'web' || tier == 'x'", matches: true },
    { selector: "app == 'x' && has(tier) || has(app)", matches: true },
    { selector: "has(app) || has(tier) && app == 'x'", matches: true },
    { selector: "(has(app) || has(tier)) && app == 'x'", matches: false },
    { selector: "!(app == 'x' || tier == 'x')", matches: true },
    { selector: "! app == 'x'", matches: true },
    { selector: "((app == 'web'))", matches: true },
    { selector: "all == 'x'", matches: false },
    { selector: "in == 'x' || has(app)", matches: true },
  ])('$selector', ({ selector, matches }) => {
    expect(matchSelector(parseSelector(selector), WEB)).toBe(matches ? YES : NO);
  });

  it.each([
    "app = 'web'",
    'app == web',
    "app == 'web",
    'app',
    'app ==',
    "app === 'web'",
    "== 'web'",
    "app == 'web' &&",
    "app == 'web' & has(x)",
    "app == 'web' has(x)",
    "(app == 'web'",
    "app == 'web')",
    "app in 'web'",
    "app in {'web'",
    "app in {'a' 'b'}",
    'has(app',
    'has()',
    'all(x)',
    'global(',
    "app starts 'x'",
    "app not 'x'",
    "ap$p == 'x'",
    '!',
    '()',
    `${'('.repeat(5000)}all()${')'.repeat(5000)}`,
  ])('refuses %p', (selector) => {
    expect(() => parseSelector(selector)).toThrow(expect.objectContaining({ name: 'SelectorError' }));
  });

  it.each([
    { selector: 'has(other)', match: MAYBE },
    { selector: '!has(other)', match: MAYBE },
    { selector: "other == 'x' && app == 'db'", match: NO },
    { selector: "other == 'x' || app == 'web'", match: YES },
    { selector: "other not in {'x'}", match: MAYBE },
    { selector: "app == 'web'", match: YES },
  ])('with labels that are not all known: $selector', ({ selector, match }) => {
    expect(matchSelector(parseSelector(selector), labels({ app: 'web' }, false))).toBe(match);
  });

  it('asks a namespace by the labels that endpoints inherit; all() and global() ask whether there is one', () => {
    const prefix = (text: string) => prefixSelector(parseSelector(text), 'pcns.', 'projectcalico.org/namespace');

    expect(matchSelector(prefix("env == 'x'"), labels({ 'pcns.env': 'x' }))).toBe(YES);
    expect(matchSelector(prefix("env == 'x'"), labels({ env: 'x' }))).toBe(NO);
    expect(matchSelector(prefix('all()'), labels({}))).toBe(NO);
    expect(matchSelector(prefix('global()'), labels({}))).toBe(YES);
    expect(matchSelector(prefix('!all() || has(env)'), WEB)).toBe(NO);
  });
});
