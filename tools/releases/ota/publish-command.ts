import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  checkImage,
  parseMcubootHeader,
  parseReleaseVersion,
  type ReleaseVersion,
  releaseVersionOf,
  trustedKey,
} from '@autowatering/release-format';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import { type TokenCall, targetOptions, tokenCall } from '../../cli/target/admin-call.ts';
import { ApiCallError } from '../../cli/target/api-client.ts';
import type { TargetOptions } from '../../cli/target/target.ts';
import { uploadFile } from '../../cli/target/upload-file.ts';
import { percentage, wholeNumber } from '../../cli/terminal/number-arguments.ts';
import { type ProgressDisplay, progressDisplay } from '../../cli/terminal/progress-display.ts';
import { type AlarmPolicyOptions, alarmPolicyFields, alarmPolicyOptions } from './alarm-policy.ts';
import { agreedVersion, sourceVersions, type VersionClaim } from './release-source.ts';
import { type BuildOptions, builtImage, westBuild, westCommand } from './west-build.ts';

const Upload = z.object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) });
const ExistsDetails = z.object({ state: z.string(), artifact_sha256: z.string(), upload: Upload.optional() });
const Published = z.object({ version: z.string(), channel: z.string(), board: z.string(), published_at: z.string() });

/** Which image to publish, how, and where. */
export interface PublishOptions extends TargetOptions, AlarmPolicyOptions {
  readonly artifactPath?: string;
  readonly version?: string;
  readonly channel: string;
  readonly board: string;
  readonly notes: string;
  readonly mandatory: boolean;
  readonly rolloutPct: number;
  readonly allowlist?: readonly string[];
  readonly minVersion?: string;
  readonly minBootloader?: string;
  readonly allowDowngrade: boolean;
  readonly haltMinReports?: number;
  readonly haltMaxFailurePct?: number;
  readonly skipBuild: boolean;
  readonly sysbuild: boolean;
  readonly pristine: boolean;
  readonly sourceDir?: string;
  readonly buildDir: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

interface Artifact {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly version: ReleaseVersion;
}

/** @param name the command's name in its help */
export function publishCommand(name: string, signal: AbortSignal): Command {
  return publishOptions(new Command(name))
    .description(
      'Publishes a signed MCUboot image: registers a draft, uploads and publishes it. Run it again to resume.',
    )
    .option('--rollout-pct <percent>', 'share of devices to offer it to, 0 to 100', percentage, 100)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run ota -- publish --artifact-path build/zephyr/zephyr.signed.bin --rollout-pct 5\n' +
        '  npm run ota -- publish --source-dir ../firmware --sysbuild --pristine --channel beta\n' +
        '  npm run ota -- publish --artifact-path app.signed.bin --version 1.4.0 --dry-run --json\n' +
        '\nExit codes: 0 published, now or before; 1 failed, run it again; 2 invalid arguments;\n' +
        '3 refused: invalid image, conflicting versions, or the version exists with different bytes.\n',
    )
    .action((options: PublishOptions) => publish(options, signal));
}

/** Adds the options shared by all publishing commands. Each command adds its own for the rollout. */
export function publishOptions(command: Command): Command {
  command
    .option('--artifact-path <file>', "the signed image (default: west's build output)")
    .option('--version <semver>', 'must match the image, VERSION and the git tag')
    .option('--channel <name>', 'the release channel', 'stable')
    .option('--board <name>', 'the target board', 'arduino_nano_33_ble')
    .option('--notes <text>', 'release notes for users', '')
    .option('--mandatory', 'users can not skip it in the app', false)
    .option('--allowlist <id...>', 'serials and hardware ids that always get it')
    .option('--min-version <semver>', 'oldest firmware version that can install it')
    .option('--min-bootloader <semver>', 'oldest bootloader version that can install it')
    .option('--allow-downgrade', 'allow it to replace a newer version', false)
    .option('--halt-min-reports <count>', 'finished devices before it can halt automatically', wholeNumber)
    .option('--halt-max-failure-pct <percent>', 'failure rate that halts it', percentage)
    .option('--source-dir <directory>', 'the application to build, with its VERSION file and git tag')
    .option('--build-dir <directory>', "west's build directory", 'build')
    .option('--skip-build', 'publish the existing build output', false)
    .option('--sysbuild', 'build with sysbuild', false)
    .option('--pristine', 'build from scratch', false)
    .option('--dry-run', 'show the steps and change nothing', false)
    .option('--json', 'print the result as JSON, without progress', false);
  return targetOptions(alarmPolicyOptions(command), 'admin');
}

