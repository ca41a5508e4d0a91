import { canonicalJson, SUSPICION_CODES, type Diagnosis } from '#libs/model';

/** Rounded to nine digits each. */
const TOLERANCE = 1e-8;
/** Far more than a page can show; an answer that grows without limit is a defect. */
const MAX_BYTES = 30 * 1024 * 1024;

/** The rules of docs/explanation/results for every answer, whatever was asked about whatever state. Gives what is broken. */
export function brokenInvariants(diagnosis: Diagnosis): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, text: string): void => void (holds || broken.push(text));
  const { branches, verdict, blocking, suspicions, forward, reply } = diagnosis;
  const fingerprints = new Set(suspicions.map(({ fingerprint }) => fingerprint));

  const sum = branches.reduce((total, { probability }) => total + probability, 0);
  must(branches.length === 0 || Math.abs(sum - 1) <= TOLERANCE * (branches.length + 1), `branches add up to ${sum}`);
  must(branches.length > 0 || verdict === 'undetermined', `${verdict} without a branch`);
  for (const { probability } of branches)
    must(probability >= 0 && probability <= 1, `a branch has probability ${probability}`);
  const best = Math.max(...branches.map(({ probability }) => probability));
  must(
    branches.length === 0 ||
      branches.some(({ probability, symptom }) => probability === best && symptom === diagnosis.symptom),
    `the symptom is ${diagnosis.symptom}, but the most probable branch has another`,
  );
  for (const trace of [...forward, ...reply])
    must(trace.probability >= 0 && trace.probability <= 1 + TOLERANCE, `a trace has probability ${trace.probability}`);

  if (verdict === 'unreachable' || verdict === 'partial')
    must(blocking.length > 0, `${verdict} without a blocking suspicion`);
  if (verdict === 'reachable') {
    must(blocking.length === 0, 'reachable with a blocking suspicion');
    must(
      suspicions.every((suspicion) => !suspicion.blocking),
      'reachable, but a suspicion says blocking',
    );
    for (const { symptom, disposition } of branches)
      must(
        symptom === 'connected' || disposition === 'exits-cluster',
        `reachable, but a branch is ${symptom}/${disposition}`,
      );
  }
  if (verdict === 'unreachable')
    for (const { symptom } of branches) must(symptom !== 'connected', 'unreachable, but a branch is connected');
  if (verdict === 'undetermined')
    must(diagnosis.skipped.length > 0 || suspicions.length > 0, 'undetermined, and nothing says why');

  for (const suspicion of [...blocking, ...suspicions]) {
    const { code, level, evidence, message } = suspicion;
    must(Object.hasOwn(SUSPICION_CODES, code), `the code ${code} is not known`);
    if (level === 'fatal') must(evidence.length > 0, `${code} is fatal and has no evidence`);
    for (const { locator } of evidence) must(locator !== '', `${code} has evidence without a locator`);
    must(!message.includes('undefined') && !message.includes('NaN'), `${code} says "${message.slice(0, 200)}"`);
  }
  for (const { code, fingerprint, blocking: stops } of blocking) {
    must(fingerprints.has(fingerprint), `${code} is blocking and not among the suspicions`);
    must(stops, `${code} is listed as blocking and does not say so`);
  }

  const json = canonicalJson(diagnosis);
  must(json.length <= MAX_BYTES, `the answer has ${json.length} bytes`);
  return broken;
}
