import { DISPOSITIONS, SYMPTOMS, VERDICTS, type Disposition, type Symptom, type Verdict } from '#libs/model';
import { markdownTable, pageHead, type ReferencePage } from './page.js';

const VERDICT_MEANINGS: Readonly<Record<Verdict, string>> = {
  reachable:
    'Every branch delivers the request to a listening socket (or leaves the modelled world by a way that works), and the answer gets back.',
  unreachable: 'No branch succeeds.',
  partial: 'Some branches succeed and some do not: one bad backend of a service, one bad route of several.',
  undetermined: 'Something that is not known could change the answer. Never good news.',
};

const SYMPTOM_MEANINGS: Readonly<Record<Symptom, string>> = {
  connected: 'The connection is made and a small request is answered.',
  refused: 'A reset, or ICMP port unreachable: "connection refused".',
  unreachable: 'The call fails at once or by another ICMP error: "no route to host", "network is unreachable".',
  timeout: 'Silence.',
  unknown: 'It cannot be told.',
};

const DISPOSITION_MEANINGS: Readonly<Record<Disposition, string>> = {
  accepted: 'A socket took it.',
  'no-listener': 'It arrived and nobody listens.',
  rejected: 'A rule answered with an error.',
  denied: 'A rule or chain policy dropped it without a word.',
  'no-route': 'There is no route.',
  'null-routed': 'A blackhole or unreachable route took it.',
  prohibited: 'A prohibit route or rule took it.',
  'neighbor-unreachable': 'The next hop does not answer on its segment.',
  'interface-down': 'The interface that it should leave by is down.',
  martian: 'The source address may not come in there (rp_filter and its relatives).',
  'not-forwarded': 'The host does not forward.',
  loop: 'It came back to where it had been, or its hop limit ended.',
  'exits-cluster': 'It left the modelled world; what happens there is not known.',
  'infra-denied': 'The network between the nodes refuses it.',
  dropped: 'It was lost for another reason, which the suspicion names.',
  'insufficient-info': 'The walk ended for want of facts.',
};

const rowsOf = <K extends string>(keys: readonly K[], meanings: Readonly<Record<K, string>>) =>
  keys.map((key) => [`\`${key}\``, meanings[key]]);

export const resultsPage: ReferencePage = {
  path: 'docs/reference/results.md',
  render: () =>
    [
      pageHead('Verdicts, symptoms, dispositions', 'libs/model/src/verdict.ts and tools/reference/results-page.ts'),
      '## Verdict\n\nThe one-word answer of a diagnosis.\n',
      markdownTable(['verdict', 'means'], rowsOf(VERDICTS, VERDICT_MEANINGS)),
      '## Symptom\n\nWhat the client would see. The symptom of a diagnosis is the one of its most probable branch.\n',
      markdownTable(['symptom', 'means'], rowsOf(SYMPTOMS, SYMPTOM_MEANINGS)),
      '## Disposition\n\nWhy a trace (one branch that the packet can take) ended.\n',
      markdownTable(['disposition', 'means'], rowsOf(DISPOSITIONS, DISPOSITION_MEANINGS)),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n'),
};
