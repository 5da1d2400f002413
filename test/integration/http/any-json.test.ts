import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { releasesOf } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let fleet: ReturnType<typeof fleetOf>;
let releases: ReturnType<typeof releasesOf>;
beforeAll(async () => {
  backend = await startBackend();
  fleet = fleetOf(backend);
  releases = releasesOf(backend);
});
afterAll(() => backend.stop());

/** Written as text, because JavaScript would change some of these values before they are sent. */
const ODD = [
  ...[
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '1e21',
    '1e125',
    '1e126',
    '1e200',
  ],
  ...[
    '1e400',
    '-1e400',
    '1e-129',
    '1e-130',
    '-1e-131',
    '1e-200',
    '5e-324',
    '-0',
    '0.1',
    '1.0',
    '3.141592653589793238462',
  ],
  ...['"\\u0000"', '"\\ud800"', '"\\udc00x"', '""', '"constructor"', '"__proto__"', '"🌱"', 'null', 'true', '{}', '[]'],
  ...[
    '{"":1}',
    '{"constructor":1}',
    '{"constructor":{"name":"Set"}}',
    '{"constructor":{"prototype":{}}}',
    '{"__proto__":1}',
  ],
  ...[
    '{"toString":1}',
    '{"hasOwnProperty":"x"}',
    '{"length":3}',
    '{"then":1}',
    '{"toJSON":"x"}',
    '{"\\ud800":1}',
    '{"a\\u0000":1}',
  ],
  `${'['.repeat(60)}${']'.repeat(60)}`,
  `${'['.repeat(70)}${']'.repeat(70)}`,
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
];
/** One of each kind, for fields that take a single text or number. */
const ODDEST = [
  ...[
    '9007199254740993',
    '1e200',
    '1e-200',
    '1e400',
    '-0',
    '"\\u0000"',
    '"\\ud800"',
    '""',
    '"constructor"',
    '"__proto__"',
  ],
  ...['null', '[]', '{"":1}', '{"constructor":1}'],
];
const anyValue = fc.oneof(
  fc.constantFrom(...ODD),
  fc.json({ maxDepth: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
);
const anyName = fc.oneof(
  fc.constantFrom('constructor', '__proto__', 'prototype', 'toString', 'a', 'board', 'batch', 'firmware_version', ''),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
/** Any JSON, including objects with arbitrary names. */
const anyJson = fc.oneof(
  anyValue,
  fc
    .array(fc.tuple(anyName, anyValue), { maxLength: 4 })
    .map((fields) => `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
);
const examples = [...ODD, ...ODD.map((odd) => `{"a":${odd}}`), ...ODD.map((odd) => `{"board":${odd}}`)];

interface Field {
  /** Sends the value in this field. */
  send(json: string): Promise<Answer>;
  /** Returns what the API has stored. */
  readBack(sent: Answer): Promise<unknown>;
}

/** Each value is either rejected with an error code or stored unchanged. */
async function holds(field: Field, json: string): Promise<void> {
  const sent = await field.send(json);
  if (sent.status >= 300) {
    expect([sent.status, json]).toEqual([400, json]);
    expect(['validation_failed', 'invalid_json']).toContain(sent.body.error.code);
    return;
  }
  // JSON.stringify writes a negative zero as a plain one.
  const meant: unknown = JSON.parse(json, (_name, value) => (value === 0 ? 0 : value));
  expect(await field.readBack(sent)).toEqual(meant);
}

async function always(field: Field): Promise<void> {
  await fc.assert(
    fc.asyncProperty(anyJson, (json) => holds(field, json)),
    { numRuns: 60, examples: examples.map((json) => [json] as [string]) },
  );
}

let made = 0;
const nextNumber = (): number => {
  made += 1;
  return made;
};
const nextHwId = () => `A11${String(nextNumber()).padStart(9, '0')}`;

/** Switches to a new user before the rate limit of the current one is reached. */
function inTurns<T>(make: () => Promise<T>): () => Promise<T> {
  let used = 0;
  let current: Promise<T> | undefined;
  return () => {
    if (current === undefined || used === 50) [current, used] = [make(), 0];
    used += 1;
    return current;
  };
}

describe('arbitrary JSON', () => {
  it("in a new device's metadata is stored, or rejected without using up a serial", async () => {
    const headers = { 'x-factory-token': backend.secrets.factoryToken };
    let serial = Number((await fleet.device()).serial);
    await always({
      async send(json) {
        const answer = await backend.call('/provision', {
          headers,
          body: `{"hw_id":"${nextHwId()}","metadata":${json}}`,
        });
        if (answer.status === 201) expect(answer.body.serial_seq).toBe(serial + 1);
        if (answer.status === 201) serial += 1;
        return answer;
      },
      readBack: async ({ body }) => (await fleet.post('/provision', { hw_id: body.hw_id })).body.metadata,
    });
    expect(Number((await fleet.device()).serial)).toBe(serial + 1);
  });

  it('in device settings is stored or rejected', async () => {
    const owner = inTurns(async () => {
      const { headers } = newUser();
      const { serial } = await fleet.device();
      await backend.call('/claimDevice', { headers, body: { serial } });
      return { headers, serial };
    });
    await always({
      async send(json) {
        const { headers, serial } = await owner();
        const answer = await backend.call('/updateDevice', {
          headers,
          body: `{"serial":"${serial}","settings":${json}}`,
        });
        return { ...answer, body: { ...answer.body, reader: headers } };
      },
      readBack: async ({ body }) =>
        (await backend.call('/myDevices', { headers: body.reader })).body.devices[0].settings,
    });
  });

  it('in the saved state is stored or rejected', async () => {
    const user = inTurns(async () => newUser());
    await always({
      async send(json) {
        const { headers } = await user();
        const answer = await backend.call('/saveUserState', { headers, body: `{"state":${json}}` });
        return { ...answer, body: { ...answer.body, reader: headers } };
      },
      readBack: async ({ body }) => (await backend.call('/getUserState', { headers: body.reader })).body.state,
    });
  });

  it('nested in the saved state is stored unchanged', async () => {
    const user = inTurns(async () => newUser());
    const kept = [
      '9007199254740993',
      '1e200',
      '1e-200',
      '{"constructor":1}',
      '{"":{"toString":null}}',
      '"\\ud800\\u0000"',
    ];
    for (const json of kept) {
      const { headers } = await user();
      const saved = await backend.call('/saveUserState', { headers, body: `{"state":{"a":${json}}}` });
      expect([json, saved.status]).toEqual([json, 200]);
      expect((await backend.call('/getUserState', { headers })).body.state).toEqual({ a: JSON.parse(json) });
    }
  });

  it.each([
    ['halt_policy', 'max_failure_pct'],
    ['halt_policy', 'min_reports'],
  ])('in %s.%s of a release is stored or rejected', async (_policy, name) => {
    await releases.draft('9.9.9', `any-${name.replaceAll('_', '-')}`);
    const policy = (json: string) =>
      JSON.stringify({ min_reports: 10, max_failure_pct: 5, [name]: 0 }).replace(`"${name}":0`, `"${name}":${json}`);
    const channel = `any-${name.replaceAll('_', '-')}`;
    const headers = { 'x-admin-token': backend.secrets.adminToken };
    await always({
      send: (json) =>
        backend.call('/ota/releases/9.9.9/rollout', {
          headers,
          body: `{"channel":"${channel}","halt_policy":${policy(json)}}`,
        }),
      readBack: async () => (await releases.get(`/ota/releases?channel=${channel}`)).body.releases[0].halt_policy[name],
    });
  });

  it.each(['displayName', 'photoURL'])("in the profile's %s is stored or rejected", async (name) => {
    const user = inTurns(async () => newUser());
    await always({
      async send(json) {
        const { headers } = await user();
        const answer = await backend.call('/updateProfile', { headers, body: `{"profile":{"${name}":${json}}}` });
        return { ...answer, body: { ...answer.body, reader: headers } };
      },
      readBack: async ({ body }) =>
        (await backend.call('/getProfile', { headers: body.reader })).body.profile[name] ?? '',
    });
  });

  it('in every other field is stored or rejected, and never a server error', async () => {
    const user = inTurns(async () => {
      const { headers } = newUser();
      const { serial } = await fleet.device();
      await backend.call('/claimDevice', { headers, body: { serial } });
      return { headers, serial };
    });
    await releases.publish('1.1.0', 'texts');
    const factory = { 'x-factory-token': backend.secrets.factoryToken };
    const admin = { 'x-admin-token': backend.secrets.adminToken };
    const { hw_id: hwId } = await fleet.device();
    const sha = 'a'.repeat(64);
    const report = (serial: string, field: string) =>
      `{"serial":"${serial}","channel":"texts","version":"1.1.0","status":"failed","attempt_id":"a${nextNumber()}",${field}}`;
    const places: readonly ((json: string) => Promise<Answer>)[] = [
      (json) => backend.call('/reissueClaimCode', { headers: factory, body: `{"hw_id":"${hwId}","reason":${json}}` }),
      (json) =>
        backend.call('/provision', { headers: factory, body: `{"hw_id":"${nextHwId()}","public_key":${json}}` }),
      (json) =>
        backend.call('/ota/releases/1.1.0/rollout', { headers: admin, body: `{"channel":"texts","reason":${json}}` }),
      (json) =>
        backend.call('/ota/releases/1.1.0/rollout', {
          headers: admin,
          body: `{"channel":"texts","rollout_pct":${json}}`,
        }),
      ...['notes', 'artifact_name', 'min_version', 'allowlist', 'board', 'mandatory'].map(
        (name) => (json: string) =>
          backend.call('/ota/releases', {
            headers: admin,
            body: `{"version":"8.0.${nextNumber()}","channel":"texts","artifact_size_bytes":9,"artifact_sha256":"${sha}","${name}":${json}}`,
          }),
      ),
      (json) => backend.call('/ota/keys', { headers: admin, body: `{"board":"b","public_key":${json}}` }),
      ...['name', 'serial'].map((name) => async (json: string) => {
        const { headers, serial } = await user();
        const fields = name === 'serial' ? `"serial":${json}` : `"serial":"${serial}","${name}":${json}`;
        return backend.call('/updateDevice', { headers, body: `{${fields}}` });
      }),
      ...['"error_code":', '"from_version":', '"offset":', '"phone":', '"receipt":'].map(
        (field) => async (json: string) => {
          const { headers, serial } = await user();
          return backend.call('/ota/reports', { headers, body: report(serial, `${field}${json}`) });
        },
      ),
      async (json) => {
        const { headers, serial } = await user();
        return backend.call('/ota/reports', {
          headers,
          body: report(serial, `"phone":{"model":${json},"os":${json}}`),
        });
      },
      async (json) =>
        backend.call('/reconcileDevices', { headers: (await user()).headers, body: `{"devices":[${json}]}` }),
      async (json) =>
        backend.call('/saveUserState', { headers: (await user()).headers, body: `{"state":{},"version":${json}}` }),
      async (json) =>
        backend.call('/saveUserState', { headers: newUser().headers, body: `{"state":{},"baseDocVersion":${json}}` }),
    ];
    const failures: unknown[] = [];
    await fc.assert(
      fc.asyncProperty(anyJson, async (json) => {
        await Promise.all(
          places.map(async (send, at) => {
            const { status } = await send(json);
            if (status >= 500) failures.push([at, status, json.slice(0, 80)]);
          }),
        );
      }),
      { numRuns: 8 + ODDEST.length, examples: ODDEST.map((json) => [json] as [string]) },
    );
    expect(failures).toEqual([]);
    expect((await releases.get('/ota/releases/1.1.0/stats?channel=texts')).status).toBe(200);
  });
});