async function publish(options: PublishOptions, signal: AbortSignal): Promise<void> {
  const published = await publishImage(options, signal);
  if (options.json && published !== undefined) console.log(JSON.stringify(published));
}

/**
 * Publishes the image given by the options, with progress on the terminal.
 *
 * @returns the release, published now or before; undefined on a dry run, which only shows the steps
 */
export async function publishImage(options: PublishOptions, signal: AbortSignal) {
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const build = buildOptions(options);
  const builds = options.artifactPath === undefined && !options.skipBuild;
  if (builds && options.dryRun) {
    // Without an image, only the general steps are known.
    showSteps(options, [`build: ${westCommand(build).join(' ')}`, `read ${builtImage(build)}`, ...lastSteps(options)]);
    return undefined;
  }
  const call = await tokenCall(options, 'admin', signal, { changes: !options.dryRun });
  if (builds) await westBuild(build, signal);
  const artifact = await readArtifact(options.artifactPath ?? builtImage(build), options);
  await refuseUnsigned(call, options, artifact);
  if (options.dryRun) {
    showSteps(options, [...knownSteps(artifact), ...(await remoteSteps(call, options, artifact))], artifact);
    return undefined;
  }
  const { version, sha256, bytes } = artifact;

  const draft = await display.during(`Registering ${version} on ${options.channel}`, () =>
    registerDraft(call, options, artifact),
  );
  if (draft !== 'published already') await upload(draft, bytes, display, signal);
  const published = await display.during('Publishing', () => letOut(call, options, version));
  const share = options.rolloutPct === 100 ? 'everyone' : `${options.rolloutPct} %`;
  const where = `on ${published.channel} for ${published.board}`;
  // If it was published before, its rollout may have been changed since, so don't name a share.
  const state = draft === 'published already' ? `was published ${where}` : `is offered ${where} to ${share} since`;
  display.done(`${version} ${state} ${published.published_at}`);
  display.done(`${bytes.byteLength.toLocaleString('en')} bytes, SHA-256 ${sha256}`);
  return { ...published, artifact_sha256: sha256, artifact_size_bytes: bytes.byteLength };
}

function buildOptions({ sourceDir = '.', buildDir, board, sysbuild, pristine }: PublishOptions): BuildOptions {
  return { sourceDir, buildDir, board, sysbuild, pristine };
}

/** Reads the image and checks that it is valid and that all sources agree on its version. */
async function readArtifact(file: string, options: PublishOptions): Promise<Artifact> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new PlainError(`Can't read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = parseMcubootHeader(bytes);
  if (!parsed.ok) {
    throw new RefusedError(`${file} is not a signed MCUboot image (${parsed.fault}). Pass the *.signed.bin file.`);
  }
  const version = await versionOf(releaseVersionOf(parsed.header.version), options);
  // Signatures are checked later: the board's keys come from the backend.
  const verdict = checkImage(bytes, version, { keys: [], signatures: 'registered' });
  if (!verdict.good) throw new RefusedError(`${file} can't be published: ${verdict.reason}.`);
  return { file, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), version };
}

const Keys = z.object({ keys: z.array(z.object({ public_key: z.string() })) });

/** Does the backend's signature check before registering a draft that could not be published. */
async function refuseUnsigned(call: TokenCall, { board }: PublishOptions, artifact: Artifact): Promise<void> {
  const { keys } = await call(`/ota/keys?board=${encodeURIComponent(board)}`, Keys);
  const trusted = keys.map(({ public_key: pem }) => trustedKey(pem));
  const verdict = checkImage(artifact.bytes, artifact.version, { keys: trusted, signatures: 'registered' });
  if (!verdict.good) throw new RefusedError(`${artifact.file} can't be published: ${verdict.reason}.`);
}

async function versionOf(inHeader: string, options: PublishOptions): Promise<ReleaseVersion> {
  const claims: VersionClaim[] = [];
  if (options.version !== undefined) {
    const version = parseReleaseVersion(options.version);
    if (version === undefined) throw new RefusedError(`“${options.version}” is not a semantic version like 1.2.3.`);
    claims.push({ by: '--version', version });
  }
  const header = parseReleaseVersion(inHeader);
  if (header !== undefined) claims.push({ by: "the image's header", version: header });
  // A given image has no known source tree; one that was built here does.
  const sourceDir = options.sourceDir ?? (options.artifactPath === undefined ? '.' : undefined);
  const source = sourceDir === undefined ? undefined : await sourceVersions(sourceDir);
  return agreedVersion([...claims, ...(source?.claims ?? [])], source?.lastTag);
}

