import { describe, expect, it } from 'vitest';
import { originPolicy } from '../../../src/http/checks/origins.ts';

describe('the origins', () => {
  it('are taken literally, localhost too: without a port it is the shell of the app and no development server', () => {
    const isAllowed = originPolicy(['https://App.example.com/', 'http://localhost', 'https://localhost:8443']);
    expect(isAllowed('https://app.example.com')).toBe(true);
    expect(isAllowed('http://app.example.com')).toBe(false);
    expect(isAllowed('http://localhost')).toBe(true);
    expect(isAllowed('http://localhost:8100')).toBe(false);
    expect(isAllowed('https://localhost:8443')).toBe(true);
    expect(isAllowed('https://localhost:9999')).toBe(false);
  });

  it('are all there are with a star, and none without an entry', () => {
    expect(originPolicy(['*'])('https://anybody.example')).toBe(true);
    expect(originPolicy([])('capacitor://localhost')).toBe(false);
  });
});
