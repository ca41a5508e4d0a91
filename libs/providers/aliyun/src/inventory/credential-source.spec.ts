import { CredentialSource } from './credential-source.js';

const keys = { accessKeyId: 'id', accessKeySecret: 'hush', securityToken: 'token' };

describe('CredentialSource', () => {
  it('looks once for callers that come together', async () => {
    let looked = 0;
    const source = new CredentialSource(async () => async () => {
      looked += 1;
      await new Promise(setImmediate);
      return keys;
    });

    await Promise.all([source.get(), source.get(), source.get()]);

    expect(looked).toBe(1);
  });

  it('starts anew after a failure', async () => {
    let made = 0;
    const source = new CredentialSource(async () => {
      made += 1;
      if (made === 1) return () => Promise.reject(new Error('no provider has keys'));
      return () => Promise.resolve(keys);
    });

    await expect(source.get()).rejects.toThrow('no provider has keys');
    expect(await source.get()).toEqual(keys);
  });

  it('knows every secret that it has given out', async () => {
    const source = new CredentialSource(async () => async () => keys);
    await source.get();

    expect(source.secrets).toEqual(['hush', 'token']);
  });
});
