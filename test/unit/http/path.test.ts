import { describe, expect, it } from 'vitest';
import { normalizePath, routerPath } from '../../../src/http/path.ts';

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
