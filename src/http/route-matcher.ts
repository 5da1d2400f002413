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

/** Returns a function that finds the place for a request. */
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
    // HEAD is GET without the body (RFC 9110, 9.3.2).
    const match = find(method === 'HEAD' ? 'GET' : method, path);
    if (match !== undefined) return match;
    return { found: undefined, otherMethods: METHODS.filter((other) => find(other, path) !== undefined) };
  };
}

/** Hono's router returns the parameters' values, or their indexes in a list of values. */
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
