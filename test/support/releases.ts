import { type Answer, type Backend, startBackend } from './backend.ts';
import { firmware, GOOD, sha256, withVersion } from './firmware.ts';

/** The release engineer's calls to a backend. */
export function releasesOf(backend: Backend) {
  const headers = { 'x-admin-token': backend.secrets.adminToken };
  const post = (path: string, body: unknown = {}): Promise<Answer> => backend.call(path, { headers, body });
  const draft = async (version: string, channel: string, fields: object = {}, image?: Uint8Array) => {
    const bytes = image ?? withVersion(firmware(GOOD['1.1.0']), version);
    const facts = { artifact_size_bytes: bytes.byteLength, artifact_sha256: sha256(bytes) };
    const answer = await post('/ota/releases', { version, channel, ...facts, ...fields });
    if (answer.status !== 201) throw new Error(`registering ${version}: ${JSON.stringify(answer.body)}`);
    const { upload_url: url, upload_headers: uploadHeaders } = answer.body;
    const uploaded = await fetch(url, { method: 'PUT', headers: uploadHeaders, body: Buffer.from(bytes) });
    if (uploaded.status !== 200) throw new Error(`uploading ${version}: ${uploaded.status}`);
  };
  return {
    post,
    get: (path: string) => backend.call(path, { headers }),
    /** Registers and uploads, without publishing. */
    draft,
    /** Registers, uploads and publishes. */
    async publish(version: string, channel: string, fields: object = {}): Promise<void> {
      await draft(version, channel, fields);
      const { board } = { board: undefined, ...fields };
      const answer = await post(`/ota/releases/${version}/publish`, {
        channel,
        ...(board === undefined ? {} : { board }),
      });
      if (answer.status !== 200) throw new Error(`publishing ${version}: ${JSON.stringify(answer.body)}`);
    },
    step: (version: string, step: string, channel: string, fields: object = {}) =>
      post(`/ota/releases/${version}/${step}`, { channel, ...fields }),
    /** The answer to a phone. */
    async latest(channel: string, query = '', phone: Readonly<Record<string, string>> = {}) {
      return (await backend.call(`/ota/latest?channel=${channel}${query}`, { headers: phone })).body;
    },
  };
}

export async function startWithReleases(env: Readonly<Record<string, string>> = {}) {
  const backend = await startBackend(env);
  return { backend, releases: releasesOf(backend) };
}
