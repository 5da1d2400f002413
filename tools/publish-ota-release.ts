import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { parseMcubootHeader, releaseVersionOf } from '../release-format/mcuboot-header.ts';
import { parseReleaseVersion } from '../release-format/release-version.ts';
import { ApiCallError, apiClient, type CallApi } from './cli/api-client.ts';
import { PlainError } from './cli/plain-error.ts';
import { type ProgressDisplay, progressDisplay } from './cli/progress-display.ts';
import { runCommand } from './cli/run-command.ts';
import { findTarget } from './cli/target.ts';
import { uploadFile } from './cli/upload-file.ts';

const Upload = z.object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) });
const ExistsDetails = z.object({ state: z.string(), artifact_sha256: z.string(), upload: Upload.optional() });
const Published = z.object({ version: z.string(), channel: z.string(), board: z.string(), published_at: z.string() });

interface Options {
  readonly artifactPath: string;
  readonly version?: string;
  readonly channel: string;
  readonly board: string;
  readonly notes: string;
  readonly mandatory: boolean;
  readonly apiBaseUrl?: string;
  readonly token?: string;
  readonly stack?: string;
  readonly json: boolean;
}

interface Artifact {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly version: string;
}

await runCommand((signal) =>
  new Command('npm run ota:publish --')
    .description('Publishes a signed MCUboot image: registers a draft, uploads it, lets it out. Run again, it goes on.')
    .requiredOption('--artifact-path <file>', 'the signed image')
    .option('--version <semver>', "the release's version (default: the one in the image's header)")
    .option('--channel <name>', 'who gets it', 'stable')
    .option('--board <name>', 'hardware it is for', 'arduino_nano_33_ble')
    .option('--notes <text>', 'what people are told about it', '')
    .option('--mandatory', 'the app does not offer to skip it', false)
    .option('--api-base-url <url>', 'the API (default: the stack that runs here)')
    .option('--token <token>', 'admin token; better set OTA_ADMIN_TOKEN')
    .option('--stack <directory>', 'directory of the local stack', '.local')
    .option('--json', 'the result as JSON, no progress', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run ota:publish -- --artifact-path build/zephyr/zephyr.signed.bin\n' +
        '  npm run ota:publish -- --artifact-path app.signed.bin --version 1.4.0 --channel beta --json\n',
    )
    .action((options: Options) => publish(options, signal)),
);

async function publish(options: Options, signal: AbortSignal): Promise<void> {
  const artifact = await readArtifact(options);
  const { apiBaseUrl, token } = await findTarget(options, 'adminToken');
  const call = apiClient(apiBaseUrl, signal);
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const { version, sha256, bytes } = artifact;

  const draft = await display.during(`Registering ${version} on ${options.channel}`, () =>
    registerDraft(call, token, options, artifact),
  );
  if (draft !== 'published already') await upload(draft, bytes, display, signal);
  const published = await display.during('Publishing', () =>
    call(`/ota/releases/${version}/publish`, Published, {
      method: 'POST',
      headers: { 'x-admin-token': token },
      body: { channel: options.channel, board: options.board },
    }),
  );
  if (options.json) {
    console.log(JSON.stringify({ ...published, artifact_sha256: sha256, artifact_size_bytes: bytes.byteLength }));
  } else {
    display.done(
      `${version} is offered on ${published.channel} for ${published.board} since ${published.published_at}`,
    );
    display.done(`${bytes.byteLength.toLocaleString('en')} bytes, SHA-256 ${sha256}`);
  }
}

/** Reads the image and makes sure that it is one, and of the version it is to be published as. */
async function readArtifact({ artifactPath, version }: Options): Promise<Artifact> {
  let bytes: Buffer;
  try {
    bytes = await readFile(artifactPath);
  } catch (error) {
    throw new PlainError(`${artifactPath} can not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = parseMcubootHeader(bytes);
  if (!parsed.ok) {
    throw new PlainError(
      `${artifactPath} is not a signed MCUboot image (${parsed.fault}). Pass the *.signed.bin file.`,
    );
  }
  const carried = releaseVersionOf(parsed.header.version);
  const wanted = version === undefined ? carried : parseReleaseVersion(version);
  if (wanted === undefined) throw new PlainError(`“${version}” is not a semantic version like 1.2.3.`);
  if (wanted !== carried) throw new PlainError(`The image says it is ${carried}, but --version says ${wanted}.`);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex'), version: wanted };
}

type Draft = z.output<typeof Upload> | 'published already';

async function registerDraft(call: CallApi, token: string, options: Options, artifact: Artifact): Promise<Draft> {
  try {
    return await call('/ota/releases', Upload, {
      method: 'POST',
      headers: { 'x-admin-token': token },
      body: {
        version: artifact.version,
        channel: options.channel,
        board: options.board,
        mandatory: options.mandatory,
        notes: options.notes,
        artifact_name: path.basename(options.artifactPath).replace(/[^A-Za-z0-9._-]/g, '_'),
        artifact_size_bytes: artifact.bytes.byteLength,
        artifact_sha256: artifact.sha256,
      },
    });
  } catch (error) {
    if (!(error instanceof ApiCallError) || error.code !== 'release_exists') throw error;
    const existing = ExistsDetails.parse(error.details);
    if (existing.artifact_sha256 !== artifact.sha256) throw error;
    // The very same image: an earlier run was cut short, or it is published and there is nothing left to do.
    return existing.upload ?? 'published already';
  }
}

async function upload(
  draft: z.output<typeof Upload>,
  bytes: Uint8Array,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<void> {
  const result = await display.bar(`Uploading ${bytes.byteLength.toLocaleString('en')} bytes`, bytes.byteLength, (to) =>
    uploadFile(draft.upload_url, draft.upload_headers, bytes, to, signal),
  );
  // 412: these bytes are there already, from a run that was cut short after its upload.
  if (result.status !== 200 && result.status !== 412) {
    throw new PlainError(`The upload was refused with ${result.status}: ${result.body.slice(0, 300)}`);
  }
}
