import { RegExpRouter } from 'hono/router/reg-exp-router';
import { decodeParameter, routerPath } from './path.ts';

export type Method = 'GET' | 'POST';

export type Match<T> =
  | { readonly found: T; readonly params: Readonly<Record<string, string>> }
  | { readonly found: undefined; readonly otherMethods: readonly Method[] };

interface Place {
  readonly method: Method;
  /** Parameters in braces. */
  readonly path: string;
}

const METHODS: readonly Method[] = ['GET', 'POST'];

/** Finds the place that a request is for. */
export function createRouteMatcher<T extends Place>(places: readonly T[]): (method: string, path: string) => Match<T> {
  const router = new RegExpRouter<T>();
  for (const place of places) router.add(place.method, routerPath(place.path), place);
  const find = (method: string, path: string) => {
    const [[first] = [], values] = router.match(method, path);
    if (first === undefined) return undefined;
    const [found, names] = first;
    return { found, params: paramsOf(names, values) };
  };
  return (method, path) => {
    // HEAD is a GET whose body is left out (RFC 9110, 9.3.2).
    const match = find(method === 'HEAD' ? 'GET' : method, path);
    if (match !== undefined) return match;
    return { found: undefined, otherMethods: METHODS.filter((other) => find(other, path) !== undefined) };
  };
}

/** A router that has no parameters to find gives their values by name, else by their place in a list. */
function paramsOf(
  names: Readonly<Record<string, string | number>>,
  values: readonly string[] | undefined,
): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(names)) {
    params[name] = decodeParameter(typeof value === 'number' ? (values?.[value] ?? '') : value);
  }
  return params;
}
