import { SUSPICION_CODES, SUSPICION_HOLES, type CodeEntry, type Layer } from '#libs/model';
import { markdownTable, pageHead, type ReferencePage } from './page.js';

const LAYERS: Readonly<Record<Layer, string>> = {
  ENDPOINT: 'The two ends: do they exist, do they run, does somebody listen.',
  LINK: 'Interfaces, veth pairs, bridges and their ports.',
  MTU: 'Packet sizes along the way.',
  ROUTE: 'Routes and policy rules.',
  NEIGH: 'ARP, neighbour discovery and forwarding entries of bridges and tunnels.',
  SYSCTL: 'Kernel settings that make a host drop or ignore packets.',
  NETFILTER: 'iptables, nftables and ipset.',
  SERVICE: 'The Service as it is declared.',
  KUBEPROXY: 'What kube-proxy has programmed, compared with what it should have.',
  CONNTRACK: 'Connection tracking.',
  NETPOL: 'Network policies.',
  OVERLAY: 'Tunnels between nodes.',
  CLOUD: 'The network of the cloud provider, and whatever else lies between nodes.',
  ANALYSIS: 'What could not be looked at, or is not modelled. These never blame the network.',
};

const INTRODUCTION = [
  'A suspicion is something that looks wrong: a code that never changes its meaning, the place, and the very line (rule, route,',
  'setting) as evidence. A suspicion that stops the packet is `blocking` and always `fatal`; otherwise it has the level given here.',
  'Words in braces are [filled in](#words-in-braces) from what was found.',
  '',
  '## Where to run the commands',
  '',
  'The commands below say "run it on node …" or "run it in pod …":',
  '',
  '- on a node: `ssh`, or `kubectl debug node/NODE -it --image=IMAGE --profile=sysadmin` and then `chroot /host`',
  '- in a pod whose image has the tools: `kubectl -n NAMESPACE exec POD -- COMMAND`',
  '- in any pod, from its node: `nsenter -t "$(crictl inspect --output go-template --template \'{{.info.pid}}\' CONTAINER)" -n COMMAND`',
  '',
  'Words in capitals are for you to fill in. Commands that change something are only in "What to change".',
  '',
];

/** The holes set in code font, so that Markdown leaves them alone; the brackets of what may be left out go. */
function showHoles(text: string): string {
  const plain = text.replaceAll(/\[([^[\]]*\{\w+\}[^[\]]*)\]/g, '$1');
  return plain.replaceAll(/`[^`]*`|\{\w+\}/g, (piece) => (piece.startsWith('`') ? piece : `\`${piece}\``));
}

function describeCode(code: string, { level, message, cause, check, remedy, remedyForPod }: CodeEntry): string {
  return [
    `### ${code}`,
    '',
    `Level when it does not stop the packet: ${level}.`,
    '',
    `> ${showHoles(message)}`,
    '',
    `**Cause.** ${showHoles(cause)}`,
    '',
    '**How to check.**',
    '',
    '```text',
    ...check,
    '```',
    '',
    `**What to change.** ${showHoles(remedy)}`,
    '',
    ...(remedyForPod === undefined ? [] : [`**When it is a pod.** ${showHoles(remedyForPod)}`, '']),
  ].join('\n');
}

export const suspicionsPage: ReferencePage = {
  path: 'docs/reference/suspicions.md',
  render: () => {
    const codes = Object.entries<CodeEntry>(SUSPICION_CODES);
    const layers = Object.entries(LAYERS).map(([layer, about]) => ({
      layer,
      about,
      own: codes.filter(([, entry]) => entry.layer === layer),
    }));
    return [
      pageHead('Suspicions', 'libs/model/src/suspicion-codes/'),
      ...INTRODUCTION,
      '## Layers',
      '',
      markdownTable(
        ['layer', 'about', 'codes'],
        layers.map(({ layer, about, own }) => [`[${layer}](#${layer.toLowerCase()})`, about, String(own.length)]),
      ),
      ...layers.flatMap(({ layer, about, own }) => [
        `## ${layer}\n\n${about}\n`,
        ...own.map(([code, entry]) => describeCode(code, entry)),
      ]),
      '## Words in braces\n',
      markdownTable(
        ['word', 'means'],
        Object.entries(SUSPICION_HOLES).map(([name, about]) => [`\`{${name}}\``, about]),
      ),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n');
  },
};
