import { HopscopeError } from '#libs/model';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^[0-9a-f]{32}$/;

/** An id that cannot be one is like an id that nothing has. */
export function requireRunId(id: string): string {
  if (!UUID.test(id)) throw notFound('RUN', id);
  return id.toLowerCase();
}

export function requireSnapshotId(id: string): string {
  if (!UUID.test(id)) throw notFound('SNAPSHOT', id);
  return id.toLowerCase();
}

export function requireDiagnosisId(id: string): string {
  if (!HEX.test(id)) throw notFound('DIAGNOSIS', id);
  return id;
}

export function notFound(kind: 'CLUSTER' | 'SNAPSHOT' | 'RUN' | 'DIAGNOSIS', id: string): HopscopeError {
  const shown = id.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
  return new HopscopeError(`${kind}_NOT_FOUND`, `there is no ${kind.toLowerCase()} "${shown}"`);
}
