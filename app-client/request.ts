import type { Operation } from './operation.ts';

export interface Request {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | null;
}

/** Sorts the fields of an input into path, query and body; omits undefined ones. */
export function requestOf(baseUrl: string, operation: Operation, input: object = {}): Request {
  const { path, query = [], body } = operation;
  const rest: [string, unknown][] = [];
  const search = new URLSearchParams();
  let filled = path;
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (path.includes(`{${name}}`)) filled = filled.replace(`{${name}}`, () => encodeURIComponent(String(value)));
    else if (query.includes(name)) search.append(name, String(value));
    else rest.push([name, value]);
  }
  const url = `${baseUrl.replace(/\/+$/, '')}${filled}${`${search}` === '' ? '' : `?${search}`}`;
  if (body === 'form') return { url, headers: {}, body: formOf(rest) };
  if (body === undefined) return { url, headers: {}, body: null };
  return {
    url,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(rest)),
  };
}

function formOf(fields: readonly (readonly [string, unknown])[]): FormData {
  const form = new FormData();
  for (const [name, value] of fields) {
    if (value instanceof Blob) form.append(name, value);
    else form.append(name, String(value));
  }
  return form;
}
