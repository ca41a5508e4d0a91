import { SUSPICION_CODES, type Layer } from '#libs/model';
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
  CLOUD: 'The network of the cloud provider.',
  ANALYSIS: 'What could not be looked at, or is not modelled. These never blame the network.',
};

/** `{subject} has no route to {destination}.` with the holes set in code font, so that Markdown leaves them alone. */
function showHoles(text: string): string {
  return text.replaceAll(/`[^`]*`|\{\w+\}/g, (piece) => (piece.startsWith('`') ? piece : `\`${piece}\``));
}

function describeCode(code: string, entry: (typeof SUSPICION_CODES)[keyof typeof SUSPICION_CODES]): string {
  const remedy = entry.remedy === '' ? '' : `\nRemedy: ${showHoles(entry.remedy)}\n`;
  return `### ${code}\n\nLevel when it does not stop the packet: ${entry.level}.\n\n> ${showHoles(entry.message)}\n${remedy}`;
}

export const suspicionsPage: ReferencePage = {
  path: 'docs/reference/suspicions.md',
  render: () => {
    const codes = Object.entries(SUSPICION_CODES);
    const layers = Object.entries(LAYERS).map(([layer, about]) => ({
      layer,
      about,
      own: codes.filter(([, entry]) => entry.layer === layer),
    }));
    return [
      pageHead('Suspicions', 'libs/model/src/suspicion-codes.ts'),
      'A suspicion is something that looks wrong: a code that never changes its meaning, the place, and the very line (rule, route,',
      'setting) as evidence. A suspicion that stops the packet is `blocking` and always `fatal`; otherwise it has the level given here.',
      'Words in braces are filled in from what was found.',
      '',
      markdownTable(
        ['layer', 'about', 'codes'],
        layers.map(({ layer, about, own }) => [`[${layer}](#${layer.toLowerCase()})`, about, String(own.length)]),
      ),
      ...layers.flatMap(({ layer, about, own }) => [
        `## ${layer}\n\n${about}\n`,
        ...own.map(([code, entry]) => describeCode(code, entry)),
      ]),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n');
  },
};
