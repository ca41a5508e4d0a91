import type { Diagnosis } from '#libs/model';

/** What holds for every result, whatever the question (docs/explanation/results.md). One line per breach, none when all is well. */
export function findBreaches(diagnosis: Diagnosis): string[] {
  return [
    ...aboutSuspicions(diagnosis),
    ...aboutVerdict(diagnosis),
    ...aboutTraces(diagnosis),
    ...aboutPath(diagnosis),
  ];
}

function aboutSuspicions({ suspicions, blocking }: Diagnosis): string[] {
  const breaches: string[] = [];
  for (const { code, level, evidence, blocking: blocks, message, remedy } of suspicions) {
    if (level === 'fatal' && !evidence.some(({ locator, text }) => locator !== '' && text !== ''))
      breaches.push(`${code} is fatal and shows nothing`);
    if ((level === 'fatal') !== blocks)
      breaches.push(`${code} is ${level} and ${blocks ? 'blocks' : 'does not block'}`);
    if (/\{\w+\}|\?(?=[ .,:)]|$)|undefined|NaN|\[object/.test(`${message} ${remedy}`))
      breaches.push(`${code} has a hole in its text: ${message} ${remedy}`);
  }
  const fingerprints = suspicions.map(({ fingerprint }) => fingerprint);
  if (new Set(fingerprints).size !== fingerprints.length) breaches.push('a finding is reported twice');
  for (const { code, fingerprint } of blocking)
    if (!fingerprints.includes(fingerprint)) breaches.push(`${code} blocks and is not among the suspicions`);
  return breaches;
}

function aboutVerdict({ verdict, blocking, suspicions, branches, skipped, symptom }: Diagnosis): string[] {
  const breaches: string[] = [];
  const blocked = verdict === 'unreachable' || verdict === 'partial';
  if (blocked && blocking.length === 0) breaches.push(`${verdict} without a cause`);
  if (verdict === 'reachable' && (blocking.length > 0 || suspicions.some(({ level }) => level === 'fatal')))
    breaches.push('reachable, with something that blocks');
  if (verdict === 'undetermined' && skipped.length === 0) breaches.push('undetermined, and nothing says why');
  const working = branches.filter((branch) => branch.symptom === 'connected' || branch.disposition === 'exits-cluster');
  if (verdict === 'reachable' && working.length !== branches.length)
    breaches.push('reachable, but a branch does not work');
  if (verdict === 'unreachable' && working.length > 0) breaches.push('unreachable, but a branch works');
  if (verdict === 'partial' && (working.length === 0 || working.length === branches.length))
    breaches.push('partial, but all branches are alike');
  if (branches[0]?.symptom !== symptom) breaches.push(`symptom ${symptom} is not that of the first branch`);
  return breaches;
}

function aboutTraces({ branches, forward, reply, port }: Diagnosis): string[] {
  const breaches: string[] = [];
  const sum = (list: readonly { readonly probability: number }[]): number =>
    list.reduce((total, { probability }) => total + probability, 0);
  for (const [name, list] of [
    ['branches', branches],
    ['forward traces', forward],
  ] as const)
    if (Math.abs(sum(list) - 1) > 1e-6) breaches.push(`the ${name} add up to ${sum(list)}`);
  if (sum(reply) > 1 + 1e-6) breaches.push(`the reply traces add up to ${sum(reply)}`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) breaches.push(`port ${port}`);
  for (const [at, branch] of branches.entries()) {
    const delivered = branch.disposition === 'accepted';
    if (delivered && branch.backend === undefined) breaches.push(`branch ${at} is accepted by nobody`);
    if (delivered && branch.sourceSeen === null) breaches.push(`branch ${at} is accepted from nobody`);
    if (branch.probability <= 0) breaches.push(`branch ${at} cannot happen`);
  }
  for (const [direction, traces] of Object.entries({ forward, reply }))
    for (const [at, { hops }] of traces.entries()) {
      const name = `${direction} trace ${at}`;
      const firstHypothetical = hops.findIndex(({ hypothetical }) => hypothetical === true);
      if (firstHypothetical >= 0 && hops.slice(firstHypothetical).some(({ hypothetical }) => hypothetical !== true))
        breaches.push(`${name} becomes real again past an obstacle`);
      if (hops.some(({ steps }) => steps.length === 0)) breaches.push(`${name} has a hop in which nothing happens`);
    }
  return breaches;
}

function aboutPath({ path, verdict }: Diagnosis): string[] {
  const breaches: string[] = [];
  const ids = new Set(path.nodes.map(({ id }) => id));
  if (ids.size !== path.nodes.length) breaches.push('the path has a node twice');
  for (const { from, to } of path.links)
    if (!ids.has(from) || !ids.has(to)) breaches.push(`a link from ${from} to ${to}, which are not both in the path`);
  if (verdict !== 'undetermined' && !path.nodes.some(({ actions }) => actions.includes('send')))
    breaches.push('nobody sends');
  return breaches;
}
