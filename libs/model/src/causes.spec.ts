import { linkCauses } from './causes.js';
import { suspect, type Suspicion } from './suspicion.js';
import type { SuspicionCode } from './suspicion-codes.js';

function finding(code: SuspicionCode, because?: Suspicion): Suspicion {
  const at = { kind: 'node', name: 'node1' };
  const evidence = [{ kind: 'route' as const, at, locator: `main/${code}`, text: code }];
  return suspect({ code, subject: at, evidence, blocking: true, because: because?.fingerprint });
}

describe('linkCauses', () => {
  const down = finding('IFACE_DOWN');
  const missing = finding('POD_CIDR_ROUTE_MISSING', down);
  const lost = finding('CLOUD_NO_ROUTE', missing);

  it('leads every symptom to what it follows from in the end, whatever the order', () => {
    expect(linkCauses([lost, down, missing])).toEqual(
      new Map([
        [lost.fingerprint, down],
        [missing.fingerprint, down],
      ]),
    );
  });

  it('links nothing to a cause that is not among the findings', () => {
    expect(linkCauses([missing]).size).toBe(0);
    expect(linkCauses([lost, missing])).toEqual(new Map([[lost.fingerprint, missing]]));
  });

  it('makes nothing of a circle', () => {
    const first: Suspicion = { ...down, because: missing.fingerprint };

    expect(linkCauses([first, missing]).size).toBe(0);
  });
});
