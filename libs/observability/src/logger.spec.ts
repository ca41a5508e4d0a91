import { createLogger, createMetrics } from './index.js';

describe('createLogger', () => {
  it('writes fields and message as one JSON line without secrets', () => {
    const lines: string[] = [];
    const log = createLogger({
      name: 'test',
      level: 'info',
      secretKeys: ['accessKeySecret'],
      destination: { write: (line) => void lines.push(line) },
    });

    log.info({ node: 'n1', password: 'hush', settings: { accessKeySecret: 'hush' } }, 'host dump failed');
    log.debug('not written');

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'test', msg: 'host dump failed', node: 'n1' });
    expect(lines[0]).not.toContain('hush');
  });
});

describe('a logged error', () => {
  it('is told with its code and causes, without what a driver hangs on it', () => {
    const lines: string[] = [];
    const log = createLogger({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
    const cause = Object.assign(new Error('inner'), { code: 'ECONNREFUSED', client: { user: 'me' } });

    log.warn({ err: new Error('outer', { cause }) }, 'failed');

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { message: 'outer', cause: { code: 'ECONNREFUSED' } } });
    expect(lines[0]).not.toContain('client');
  });
});

describe('createMetrics', () => {
  it('keeps the registries of two servers apart', async () => {
    const first = createMetrics();
    const second = createMetrics();

    first.diagnoses.inc({ provider: 'generic', verdict: 'reachable' });

    expect(await first.registry.metrics()).toContain(
      'hopscope_diagnoses_total{provider="generic",verdict="reachable"} 1',
    );
    expect(await second.registry.metrics()).not.toContain('verdict="reachable"');
  });
});