type Draft = z.output<typeof Upload> | 'published already';

async function registerDraft(call: TokenCall, options: PublishOptions, artifact: Artifact): Promise<Draft> {
  try {
    return await call('/ota/releases', Upload, draftBody(options, artifact));
  } catch (error) {
    if (!(error instanceof ApiCallError) || error.code !== 'release_exists') throw error;
    const existing = ExistsDetails.parse(error.details);
    if (existing.artifact_sha256 !== artifact.sha256) throw new RefusedError(error.message);
    // The same image: an earlier run was interrupted, or it is published already.
    return existing.upload ?? 'published already';
  }
}

function draftBody(options: PublishOptions, { version, bytes, sha256, file }: Artifact) {
  const { haltMinReports: minReports, haltMaxFailurePct: maxFailurePct } = options;
  const hasPolicy = minReports !== undefined || maxFailurePct !== undefined;
  return {
    version,
    channel: options.channel,
    board: options.board,
    mandatory: options.mandatory,
    notes: options.notes,
    rollout_pct: options.rolloutPct,
    allowlist: options.allowlist ?? [],
    allow_downgrade: options.allowDowngrade,
    ...(options.minVersion === undefined ? {} : { min_version: options.minVersion }),
    ...(options.minBootloader === undefined ? {} : { min_bootloader: options.minBootloader }),
    ...(hasPolicy ? { halt_policy: { min_reports: minReports ?? 20, max_failure_pct: maxFailurePct ?? 10 } } : {}),
    ...alarmPolicyFields(options),
    artifact_name: path.basename(file).replace(/[^A-Za-z0-9._-]/g, '_'),
    artifact_size_bytes: bytes.byteLength,
    artifact_sha256: sha256,
  };
}

async function letOut(call: TokenCall, { channel, board }: PublishOptions, version: ReleaseVersion) {
  try {
    return await call(`/ota/releases/${version}/publish`, Published, { channel, board });
  } catch (error) {
    const isRefusal = error instanceof ApiCallError && error.status === 409;
    throw isRefusal ? new RefusedError(error.message) : error;
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
  // 412: the bytes were uploaded before, by a run that was interrupted after its upload.
  if (result.status !== 200 && result.status !== 412)
    throw new PlainError(`The upload was refused with status ${result.status}: ${result.body.slice(0, 300)}`);
}

function knownSteps({ file, version, bytes, sha256 }: Artifact): readonly string[] {
  return [`read ${file}: version ${version}, ${bytes.byteLength.toLocaleString('en')} bytes, SHA-256 ${sha256}`];
}

function lastSteps({ channel, board, rolloutPct }: PublishOptions): readonly string[] {
  return [
    `register a draft on ${channel} for ${board}`,
    'upload the image by presigned URL',
    `publish it to ${rolloutPct} % of the devices`,
  ];
}

const Known = z.object({ release: z.object({ state: z.string(), artifact_sha256: z.string() }) });

/** Returns the remaining steps according to the API, without changing anything. */
async function remoteSteps(call: TokenCall, options: PublishOptions, artifact: Artifact): Promise<readonly string[]> {
  const { version, sha256 } = artifact;
  try {
    const query = new URLSearchParams({ channel: options.channel, board: options.board });
    const { release } = await call(`/ota/releases/${version}?${query}`, Known);
    if (release.artifact_sha256 !== sha256 && release.state === 'draft') {
      return ["replace the draft with different bytes, if it can't be published", ...lastSteps(options).slice(1)];
    }
    if (release.artifact_sha256 !== sha256) {
      throw new RefusedError(`Release ${version} exists with different bytes (${release.state}): raise the version.`);
    }
    if (release.state !== 'draft') return [`nothing: release ${version} is already ${release.state}`];
    return ['continue with the registered draft', ...lastSteps(options).slice(1)];
  } catch (error) {
    if (!(error instanceof ApiCallError && error.code === 'release_not_found')) throw error;
    return lastSteps(options);
  }
}

function showSteps(options: PublishOptions, steps: readonly string[], artifact?: Artifact): void {
  if (options.json) {
    console.log(
      JSON.stringify({ dry_run: true, ...(artifact === undefined ? {} : { version: artifact.version }), steps }),
    );
    return;
  }
  console.log('Dry run, nothing was changed. Steps:');
  for (const [index, step] of steps.entries()) console.log(`  ${index + 1}. ${step}`);
}
