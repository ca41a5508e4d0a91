import { storable, storableJson, storableText } from './storable.js';

describe('storableText', () => {
  it.each([
    { text: 'plain äö 😀', stored: 'plain äö 😀' },
    { text: 'a\0b', stored: 'a\ufffdb' },
    { text: 'high \ud83d alone', stored: 'high \ufffd alone' },
    { text: 'low \ude00 alone', stored: 'low \ufffd alone' },
    { text: '\ude00\ud83d', stored: '\ufffd\ufffd' },
  ])('$text', ({ text, stored }) => {
    expect(storableText(text)).toBe(stored);
  });
});

describe('storable', () => {
  it('cleans values and member names at any depth, and leaves out what is undefined', () => {
    const value = { 'k\0': [{ x: '\ud800' }, undefined, 1, null], gone: undefined };

    expect(storable(value)).toEqual({ 'k\ufffd': [{ x: '\ufffd' }, null, 1, null] });
    expect(storableJson(value)).not.toMatch(/\\u0000|\\ud800/);
  });
});
