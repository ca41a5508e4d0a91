import { addDevices } from './nft-devices.js';

const chain = (name: string, hook: string | undefined, more: object = {}): object => ({
  chain: {
    family: 'netdev',
    table: 't',
    name,
    ...(hook === undefined ? {} : { type: 'filter', hook, prio: 0 }),
    ...more,
  },
});
const document = (...chains: readonly object[]): string => JSON.stringify({ nftables: chains });

// As nft 1.0.6 prints it.
const TEXT = `table netdev t {
	chain one {
		type filter hook ingress device "eth0" priority filter; policy accept;
		ip daddr 10.0.0.1 drop
	}

	chain two {
		type filter hook egress devices = { eth0, eth0.1 } priority filter + 5; policy drop;
	}

	chain user {
	}
}
`;

describe('addDevices', () => {
  it('takes the devices of chains that lack them from the text', async () => {
    const json = document(chain('one', 'ingress'), chain('two', 'egress'), chain('user', undefined));

    const filled = await addDevices(json, async () => TEXT);

    expect(JSON.parse(filled)).toEqual(
      JSON.parse(
        document(
          chain('one', 'ingress', { dev: 'eth0' }),
          chain('two', 'egress', { dev: ['eth0', 'eth0.1'] }),
          chain('user', undefined),
        ),
      ),
    );
  });

  it.each([
    { title: 'no chain below IP', json: document(chain('f', 'forward')) },
    { title: 'devices printed already', json: document(chain('one', 'ingress', { dev: 'eth1' })) },
  ])('asks for no text and changes nothing: $title', async ({ json }) => {
    const unasked = async (): Promise<string> => {
      throw new Error('not to be asked');
    };

    expect(await addDevices(json, unasked)).toBe(json);
  });

  it('leaves a chain that the text does not name without a device', async () => {
    const json = document(chain('gone', 'ingress'));

    expect(JSON.parse(await addDevices(json, async () => TEXT))).toEqual(JSON.parse(json));
  });
});
