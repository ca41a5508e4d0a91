import type { Skipped } from '#libs/model';
import type { Finding } from '#libs/provider-kit';

/** What a comparison found, and what it could not compare. Nothing in both means: as it should be. */
export interface ProxyCheck {
  readonly findings: readonly Finding[];
  readonly skipped: readonly Skipped[];
}

export const NOTHING_FOUND: ProxyCheck = { findings: [], skipped: [] };

export function joinChecks(checks: readonly ProxyCheck[]): ProxyCheck {
  return {
    findings: uniqueFindings(checks.flatMap(({ findings }) => findings)),
    skipped: checks.flatMap(({ skipped }) => skipped),
  };
}

/** The same finding by several kinds of packet is one. */
export function uniqueFindings(findings: readonly Finding[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const finding of findings) {
    const { code, subject, details, evidence } = finding;
    const what = details?.backend ?? details?.problem ?? evidence[0]?.locator;
    const key = `${code} ${subject.kind} ${subject.namespace ?? ''} ${subject.name} ${what ?? ''}`;
    if (!found.has(key)) found.set(key, finding);
  }
  return [...found.values()];
}
