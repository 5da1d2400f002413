import { describe, expect, it } from 'vitest';
import { originPolicy } from '../../../src/http/origins.ts';
import { normalizePath, routerPath } from '../../../src/http/path.ts';
import { addressOf, stageOf } from '../../../src/http/request-origin.ts';

describe('a path', () => {
  it.each([
    ['/health/', undefined, '/health'],
    ['/health///', '$default', '/health'],
    ['/prod/health', 'prod', '/health'],
    ['/prod', 'prod', '/'],
    ['/prod/', 'prod', '/'],
    ['/production/health', 'prod', '/production/health'],
    ['/', undefined, '/'],
  ])('%s on stage %s is %s', (path, stage, expected) => {
    expect(normalizePath(path, stage)).toBe(expected);
  });

  it('names its parameters as the router does', () => {
    expect(routerPath('/ota/releases/{version}/publish')).toBe('/ota/releases/:version/publish');
  });
});

describe('the origins', () => {
  it('are taken literally, but for localhost without a port', () => {
    const isAllowed = originPolicy(['https://App.example.com/', 'http://localhost', 'https://localhost:8443']);
    expect(isAllowed('https://app.example.com')).toBe(true);
    expect(isAllowed('http://app.example.com')).toBe(false);
    expect(isAllowed('http://localhost:8100')).toBe(true);
    expect(isAllowed('https://localhost:8443')).toBe(true);
    expect(isAllowed('https://localhost:9999')).toBe(false);
  });

  it('are all there are with a star, and none without an entry', () => {
    expect(originPolicy(['*'])('https://anybody.example')).toBe(true);
    expect(originPolicy([])('capacitor://localhost')).toBe(false);
  });
});

describe('where a request comes from', () => {
  it('is unknown without an adapter, and never taken from what the client claims', () => {
    expect(addressOf(undefined)).toBe('unknown');
    expect(stageOf(undefined)).toBeUndefined();
  });
});
