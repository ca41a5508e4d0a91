import { defineConfig } from '#libs/config';
import { z } from 'zod';
import { ProviderRegistry, type Provider } from './provider.js';

function provider(name: string): Provider {
  return {
    name,
    title: name,
    config: defineConfig({ id: name, title: name, schema: z.strictObject({}) }),
    createNetwork: () => Promise.reject(new Error('not asked in this spec')),
  };
}

describe('ProviderRegistry', () => {
  it('finds providers by name, and lists them in the order in which they were given', () => {
    const [generic, aliyun] = [provider('generic'), provider('aliyun')];
    const registry = new ProviderRegistry([generic, aliyun]);

    expect(registry.get('aliyun')).toBe(aliyun);
    expect(registry.get('constructor')).toBeUndefined();
    expect(registry.list()).toEqual([generic, aliyun]);
  });

  it('refuses two providers of one name', () => {
    expect(() => new ProviderRegistry([provider('generic'), provider('generic')])).toThrow(
      'two providers are named generic',
    );
  });
});
